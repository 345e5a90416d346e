/** How a cell is written: numbers to the right with separators, everything else to the left. */
function cellOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return Number.isInteger(value) ? value.toLocaleString("en-US") : value.toLocaleString("en-US", { maximumFractionDigits: 3 });
  if (typeof value === "bigint") return value.toLocaleString("en-US");
  if (value instanceof Date) return value.toISOString();
  if (typeof value === "string") return value;
  return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === "bigint" ? inner.toString() : inner)) ?? String(value);
}

const cellWidthMax = 40;

/**
 * Writes rows as a table of text, columns by the properties of the first row.
 *
 * @param rows - plain objects, or single values
 * @param options - `rowsMax`: how many are shown (20 unless told); the rest is counted
 */
export function formatTable(rows: readonly unknown[], options: { readonly rowsMax?: number } = {}): string {
  const shown = rows.slice(0, options.rowsMax ?? 20).map((row) => (typeof row === "object" && row !== null ? row : { value: row }) as Record<string, unknown>);
  const names = [...new Set(shown.flatMap((row) => Object.keys(row)))];
  if (names.length === 0) return "(no rows)\n";
  const cells = shown.map((row) => names.map((name) => shorten(cellOf(row[name]))));
  const widths = names.map((name, column) => Math.max(name.length, ...cells.map((line) => line[column]?.length ?? 0)));
  const toRight = names.map((name) => shown.every((row) => ["number", "bigint", "undefined"].includes(typeof (row[name] ?? undefined))));
  const line = (texts: readonly string[]): string =>
    texts.map((text, column) => (toRight[column] === true ? text.padStart(widths[column] ?? 0) : text.padEnd(widths[column] ?? 0))).join("  ").trimEnd();
  const lines = [line(names), widths.map((width) => "-".repeat(width)).join("  "), ...cells.map(line)];
  if (rows.length > shown.length) lines.push(`... and ${(rows.length - shown.length).toLocaleString("en-US")} more`);
  return `${lines.join("\n")}\n`;
}

function shorten(text: string): string {
  const single = text.replaceAll(/\s+/g, " ");
  return single.length > cellWidthMax ? `${single.slice(0, cellWidthMax - 1)}…` : single;
}
