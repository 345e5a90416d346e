import type { CommitAnswer } from "../../../lib/core/contracts/lineage-store.ts";
import type { JournalSnapshot } from "../../../lib/core/contracts/actor-journal.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import { cellFlag } from "../cell.ts";
import type { DurableCell } from "./durable-cell.ts";
import { errorOf, type Effect } from "./effects.ts";
import type { PendingEntry } from "./journal-writer.ts";
import { fenced } from "./refusals.ts";

/** What the next step of the store writes for a durable actor, and what leaves then. */
export class CellEntry implements PendingEntry {
  readonly actor: string;
  readonly generation: number;
  readonly firstSeq: number;
  readonly records: Uint8Array[] = [];
  snapshot: JournalSnapshot | undefined = undefined;
  isAwake: boolean | undefined = undefined;
  readonly #cell: DurableCell;
  readonly #effects: Effect[] = [];

  constructor(cell: DurableCell, firstSeq: number) {
    this.actor = cell.keptName;
    this.generation = cell.generation;
    this.firstSeq = firstSeq;
    this.#cell = cell;
    cell.unwritten++;
  }

  /** Takes a transition, and what it does to others. */
  add(record: Uint8Array): void {
    this.records.push(record);
    this.#cell.pending++;
  }

  hold(effect: Effect): void {
    this.#effects.push(effect);
  }

  taken(): void {
    if (this.#cell.entry === this) this.#cell.entry = undefined;
  }

  written(answer: CommitAnswer | QStreamError): void {
    const cell = this.#cell;
    cell.pending -= this.records.length;
    cell.unwritten--;
    if (answer === "committed" && !cell.isLost) {
      for (const effect of this.#effects) this.#leave(effect);
      if ((cell.flags & cellFlag.ahead) !== 0) {
        cell.flags &= ~cellFlag.ahead;
        cell.node.wake(cell);
      }
    } else {
      const error = answer instanceof QStreamError ? answer : fenced(cell.label);
      for (const effect of this.#effects) effect.refuse(error);
      cell.keeper.lose(cell, error);
    }
    if (cell.unwritten === 0) for (const told of cell.settled.splice(0)) told();
  }

  /** What others can't take is told of: the transition is done, and so is what leaves after this. */
  #leave(effect: Effect): void {
    const cell = this.#cell;
    try {
      effect.leave(cell);
    } catch (thrown) {
      const error = errorOf(thrown);
      cell.node.event({ kind: "actor-failed", actor: cell.label, message: undefined, error, action: "resume" });
    }
  }
}
