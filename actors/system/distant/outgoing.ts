import type { Payload } from "../../../lib/core/payload.ts";
import { cellFlag, type Cell } from "../cell.ts";
import { MessageRows } from "./message-rows.ts";
import { batchBytesDefault, rowsToEncode, takeEncoded, type BatchBytes, type RowEvents } from "./take-batch.ts";

/** Messages and bytes that may be on their way from one node to another. */
export const creditRows = 32_768;
export const creditBytes = 8 << 20;

/** What may be on its way from one node to another. */
export interface Credit {
  readonly rows: number;
  readonly bytes: number;
}

export const creditDefault: Credit = { rows: creditRows, bytes: creditBytes };

/** Messages that wait at most for credit. */
export const waitingMax = 200_000;

interface Batch {
  readonly seq: number;
  readonly payload: Payload;
  /** It counts against credit. */
  readonly isBulk: boolean;
}

/** What goes from one node to another, and whom it holds back. */
export class Outgoing {
  readonly life: number;
  /** What nodes say to each other and what questions are answered with doesn't wait for credit. */
  readonly control = new MessageRows();
  readonly bulk = new MessageRows();
  /** Actors that take no message until there is credit. */
  readonly held = new Set<Cell>();
  /** False until the other node is known to be there. */
  isOpen: boolean;
  /** Its messages are being encoded: what that adds goes behind them. */
  isSending = false;
  #rows: number;
  #bytes: number;
  readonly #batchBytes: BatchBytes;
  /** What a message of the last batch had, in the mean. */
  #rowBytes = 0;
  /** Messages that the next batch has at most: few behind one that had too many bytes, and then ever more. */
  #mostRows = Infinity;
  #seq = 0;

  constructor(life: number, isOpen: boolean, batchBytes = batchBytesDefault, { rows, bytes } = creditDefault) {
    this.life = life;
    this.isOpen = isOpen;
    this.#batchBytes = batchBytes;
    this.#rows = rows;
    this.#bytes = bytes;
  }

  get hasCredit(): boolean {
    return this.isOpen && this.#rows > 0 && this.#bytes > 0;
  }

  /** True if so much waits that whoever adds to it is to wait. */
  get isBehind(): boolean {
    return !this.isOpen || this.bulk.size > this.#rows || this.#bytes <= 0;
  }

  granted(rows: number, bytes: number): void {
    this.#rows += rows;
    this.#bytes += bytes;
  }

  /** Takes what may go now. */
  *batches(events: RowEvents): Generator<Batch> {
    while (this.isOpen && this.control.size > 0) {
      yield { seq: this.#seq++, payload: this.#take(this.control, events, Infinity, 0), isBulk: false };
    }
    while (this.bulk.size > 0 && this.hasCredit) {
      const payload = this.#take(this.bulk, events, this.#rows, this.#rowBytes);
      this.#rows -= payload.rows;
      this.#bytes -= payload.bytes.byteLength;
      this.#rowBytes = payload.bytes.byteLength / payload.rows;
      yield { seq: this.#seq++, payload, isBulk: true };
    }
  }

  #take(rows: MessageRows, events: RowEvents, most: number, rowBytes: number): Payload {
    const count = rowsToEncode(rows, Math.min(most, rows.size, this.#mostRows), rowBytes, this.#batchBytes);
    const payload = takeEncoded(rows, count, events, this.#batchBytes);
    // A message that is large among small ones would be encoded with each batch before its own.
    this.#mostRows = 2 * (payload.rows < count ? payload.rows : this.#mostRows);
    return payload;
  }

  /** Holds an actor after its turn until there is credit. */
  hold(cell: Cell): void {
    this.held.add(cell);
    cell.flags |= cellFlag.held;
  }
}

/** Actors that were held go on, but for those that another actor's mailbox holds. */
export function release(held: Set<Cell>): void {
  if (held.size === 0) return;
  const cells = [...held];
  held.clear();
  for (const cell of cells) {
    if ((cell.flags & cellFlag.held) === 0 || cell.extras?.waitsFor !== undefined) continue;
    cell.flags &= ~cellFlag.held;
    cell.node.wake(cell);
  }
}
