import type { Order, Report } from "../../../actors/slot/protocol.ts";
import { pointerIn } from "../../../actors/stores/blob-pointer.ts";
import type { LinkMessage } from "../../core/contracts/transport.ts";
import { startedName } from "../../flow/rescaled-name.ts";
import type { FaultyStoreOptions } from "./faulty-store.ts";
import { Invariants, type Surroundings } from "./invariants.ts";
import type { MemoryFiles } from "./memory-files.ts";

/** What of a world with executions can't be seen in what passes between its parts. */
export interface ExecutionSurroundings extends Pick<Surroundings, "storeOnly" | "drives"> {
  /** How many executions share the slots. */
  readonly atOnce: number;
  /** Where what the store has pointers to is. */
  readonly files: MemoryFiles;
}

/**
 * The invariants of each execution of a simulated world. One that got other channels goes on from what was dealt out of the logs
 * of another one: of its own, the history isn't known.
 */
export class InvariantsByExecution {
  readonly #violated: (what: string) => void;
  readonly #surroundings: Surroundings;
  readonly #executions = new Map<string, Invariants>();
  /** What a store is to be given. */
  readonly ofStore: Pick<FaultyStoreOptions, "observerOf" | "onForgotten"> = {
    observerOf: (execution) => this.#of(execution),
    onForgotten: () => this.#each((invariants) => invariants.forgotten()),
  };

  constructor(violated: (what: string) => void, { atOnce, files, drives, ...rest }: ExecutionSurroundings) {
    this.#violated = violated;
    this.#surroundings = {
      ...rest,
      // What is on a drive that several share isn't known to be of one of them.
      ...(atOnce > 1 || drives === undefined ? {} : { drives }),
      wholeOf: (kept) => {
        const pointer = pointerIn(kept);
        return pointer === undefined ? kept : files.look(`${pointer.place}/${pointer.name}`);
      },
    };
  }

  ordered(order: Order, slot: string): void {
    const invariants = this.#of(order.execution);
    if (invariants === undefined) return;
    // What is to go on with other channels is written anew then: nobody has to free anything more of it.
    if (order.kind === "prepare" && order.drain !== undefined) invariants.asked("to pause");
    invariants.ordered(order, slot);
  }

  reported(report: Report): void {
    this.#of(report.execution)?.reported(report);
  }

  sent(message: LinkMessage): void {
    this.#of(message.execution)?.sent(message);
  }

  /** Everything was killed or has stopped, and somebody goes on with what isn't done, in the same process or another one. */
  restarted(stays: boolean): void {
    this.#each((invariants) => invariants.restarted(stays));
  }

  /** An execution goes on under another name, with other channels. */
  left(execution: string): void {
    this.#executions.delete(execution);
  }

  /** All executions are done. */
  ended(): void {
    this.#each((invariants) => invariants.ended());
  }

  #each(look: (invariants: Invariants) => void): void {
    for (const invariants of this.#executions.values()) look(invariants);
  }

  #of(execution: string): Invariants | undefined {
    if (startedName(execution) !== execution) return undefined;
    let invariants = this.#executions.get(execution);
    if (invariants === undefined) {
      invariants = new Invariants(this.#violated, this.#surroundings);
      this.#executions.set(execution, invariants);
    }
    return invariants;
  }
}
