import type { Reference } from "../reference.ts";

/** What a row of a batch is. */
export const rowKind = {
  tell: 0,
  ask: 1,
  /** For whoever is the actor of a kind and key. */
  entityTell: 2,
  entityAsk: 3,
  /** For the node itself: what nodes say to each other. */
  nodeTell: 4,
  nodeAsk: 5,
  /** Of a question, by its number. */
  answer: 6,
  refusal: 7,
  /** Couldn't travel, and was refused where it was sent. */
  nothing: 8,
} as const;

export type RowKind = (typeof rowKind)[keyof typeof rowKind];

/** Rows that one batch holds at most. */
export const batchRowsMax = 8192;

const roomAtFirst = 64;

/** Messages on their way to another node, as columns: none of them is an object until it arrives. */
export class MessageRows {
  size = 0;
  kinds = new Uint8Array(roomAtFirst);
  /** Number of the actor that it is for; of an answer, that of its question. */
  ids = new Float64Array(roomAtFirst);
  /** Number of the question, for what is to be answered. */
  asks = new Float64Array(roomAtFirst);
  readonly names: string[] = [];
  readonly targets: (Reference | undefined)[] = [];
  readonly payloads: unknown[] = [];
  readonly senders: (Reference | undefined)[] = [];

  push(
    kind: RowKind,
    name: string,
    id: number,
    target: Reference | undefined,
    payload: unknown,
    sender: Reference | undefined,
    ask: number,
  ): void {
    const row = this.size++;
    if (row === this.kinds.length) this.#grow();
    this.kinds[row] = kind;
    this.ids[row] = id;
    this.asks[row] = ask;
    this.names[row] = name;
    this.targets[row] = target;
    this.payloads[row] = payload;
    this.senders[row] = sender;
  }

  /** Puts one row of another one behind its own. */
  copy(other: MessageRows, row: number): void {
    const kind = (other.kinds[row] ?? rowKind.nothing) as RowKind;
    const { names, ids, targets, payloads, senders, asks } = other;
    this.push(kind, names[row] ?? "", ids[row] ?? 0, targets[row], payloads[row], senders[row], asks[row] ?? 0);
  }

  /** Has nothing of a row travel but its place. */
  clear(row: number): void {
    this.kinds[row] = rowKind.nothing;
    this.names[row] = "";
    this.payloads[row] = undefined;
  }

  /** Takes rows from the front away. */
  drop(rows: number): void {
    const left = this.size - rows;
    if (left > 0) {
      for (const column of [this.kinds, this.ids, this.asks]) column.copyWithin(0, rows, this.size);
      for (const column of [this.names, this.targets, this.payloads, this.senders])
        column.copyWithin(0, rows, this.size);
    }
    // What has gone isn't kept alive; the room is used again.
    this.targets.fill(undefined, left, this.size);
    this.payloads.fill(undefined, left, this.size);
    this.senders.fill(undefined, left, this.size);
    this.size = left;
  }

  #grow(): void {
    const room = this.kinds.length * 2;
    const [kinds, ids, asks] = [new Uint8Array(room), new Float64Array(room), new Float64Array(room)];
    kinds.set(this.kinds);
    ids.set(this.ids);
    asks.set(this.asks);
    Object.assign(this, { kinds, ids, asks });
  }
}

/** True for rows that are answered by number. */
export function isQuestion(kind: number | undefined): boolean {
  return kind === rowKind.ask || kind === rowKind.entityAsk || kind === rowKind.nodeAsk;
}
