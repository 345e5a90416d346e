import { cellFlag, type Cell } from "./cell.ts";
import type { ReadyCells } from "./node-parts.ts";

/** New actors that start in a row before those that wait have a round. */
const startsInRow = 512;

/**
 * First come, first served; but new actors start right after the turn that made them, in their order. Most of a tree of actors has then
 * done its work and ended before the rest of it is made, and little of it is in memory at any time.
 */
export class ReadyQueue implements ReadyCells {
  readonly #queue = new CellList();
  readonly #starts = new CellList();
  /** The last one that the present turn made. */
  #newest: Cell | undefined = undefined;
  #startsLeft = startsInRow;
  /** How many of the queue have turns before new actors start again. */
  #roundLeft = 0;

  get isEmpty(): boolean {
    return this.#queue.first === undefined && this.#starts.first === undefined;
  }

  push(cell: Cell): void {
    if ((cell.flags & cellFlag.starting) === 0) this.#queue.append(cell);
    else {
      this.#starts.insertAfter(this.#newest, cell);
      this.#newest = cell;
    }
  }

  take(): Cell | undefined {
    this.#newest = undefined;
    if (this.#roundLeft === 0 && this.#starts.first !== undefined) {
      if (this.#startsLeft-- > 0) return this.#starts.take();
      this.#startsLeft = startsInRow;
      this.#roundLeft = this.#queue.length;
      // Who makes actors that make actors without end doesn't keep others from starting.
      const next = this.#starts.take();
      if (next !== undefined) this.#starts.append(next);
    }
    if (this.#roundLeft > 0) this.#roundLeft--;
    return this.#queue.take() ?? this.#starts.take();
  }
}

/** A list that is linked through the cells. */
class CellList {
  first: Cell | undefined = undefined;
  last: Cell | undefined = undefined;
  length = 0;

  append(cell: Cell): void {
    this.insertAfter(this.last, cell);
  }

  /** Without another one: before all. */
  insertAfter(other: Cell | undefined, cell: Cell): void {
    this.length++;
    if (other === undefined) {
      cell.nextReady = this.first;
      this.first = cell;
    } else {
      cell.nextReady = other.nextReady;
      other.nextReady = cell;
    }
    if (this.last === other) this.last = cell;
  }

  take(): Cell | undefined {
    const cell = this.first;
    if (cell === undefined) return undefined;
    this.length--;
    this.first = cell.nextReady;
    if (this.first === undefined) this.last = undefined;
    cell.nextReady = undefined;
    return cell;
  }
}
