import type { Cell } from "../../../actors/system/cell.ts";
import type { ReadyCells } from "../../../actors/system/node-parts.ts";
import type { Random } from "../../core/seam/random.ts";

/** Who has something to do, on all machines: whoever is drawn is next. */
export class DrawnReady implements ReadyCells {
  readonly #cells: Cell[] = [];
  readonly #random: Random | undefined;

  /** @param random - undefined for first come, first served */
  constructor(random: Random | undefined) {
    this.#random = random;
  }

  get isEmpty(): boolean {
    return this.#cells.length === 0;
  }

  push(cell: Cell): void {
    this.#cells.push(cell);
  }

  take(): Cell | undefined {
    const cells = this.#cells;
    if (cells.length < 2) return cells.pop();
    if (this.#random === undefined) return cells.shift();
    const index = Math.floor(this.#random() * cells.length);
    const cell = cells[index];
    const last = cells.pop() as Cell;
    if (index < cells.length) cells[index] = last;
    return cell;
  }
}
