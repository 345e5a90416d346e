import { fileURLToPath } from "node:url";

const linesMax = 14;
const framesMax = 3;
const causesMax = 8;

/** An error for the terminal: message and causes, each with the places in the user's own code. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return `qstream: ${String(error)}`;
  const lines = [`qstream: ${nameOf(error)}${error.message}`, ...framesOf(error)];
  let said = error.message;
  let cause = error.cause;
  for (
    let depth = 0;
    cause instanceof Error && depth < causesMax && lines.length < linesMax;
    depth++, cause = cause.cause
  ) {
    const what = `${nameOf(cause)}${cause.message}`;
    if (!said.includes(what) && !isSaid(cause, said)) lines.push(`  because: ${what}`);
    said += what;
    for (const frame of framesOf(cause)) if (!lines.includes(frame)) lines.push(frame);
  }
  return lines.slice(0, linesMax).join("\n");
}

/** An error of the system whose code and path were told in better words. */
function isSaid({ code, path }: NodeJS.ErrnoException, said: string): boolean {
  return code !== undefined && path !== undefined && said.includes(`(${code})`) && said.includes(path);
}

/** The code of ours; the class of others where it says more than "Error". */
function nameOf(error: Error): string {
  // A flow may come with a copy of QStream of its own.
  if (error.name === "QStreamError" && "code" in error) return `[${String(error.code)}] `;
  return error.name === "Error" ? "" : `${error.name}: `;
}

// Frames in here and in Node itself say nothing about the user's code. A source map may have put ours beside dist.
const own = ["lib", "actors", "operators", "readers"].flatMap((folder) =>
  ["../../", "../../../"].map((root) => new URL(`${root}${folder}/`, import.meta.url).href),
);
const ownPaths = [...own, ...own.map((url) => fileURLToPath(url))];

function framesOf(error: Error): string[] {
  const frames = (error.stack ?? "").split("\n").filter((line) => /^\s+at .*:\d+:\d+\)?$/.test(line));
  return frames
    .filter(
      (line) =>
        !line.includes("node:") && !line.includes("/node_modules/") && !ownPaths.some((place) => line.includes(place)),
    )
    .slice(0, framesMax)
    .map((line) => `  ${line.trim()}`);
}
