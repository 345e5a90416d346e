import type { DefinedActor } from "../../../lib/core/actor-definition.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import type { ActorNode } from "../node.ts";
import { TimerEnvelope } from "./durable-envelopes.ts";
import type { DurableCell } from "./durable-cell.ts";
import { Act } from "./effects.ts";
import type { Transition } from "./transition.ts";

const longestDelayMs = 2 ** 31 - 1;

interface TimerRequest {
  readonly delayMs: number;
  readonly name: string;
  readonly repeats: boolean;
}

/** Timers of durable actors: which are pending is kept, and those that were due during a loss go off after it. */
export class KeptTimers {
  readonly #node: ActorNode;
  /** Of actors without a cell, by their names: what ends the wait until their first timer is due. */
  readonly #alarms = new Map<string, () => void>();

  constructor(node: ActorNode) {
    this.#node = node;
  }

  check(cell: DurableCell, { delayMs, name, repeats }: TimerRequest): void {
    if (!hasHandler(cell.source, name)) {
      throw new QStreamError("ACTOR_INVALID", `${cell.label} sets a timer for "${name}", for which it has no handler`, {
        advice: `Its handlers are: ${Object.keys(cell.source.receive).join(", ")}`,
      });
    }
    if (Number.isFinite(delayMs) && delayMs >= (repeats ? 1 : 0) && delayMs <= longestDelayMs) return;
    throw new QStreamError("OPTION_INVALID", `a timer of ${cell.label} has ${delayMs} ms`, {
      advice: `Give it milliseconds from ${repeats ? 1 : 0} on, less than 24 days`,
    });
  }

  /** Has a timer go off when it is due, unless it was cancelled meanwhile. */
  start(cell: DurableCell, id: number): void {
    const timer = cell.kept.timers.get(id);
    if (timer === undefined) return;
    const { name, payload, dueAt } = timer;
    const running = (cell.more().timers ??= new Map<number, () => void>());
    const goOff = (): void => {
      running.delete(id);
      this.#node.offer(cell, new TimerEnvelope(id, name, payload, cell.self), undefined);
    };
    const delayMs = Math.min(longestDelayMs, Math.max(0, dueAt - this.#node.clock.now()));
    running.set(id, this.#node.clock.after(delayMs, goOff));
  }

  startAll(cell: DurableCell): void {
    this.#alarms.get(cell.keptName)?.();
    this.#alarms.delete(cell.keptName);
    for (const id of cell.kept.timers.keys()) this.start(cell, id);
  }

  cancel(cell: DurableCell, id: number): void {
    const running = cell.extras?.timers;
    running?.get(id)?.();
    running?.delete(id);
  }

  /** A timer has gone off: one that repeats itself is due again. */
  consumed(cell: DurableCell, id: number, transition: Transition): void {
    const { timers } = cell.kept;
    const timer = timers.get(id);
    if (timer === undefined) return;
    if (timer.periodMs === undefined) {
      timers.delete(id);
      return;
    }
    transition.now ??= this.#node.clock.now();
    timers.set(id, { ...timer, dueAt: transition.now + timer.periodMs });
    transition.add(new Act(() => this.start(cell, id)));
  }

  /** An actor ends here whose timers stay: it comes back for the first of them. */
  leave(cell: DurableCell, comeBack: () => void): void {
    let first = Infinity;
    for (const { dueAt } of cell.kept.timers.values()) first = Math.min(first, dueAt);
    if (first === Infinity) return;
    const delayMs = Math.min(longestDelayMs, Math.max(0, first - this.#node.clock.now()));
    this.#alarms.get(cell.keptName)?.();
    this.#alarms.set(cell.keptName, this.#node.clock.after(delayMs, comeBack));
  }

  close(): void {
    for (const cancel of this.#alarms.values()) cancel();
    this.#alarms.clear();
  }
}

export function hasHandler({ receive, modes }: DefinedActor, name: string): boolean {
  if (receive[name] !== undefined) return true;
  for (const table of modes.values()) if (table[name] !== undefined) return true;
  return false;
}
