import type { Payload } from "../../../lib/core/payload.ts";
import { cellFlag, type Cell } from "../cell.ts";
import { encodeBatch } from "./encode-batch.ts";
import { batchRowsMax, MessageRows } from "./message-rows.ts";

/** Messages and bytes that may be on their way from one node to another. */
export const creditRows = 32_768;
export const creditBytes = 8 << 20;
/** Bytes that a batch should have about, at most. */
const batchBytes = 1 << 20;
/** Messages that wait at most for credit. */
export const waitingMax = 200_000;

/** What becomes of rows that don't get to where they should. */
export interface RowEvents {
  /** How many actors live here. */
  readonly actors: () => number;
  readonly refused: (rows: MessageRows, row: number, error: unknown) => void;
  readonly lost: (rows: MessageRows, row: number) => void;
  /** A question to an entity waits for the next life of its home. */
  readonly kept: (ask: number, channel: number) => void;
}

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
  /** Actors there whose mailbox is full, and what is done with what would come. */
  readonly full = new Map<number, "wait" | "fail">();
  /** False until the other node is known to be there. */
  isOpen: boolean;
  /** Its messages are being encoded: what that adds goes behind them. */
  isSending = false;
  #rows = creditRows;
  #bytes = creditBytes;
  #rowBytes = 64;
  #seq = 0;

  constructor(life: number, isOpen: boolean) {
    this.life = life;
    this.isOpen = isOpen;
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
      const payload = takeEncoded(this.control, batchRowsMax, events);
      yield { seq: this.#seq++, payload, isBulk: false };
    }
    while (this.bulk.size > 0 && this.hasCredit) {
      const most = Math.max(1, Math.min(batchRowsMax, this.#rows, Math.ceil(batchBytes / this.#rowBytes)));
      const payload = takeEncoded(this.bulk, most, events);
      this.#rows -= payload.rows;
      this.#bytes -= payload.bytes.byteLength;
      this.#rowBytes = Math.max(16, payload.bytes.byteLength / payload.rows);
      yield { seq: this.#seq++, payload, isBulk: true };
    }
  }

  /** Holds an actor after its turn until there is credit. */
  hold(cell: Cell): void {
    this.held.add(cell);
    cell.flags |= cellFlag.held;
  }
}

/** Takes messages from the front and encodes them, but for those that can't travel. */
export function takeEncoded(rows: MessageRows, most: number, events: RowEvents): Payload {
  const count = Math.min(most, rows.size);
  const payload = encodeBatch(rows, events.actors(), (row, error) => events.refused(rows, row, error), count);
  rows.drop(count);
  return payload;
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
