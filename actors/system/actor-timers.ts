import type { ActorTimer } from "../../lib/core/contracts/actor.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import type { Clock } from "../../lib/core/seam/clock.ts";
import type { Cell } from "./cell.ts";
import { Envelope, type ReplyTo } from "./envelope.ts";
import type { Observer } from "./node-parts.ts";

export interface TimerRequest {
  readonly delayMs: number;
  readonly name: string;
  readonly payload: unknown;
  readonly repeats: boolean;
}

const timersMax = 100_000;

/** Timers of the actors of one slot: what goes off is a message to the actor from itself. */
export class ActorTimers {
  readonly #clock: Clock;
  readonly #deliver: (cell: Cell, envelope: Envelope) => void;
  readonly #observer: Observer | undefined;
  #count = 0;

  constructor(clock: Clock, deliver: (cell: Cell, envelope: Envelope) => void, observer?: Observer) {
    this.#clock = clock;
    this.#deliver = deliver;
    this.#observer = observer;
  }

  set(cell: Cell, request: TimerRequest): ActorTimer {
    check(cell, request);
    const timers = (cell.more().timers ??= new Map());
    if (timers.size >= timersMax) {
      throw new QStreamError("LIMIT_EXCEEDED", `${cell.label} has ${timersMax} timers pending`, {
        advice: "Cancel those that aren't needed, or keep what is due in the state and one timer for the next",
      });
    }
    const id = ++this.#count;
    const tick = new Tick(request.repeats ? undefined : () => void timers.delete(id));
    let cancelDelay: () => void;
    const start = (): void => {
      this.#observer?.timer?.(cell, id, request);
      cancelDelay = this.#clock.after(request.delayMs, goOff);
    };
    const goOff = (): void => {
      if (request.repeats) start();
      if (tick.isWaiting) return;
      tick.isWaiting = true;
      this.#deliver(cell, new Envelope(request.name, request.payload, cell.self, tick));
    };
    start();
    timers.set(id, () => {
      cancelDelay();
      tick.isOver = true;
    });
    return id;
  }

  cancel(cell: Cell, timer: ActorTimer): boolean {
    const timers = cell.extras?.timers;
    const cancel = timers?.get(timer);
    if (timers === undefined || cancel === undefined) return false;
    cancel();
    timers.delete(timer);
    return true;
  }

  cancelAll(cell: Cell): void {
    const timers = cell.extras?.timers;
    if (timers === undefined) return;
    for (const cancel of timers.values()) cancel();
    timers.clear();
  }
}

/**
 * What becomes of a timer's messages. One that is cancelled meanwhile isn't handled, and a timer that repeats itself sends none while
 * the last one waits: an actor that is late isn't buried under its own ticks.
 */
class Tick implements ReplyTo {
  isOver = false;
  isWaiting = false;
  readonly #handled: (() => void) | undefined;

  constructor(handled: (() => void) | undefined) {
    this.#handled = handled;
  }

  answer(): void {
    this.isWaiting = false;
    this.#handled?.();
  }

  refuse(): void {
    this.answer();
  }

  deferred(): void {
    this.answer();
  }
}

function check(cell: Cell, { delayMs, name, repeats }: TimerRequest): void {
  if (cell.definition.receive[name] === undefined && cell.table[name] === undefined) {
    throw new QStreamError("ACTOR_INVALID", `${cell.label} sets a timer for "${name}", for which it has no handler`, {
      advice: `Its handlers are: ${Object.keys(cell.definition.receive).join(", ")}`,
    });
  }
  if (Number.isFinite(delayMs) && delayMs >= (repeats ? 1 : 0) && delayMs < 2 ** 31) return;
  throw new QStreamError(
    "OPTION_INVALID",
    `a timer of ${cell.label} has ${typeof delayMs === "number" ? delayMs : JSON.stringify(delayMs)} ms`,
    {
      advice: repeats
        ? "Give it a period from 1 ms on, less than 24 days"
        : "Give it milliseconds from 0 on, less than 24 days",
    },
  );
}
