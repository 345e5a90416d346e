import type { Order } from "../../../actors/slot/protocol.ts";
import { executionMark } from "../../../actors/slot/turn-notes.ts";
import type { PlannedStep } from "../../core/plan.ts";
import { QStreamError } from "../../core/errors.ts";
import type { Clock } from "../../core/seam/clock.ts";

interface KnownChannel {
  readonly step: string;
  readonly channel: number;
  life: number;
  /** Virtual milliseconds for which it has waited, without those since `since`. */
  waitedMs: number;
  since: number | undefined;
}

// Channels that are named where many wait.
const namedMax = 3;
const advice =
  "Virtual time passes while nothing is left to do in the simulated world, and doesn't wait for timers, files and sockets of the real one (setTimeout, node:fs, fetch). Read files by ctx.files, and wait in an operator by ctx.timers; let a reader's pace or source be an argument of the flow, and simulate it without the pace, on files or rows";

/** How long user code of each channel waits for promises, to say of a run that doesn't end what it waits for. */
export class WaitingCode {
  readonly #clock: Clock;
  readonly #channels = new Map<string, KnownChannel>();
  /** By execution and life. */
  readonly #lives = new Map<string, KnownChannel>();
  readonly #steps = new Map<number, readonly PlannedStep[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Learns which channels there are, and by which life each goes on. */
  ordered(order: Order): void {
    if (order.kind !== "prepare" && order.kind !== "recover") return;
    const execution = executionMark(order.execution);
    if (order.kind === "prepare") this.#steps.set(execution, order.plan.steps);
    for (const { step, channel, life, consumers } of order.channels) {
      // A life that only makes outputs again isn't the one that its channel is judged by.
      if (consumers !== undefined) continue;
      const key = `${execution} ${step}.${channel}`;
      const id = this.#steps.get(execution)?.[step]?.id ?? "";
      const known = this.#channels.get(key) ?? { step: id, channel, life, waitedMs: 0, since: undefined };
      known.life = life;
      known.since = undefined;
      this.#channels.set(key, known);
      this.#lives.set(`${execution} ${life}`, known);
    }
  }

  /** The channel of a life; undefined for one that isn't its newest, or only makes outputs again. */
  channelOf(execution: number, life: number): { readonly step: string; readonly channel: number } | undefined {
    const known = this.#lives.get(`${execution} ${life}`);
    return known?.life === life ? known : undefined;
  }

  /** @param execution - the mark that notes of turns have of it */
  began(execution: number, life: number): void {
    const known = this.#lives.get(`${execution} ${life}`);
    if (known?.life === life) known.since ??= this.#clock.monotonic();
  }

  ended(execution: number, life: number): void {
    const known = this.#lives.get(`${execution} ${life}`);
    if (known?.life !== life || known.since === undefined) return;
    known.waitedMs = this.#waited(known);
    known.since = undefined;
  }

  /** The error of a run that doesn't end: it names the channels whose user code has waited for most of the time. */
  explain(what: string): Error {
    const half = this.#clock.monotonic() / 2;
    const waiting = [...this.#channels.values()]
      .filter((known) => known.since !== undefined && this.#waited(known) >= half)
      .toSorted((one, other) => this.#waited(other) - this.#waited(one));
    const [first] = waiting;
    if (first === undefined) return new Error(what);
    const named = waiting.slice(0, namedMax).map((known) => {
      return `channel ${known.channel} of "${known.step}" ${Math.round(this.#waited(known))} ms of it`;
    });
    const more = waiting.length > namedMax ? `, and ${waiting.length - namedMax} more` : "";
    return new QStreamError("UNSUPPORTED", `${what}; user code waited for promises: ${named.join(", ")}${more}`, {
      step: first.step,
      advice,
    });
  }

  #waited({ waitedMs, since }: KnownChannel): number {
    return waitedMs + (since === undefined ? 0 : this.#clock.monotonic() - since);
  }
}
