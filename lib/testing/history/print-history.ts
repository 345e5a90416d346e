import type { HistoryEvent } from "./events.ts";
import { operationText, short, valueText } from "./value-text.ts";

/** Events as lines under a line of the clients' names. Of each event only the column of its client is filled. */
export function eventLines(events: readonly HistoryEvent<unknown, unknown>[]): string[] {
  const clients = [...new Set(events.map(({ client }) => client))];
  const texts = events.map(eventText);
  const widths = clients.map((client) => {
    const own = texts.filter((_, index) => events[index]?.client === client);
    return Math.max(client.length, ...own.map(({ length }) => length));
  });
  const heads = events.map(({ call, timeMs }) => `#${call}${timeMs === undefined ? "" : ` ${timeMs} ms`}`);
  const headWidth = Math.max(0, ...heads.map(({ length }) => length));
  const line = (head: string, cells: readonly string[]): string =>
    [head.padEnd(headWidth), ...cells.map((cell, column) => cell.padEnd(widths[column] ?? 0))].join("  ").trimEnd();
  return [
    line("", clients),
    ...events.map(({ client }, index) => {
      const cells = clients.map((each) => (each === client ? (texts[index] ?? "") : ""));
      return line(heads[index] ?? "", cells);
    }),
  ];
}

function eventText(event: HistoryEvent<unknown, unknown>): string {
  if (event.kind === "invoke") return short(operationText(event.operation));
  if (event.kind === "ok" && event.result !== undefined) return short(`ok ${valueText(event.result)}`);
  return event.kind;
}
