// Histories written as people do: one event a word.
import { History } from "../../../../lib/testing/history/index.ts";

/** One event: its client; begin with an operation, or end with a result, or with nothing to say. */
export type Written<Operation> =
  | readonly [client: string, begins: "begins", operation: Operation]
  | readonly [client: string, ok: "ok", result?: unknown]
  | readonly [client: string, ends: "fail" | "unknown"];

/** Records events in their order. */
export function recorded<Operation>(...events: readonly Written<Operation>[]): History<Operation, unknown> {
  const history = new History<Operation, unknown>();
  const open = new Map<string, ReturnType<typeof history.invoke>>();
  for (const [client, kind, what] of events) {
    if (kind === "begins") open.set(client, history.invoke(client, what));
    else if (kind === "ok") open.get(client)?.ok(what);
    else open.get(client)?.[kind]();
  }
  return history;
}

/** Calls one after the other. */
export function oneByOne<Operation, Result>(
  ...calls: readonly (readonly [client: string, operation: Operation, result: Result])[]
): History<Operation, Result> {
  const history = new History<Operation, Result>();
  for (const [client, operation, result] of calls) history.invoke(client, operation).ok(result);
  return history;
}

/** Calls of which all began before any ended. */
export function atOnce<Operation, Result>(
  ...calls: readonly (readonly [client: string, operation: Operation, result: Result])[]
): History<Operation, Result> {
  const history = new History<Operation, Result>();
  const open = calls.map(([client, operation, result]) => ({ call: history.invoke(client, operation), result }));
  for (const { call, result } of open) call.ok(result);
  return history;
}
