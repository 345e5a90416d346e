import { QStreamError } from "../../core/errors.ts";

/** What a history has of one moment, as plain data. */
export type HistoryEvent<Operation, Result> =
  | {
      readonly kind: "invoke";
      /** Number of the call, from 1. */
      readonly call: number;
      readonly client: string;
      readonly operation: Operation;
      /** When, in milliseconds, where the history was given a clock. It is shown; the order is that of recording. */
      readonly timeMs?: number;
    }
  | {
      readonly kind: "ok";
      readonly call: number;
      readonly client: string;
      readonly result?: Result;
      readonly timeMs?: number;
    }
  | {
      readonly kind: "fail" | "unknown";
      readonly call: number;
      readonly client: string;
      readonly timeMs?: number;
    };

/** A call of a history, from its invocation to its end. */
export interface RecordedCall<Operation, Result> {
  /** Number of the call, from 1. */
  readonly call: number;
  readonly client: string;
  readonly operation: Operation;
  /** `ok` with a result; `fail` had no effect; `unknown` may have one, at any later time. What is still open is unknown. */
  readonly outcome: "ok" | "fail" | "unknown";
  readonly result?: Result;
  /** Index of the event by which it began. */
  readonly invokedAt: number;
  /** Index of the event by which it ended; Infinity while it is open, and where that is unknown. */
  readonly endedAt: number;
}

/** The calls that events tell of, by number. The events are right: `checkEvents` has seen them, or a recorder made them. */
export function callsOf<Operation, Result>(
  events: readonly HistoryEvent<Operation, Result>[],
): RecordedCall<Operation, Result>[] {
  const calls: RecordedCall<Operation, Result>[] = [];
  events.forEach((event, index) => {
    if (event.kind === "invoke") {
      const { call, client, operation } = event;
      calls.push({ call, client, operation, outcome: "unknown", invokedAt: index, endedAt: Infinity });
      return;
    }
    const begun = calls[event.call - 1] as RecordedCall<Operation, Result>;
    if (event.kind === "unknown") return;
    const result = event.kind === "ok" && event.result !== undefined ? { result: event.result } : {};
    calls[event.call - 1] = { ...begun, ...result, outcome: event.kind, endedAt: index };
  });
  return calls;
}

/**
 * Refuses events that no recorder makes.
 *
 * @throws QStreamError HISTORY_INVALID, with the index of the event
 */
export function checkEvents(events: unknown): asserts events is readonly HistoryEvent<unknown, unknown>[] {
  if (!Array.isArray(events)) throw invalid("the events of a history are an array");
  const open = new Map<string, number>();
  let calls = 0;
  events.forEach((event: unknown, index) => {
    const at = `event ${index} of a history`;
    if (typeof event !== "object" || event === null) throw invalid(`${at} is no object`);
    const { kind, call, client, timeMs } = event as Readonly<Record<string, unknown>>;
    if (typeof client !== "string") throw invalid(`${at} has no client`);
    if (timeMs !== undefined && typeof timeMs !== "number") throw invalid(`${at} has a timeMs that is no number`);
    if (kind === "invoke") {
      calls += 1;
      if (call !== calls) throw invalid(`${at} begins call ${String(call)}, and call ${calls} is next`);
      if (!("operation" in event)) throw invalid(`${at} has no operation`);
      if (open.has(client)) throw invalid(`${at} begins a call of client "${client}", which has one open`);
      open.set(client, calls);
    } else if (kind === "ok" || kind === "fail" || kind === "unknown") {
      if (open.get(client) !== call)
        throw invalid(`${at} ends call ${String(call)}, which client "${client}" has not open`);
      open.delete(client);
    } else throw invalid(`${at} is of no kind that there is: ${String(kind)}`);
  });
}

/** Refuses what JSON would change or leave out without a word. @throws QStreamError HISTORY_INVALID, with the place */
export function checkJson(value: unknown, place: string): void {
  if (value === null || typeof value === "string" || typeof value === "boolean") return;
  if (typeof value === "number" && Number.isFinite(value)) return;
  if (Array.isArray(value)) {
    value.forEach((each: unknown, index) => checkJson(each, `${place}[${index}]`));
    return;
  }
  const prototype: unknown = typeof value === "object" ? Object.getPrototypeOf(value) : undefined;
  if (typeof value !== "object" || (prototype !== Object.prototype && prototype !== null)) {
    throw invalid(
      `${place} has no form in JSON`,
      "Record strings, finite numbers, booleans, null, arrays and plain objects",
    );
  }
  for (const [name, each] of Object.entries(value)) if (each !== undefined) checkJson(each, `${place}.${name}`);
}

function invalid(what: string, advice = "Give what History.toJSON() returned"): QStreamError {
  return new QStreamError("HISTORY_INVALID", what, { advice });
}
