import type { RecordedCall } from "./events.ts";
import { short } from "./value-text.ts";
import type { PlacedCall } from "./search.ts";
import { operationText, valueText } from "./value-text.ts";

const linesMax = 40;

/** A call as people read it: number, client, operation and result. */
export function callText({ call, client, operation, outcome, result }: RecordedCall<unknown, unknown>): string {
  const end = outcome === "unknown" ? " -> unknown" : result === undefined ? "" : ` -> ${short(valueText(result))}`;
  return `#${call} ${client}: ${short(operationText(operation))}${end}`;
}

/** The calls of an order, each with the state after it. */
export function orderLines(order: readonly PlacedCall<unknown, unknown, unknown>[]): string[] {
  const texts = order.map(({ call }) => callText(call));
  const width = Math.max(0, ...texts.slice(-linesMax).map(({ length }) => length));
  return lastLines(
    texts.map((text, index) => `${text.padEnd(width)}  then ${short(valueText(order[index]?.state))}`),
    "calls",
  );
}

/** The last lines, and how many more there are. */
export function lastLines(lines: readonly string[], what: string): string[] {
  if (lines.length <= linesMax) return [...lines];
  return [`(${lines.length - linesMax} ${what} before)`, ...lines.slice(-linesMax)];
}

/** A heading with its lines indented; nothing where there are none. */
export function block(heading: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [heading, ...lines.map((line) => `  ${line}`)];
}
