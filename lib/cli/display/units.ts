/** `12.3 MB`: bytes in the unit that suits them. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`;
  return inUnits(bytes / 1000, ["kB", "MB", "GB", "TB", "PB"]);
}

/** `1,234` or `12.3 M`: a count that may be large. */
export function formatCount(count: number): string {
  if (count < 100_000) return Math.round(count).toLocaleString("en-US");
  return inUnits(count / 1000, ["k", "M", "G", "T"]);
}

/** `1 machine`, `1,234 machines`: how many there are of what is named. */
export function formatNumber(count: number, one: string): string {
  return `${formatCount(count)} ${count === 1 ? one : `${one}s`}`;
}

/** `850 ms`, `12.3 s` or `4 min 5 s`. */
export function formatDuration(ms: number): string {
  if (Math.round(ms) < 1000) return `${Math.round(ms)} ms`;
  if (ms < 9995) return `${(ms / 1000).toFixed(2)} s`;
  if (ms < 119_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** Three digits and the unit in which the value stays below a thousand, also once it is rounded. */
function inUnits(value: number, units: readonly string[]): string {
  let scaled = value;
  let at = 0;
  while (scaled >= 999.5 && at < units.length - 1) {
    scaled /= 1000;
    at++;
  }
  const digits = scaled >= 99.95 ? 0 : scaled >= 9.995 ? 1 : 2;
  return `${scaled.toFixed(digits)} ${units[at]}`;
}
