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
export const batchRowsMax = 4096;

/** Messages on their way to another node, as columns: none of them is an object until it arrives. */
export class MessageRows {
  kinds: RowKind[] = [];
  names: string[] = [];
  /** Number of the actor that it is for; of an answer, that of its question. */
  ids: number[] = [];
  targets: (Reference | undefined)[] = [];
  payloads: unknown[] = [];
  senders: (Reference | undefined)[] = [];
  /** Number of the question, for what is to be answered. */
  asks: number[] = [];

  get size(): number {
    return this.kinds.length;
  }

  push(
    kind: RowKind,
    name: string,
    id: number,
    target: Reference | undefined,
    payload: unknown,
    sender: Reference | undefined,
    ask: number,
  ): void {
    this.kinds.push(kind);
    this.names.push(name);
    this.ids.push(id);
    this.targets.push(target);
    this.payloads.push(payload);
    this.senders.push(sender);
    this.asks.push(ask);
  }

  /** Takes rows from the front, as many as there are or the given number. */
  take(most: number): MessageRows {
    const taken = new MessageRows();
    if (this.size <= most) {
      this.#swap(taken);
      return taken;
    }
    taken.kinds = this.kinds.splice(0, most);
    taken.names = this.names.splice(0, most);
    taken.ids = this.ids.splice(0, most);
    taken.targets = this.targets.splice(0, most);
    taken.payloads = this.payloads.splice(0, most);
    taken.senders = this.senders.splice(0, most);
    taken.asks = this.asks.splice(0, most);
    return taken;
  }

  /** Puts all rows of another one behind its own. */
  append(other: MessageRows): void {
    for (let row = 0; row < other.size; row++) this.copy(other, row);
  }

  /** Puts one row of another one behind its own. */
  copy(other: MessageRows, row: number): void {
    const { kinds, names, ids, targets, payloads, senders, asks } = other;
    const kind = kinds[row] ?? rowKind.nothing;
    this.push(kind, names[row] ?? "", ids[row] ?? 0, targets[row], payloads[row], senders[row], asks[row] ?? 0);
  }

  #swap(other: MessageRows): void {
    [this.kinds, other.kinds] = [other.kinds, this.kinds];
    [this.names, other.names] = [other.names, this.names];
    [this.ids, other.ids] = [other.ids, this.ids];
    [this.targets, other.targets] = [other.targets, this.targets];
    [this.payloads, other.payloads] = [other.payloads, this.payloads];
    [this.senders, other.senders] = [other.senders, this.senders];
    [this.asks, other.asks] = [other.asks, this.asks];
  }
}

/** True for rows that are answered by number. */
export function isQuestion(kind: RowKind | undefined): boolean {
  return kind === rowKind.ask || kind === rowKind.entityAsk || kind === rowKind.nodeAsk;
}
