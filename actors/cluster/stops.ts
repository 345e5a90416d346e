import { errorToData, QStreamError } from "../../lib/core/errors.ts";
import type { SlotHandle } from "../scheduler/execution-request.ts";
import type { Report } from "../slot/protocol.ts";

/** Which slots still have to stop what they did for a driver that is gone. */
interface Stopping {
  readonly slots: Set<string>;
  readonly stopped: Promise<void>;
  readonly done: () => void;
}

/** Executions of a machine whose driver is gone: slots stop what they do for them, since somebody else may go on with them. */
export class Stops {
  readonly #stopping = new Map<string, Stopping>();

  /** What sinks have prepared stays: it belongs to whoever goes on with the execution. */
  stop(execution: string, slots: readonly SlotHandle[], why: string): void {
    const taken = new QStreamError("EXECUTION_TAKEN", `the driver of the execution is gone: ${why}`);
    let done = (): void => {};
    const stopped = new Promise<void>((resolve) => (done = resolve));
    this.#stopping.set(execution, { slots: new Set(slots.map(({ id }) => id)), stopped, done });
    for (const slot of slots) slot.order({ kind: "stop", execution, reason: errorToData(taken) });
    if (slots.length === 0) this.#stopping.delete(execution);
  }

  /** Fulfilled when all slots have stopped; undefined where none has to. */
  stopped(execution: string): Promise<void> | undefined {
    return this.#stopping.get(execution)?.stopped;
  }

  /** True for a report of something that is to stop: nobody is told. */
  takes({ kind, execution, slot }: Report & { readonly slot?: string }): boolean {
    if (slot === undefined || this.#stopping.get(execution)?.slots.has(slot) !== true) return false;
    if (kind === "stopped") this.#slotStopped(execution, slot);
    return true;
  }

  slotLost(slot: string): void {
    for (const execution of this.#stopping.keys()) this.#slotStopped(execution, slot);
  }

  #slotStopped(execution: string, slot: string): void {
    const stopping = this.#stopping.get(execution);
    if (stopping === undefined) return;
    stopping.slots.delete(slot);
    if (stopping.slots.size > 0) return;
    this.#stopping.delete(execution);
    stopping.done();
  }
}
