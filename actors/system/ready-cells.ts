import type { Cell } from "./cell.ts";
import type { ReadyCells } from "./node-parts.ts";

/** First come, first served: a list that is linked through the cells. */
export class ReadyQueue implements ReadyCells {
  #first: Cell | undefined;
  #last: Cell | undefined;

  get isEmpty(): boolean {
    return this.#first === undefined;
  }

  push(cell: Cell): void {
    if (this.#last === undefined) this.#first = cell;
    else this.#last.nextReady = cell;
    this.#last = cell;
  }

  take(): Cell | undefined {
    const cell = this.#first;
    if (cell === undefined) return undefined;
    this.#first = cell.nextReady;
    if (this.#first === undefined) this.#last = undefined;
    cell.nextReady = undefined;
    return cell;
  }
}
