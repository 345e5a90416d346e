import { QStreamError } from "../../core/errors.ts";
import { checkOptionNames, namesOf } from "../../core/option-names.ts";
import { historyTouched } from "../shared-histories.ts";
import { callsOf, checkEvents, checkJson, type HistoryEvent, type RecordedCall } from "./events.ts";
import { eventLines } from "./print-history.ts";

export interface HistoryOptions {
  /** Gives the time in milliseconds, of a virtual clock for example, to be shown beside the events. */
  readonly now?: () => number;
  /** How many events it takes; 1,000,000 unless told. */
  readonly eventsMax?: number;
}

/** A history as JSON has it. */
export interface HistoryData<Operation = unknown, Result = unknown> {
  readonly events: readonly HistoryEvent<Operation, Result>[];
}

/** A call that was begun. One of its methods is called, once; a call whose end nobody tells is unknown. */
export interface OpenCall<Result> {
  /** Number of the call in its history, from 1. */
  readonly call: number;
  /** It took effect between its invocation and now, and gave this. */
  readonly ok: (result?: Result) => void;
  /** It certainly had no effect, and never will. */
  readonly fail: () => void;
  /** It may have taken effect, may do so later, or never: a timeout. Its client may go on. */
  readonly unknown: () => void;
}

const optionNames = namesOf<HistoryOptions>({ now: true, eventsMax: true });

/**
 * Records what clients ask of a system and what they are told, in the order in which it happens, so that a checker can say
 * whether the system keeps its promise. Operations and results are copied as they are recorded.
 *
 * @throws QStreamError OPTION_INVALID for an option that can't be
 * @example
 * const history = new History<RegisterOperation<number>, unknown>({ now: () => clock.now() });
 * const call = history.invoke("a", { kind: "write", value: 1 });
 * try { await store.write(1); call.ok(); } catch { call.unknown(); }
 * assert.equal(checkLinearizable(history, registerModel(0)).verdict, "ok");
 */
export class History<Operation, Result> {
  readonly #events: HistoryEvent<Operation, Result>[] = [];
  readonly #open = new Map<string, number>();
  readonly #now: (() => number) | undefined;
  readonly #eventsMax: number;
  #calls = 0;

  constructor(options: HistoryOptions = {}) {
    checkOptionNames("History", options, optionNames);
    const { now, eventsMax = 1_000_000 } = options;
    if (!Number.isInteger(eventsMax) || eventsMax < 1) {
      throw new QStreamError(
        "OPTION_INVALID",
        `eventsMax of History is ${eventsMax}, and has to be a whole number from 1`,
      );
    }
    this.#now = now;
    this.#eventsMax = eventsMax;
  }

  /**
   * A history from plain data that `toJSON` gave. Whether operations are those that a model takes isn't looked at.
   *
   * @throws QStreamError HISTORY_INVALID for data that is no history
   * @example
   * const history = History.from<RegisterOperation<number>, unknown>(JSON.parse(text));
   */
  static from<Operation = unknown, Result = unknown>(data: HistoryData): History<Operation, Result> {
    const events: unknown = (data as HistoryData | undefined)?.events;
    checkEvents(events);
    const history = new History<Operation, Result>({ eventsMax: Math.max(1_000_000, events.length) });
    for (const event of events as readonly HistoryEvent<Operation, Result>[]) {
      history.#events.push(structuredClone(event));
      if (event.kind === "invoke") history.#open.set(event.client, (history.#calls = event.call));
      else history.#open.delete(event.client);
    }
    return history;
  }

  /** What was recorded, in its order. */
  get events(): readonly HistoryEvent<Operation, Result>[] {
    historyTouched(false);
    return this.#events;
  }

  /**
   * Begins a call.
   *
   * @param client - who calls; it has one call open at a time
   * @throws QStreamError HISTORY_INVALID if the client has a call open, or the operation can't be copied; LIMIT_EXCEEDED if there are too many events
   * @example
   * const call = history.invoke("a", { kind: "read" });
   * call.ok(await store.read());
   */
  invoke(client: string, operation: Operation): OpenCall<Result> {
    const open = this.#open.get(client);
    if (open !== undefined) {
      throw new QStreamError("HISTORY_INVALID", `client "${client}" begins a call while its call ${open} is open`, {
        advice: "End that one by ok, fail or unknown first; what goes on side by side is of several clients",
      });
    }
    const call = this.#calls + 1;
    this.#record({ kind: "invoke", call, client, operation: copyOf(operation, `operation of call ${call}`) });
    this.#calls = call;
    this.#open.set(client, call);
    const end = (kind: "fail" | "unknown"): void => this.#end({ kind, call, client });
    return {
      call,
      ok: (result) => {
        const copy = result === undefined ? {} : { result: copyOf(result, `result of call ${call}`) };
        this.#end({ kind: "ok", call, client, ...copy });
      },
      fail: () => end("fail"),
      unknown: () => end("unknown"),
    };
  }

  /**
   * The calls, in the order in which they began.
   *
   * @example
   * const lost = history.calls().filter(({ outcome }) => outcome === "unknown");
   */
  calls(): readonly RecordedCall<Operation, Result>[] {
    return callsOf(this.events);
  }

  /**
   * The history as plain data, which `JSON.stringify` takes and `History.from` reads.
   *
   * @throws QStreamError HISTORY_INVALID if JSON has no form for an operation or a result
   * @example
   * writeFileSync("history.json", JSON.stringify(history));
   */
  toJSON(): HistoryData<Operation, Result> {
    for (const event of this.#events) {
      if (event.kind === "invoke") checkJson(event.operation, `the operation of call ${event.call}`);
      if (event.kind === "ok" && event.result !== undefined)
        checkJson(event.result, `the result of call ${event.call}`);
    }
    return { events: structuredClone(this.events) };
  }

  /**
   * The history as text: a line for each event, a column for each client.
   *
   * @example
   * console.log(history.toString());
   */
  toString(): string {
    return eventLines(this.events).join("\n");
  }

  #end(event: HistoryEvent<Operation, Result>): void {
    if (this.#open.get(event.client) !== event.call) {
      throw new QStreamError("HISTORY_INVALID", `call ${event.call} of client "${event.client}" has ended already`, {
        advice: "A call ends once; an answer that comes after a timeout changes nothing any more",
      });
    }
    this.#record(event);
    this.#open.delete(event.client);
  }

  #record(event: HistoryEvent<Operation, Result>): void {
    historyTouched(true);
    if (this.#events.length >= this.#eventsMax) {
      throw new QStreamError("LIMIT_EXCEEDED", `a history has ${this.#eventsMax} events, which is its eventsMax`, {
        advice: "Record less, or give it a larger eventsMax",
      });
    }
    this.#events.push(this.#now === undefined ? event : { ...event, timeMs: this.#now() });
  }
}

/** A copy that stays as it is when the system goes on with what it gave. */
function copyOf<T>(value: T, what: string): T {
  if (typeof value !== "object" && typeof value !== "function") return value;
  try {
    return structuredClone(value);
  } catch (cause) {
    throw new QStreamError("HISTORY_INVALID", `the ${what} can't be copied`, { advice: "Record plain data", cause });
  }
}
