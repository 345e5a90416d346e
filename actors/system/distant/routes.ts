import { QStreamError } from "../../../lib/core/errors.ts";
import { cellFlag, type Cell } from "../cell.ts";
import type { DistantParts } from "./distant-node.ts";
import { batchRowsMax, isQuestion, MessageRows, rowKind, type RowKind } from "./message-rows.ts";
import { creditDefault, Outgoing, release, waitingMax, type Credit } from "./outgoing.ts";
import { batchBytesDefault, type RowEvents } from "./take-batch.ts";

interface Taken {
  rows: number;
  bytes: number;
}

/** What waits for a host that is lost, until another life takes over. */
interface Homeless {
  readonly rows: MessageRows;
  readonly held: Set<Cell>;
}

/** The ways from one node to all others: what is gathered for each, and when it goes. */
export class Routes {
  readonly #parts: DistantParts;
  readonly #events: RowEvents;
  readonly #credit: Credit;
  readonly #ways = new Map<number, Outgoing>();
  readonly #dirty = new Set<Outgoing>();
  readonly #lost = new Set<number>();
  readonly #opened = new Set<number>();
  readonly #homeless = new Map<number, Homeless>();
  readonly #taken = new Map<number, Taken>();
  #isGathering = false;
  #isFlushAwaited = false;
  #isClosed = false;
  /** To which node a batch is encoded now. */
  sending = 0;

  constructor(parts: DistantParts, events: RowEvents) {
    this.#parts = parts;
    this.#events = events;
    this.#credit = parts.credit ?? creditDefault;
    const living = new Set(parts.hosts.all.map(({ life }) => life)).add(parts.clientLife);
    if (parts.isFirst) for (const life of living) this.#opened.add(life ?? parts.clientLife);
    // Lives are numbered one after the other: those before it that are no more are lost, and nobody tells it so again.
    else for (let life = 0; life < parts.life; life++) if (!living.has(life)) this.#lost.add(life);
  }

  isLost(life: number): boolean {
    return this.#lost.has(life);
  }

  canReach(life: number): boolean {
    return life >= 0 && life !== this.#parts.life && !this.#lost.has(life) && !this.#isClosed;
  }

  /** Gathers what is sent while something runs, and sends it then. */
  gathering<T>(work: () => T): T {
    this.#isGathering = true;
    try {
      return work();
    } finally {
      this.#isGathering = false;
      this.flush();
    }
  }

  /**
   * The way for messages of actors to a node; undefined where it can't be reached. Who puts something on it says so by `touch`.
   *
   * @param from - is held after its turn where too much waits already
   * @throws QStreamError MAILBOX_FULL
   */
  way(life: number, from: Cell | undefined): Outgoing | undefined {
    let way = this.#ways.get(life);
    if (way === undefined) {
      if (!this.canReach(life)) return undefined;
      way = this.#wayTo(life);
    }
    const { size } = way.bulk;
    if (size >= waitingMax) throw tooMuchWaits(size);
    if (from !== undefined && way.isBehind) way.hold(from);
    return way;
  }

  /**
   * Where to put messages of actors for a host that has no life now.
   *
   * @throws QStreamError MAILBOX_FULL
   */
  homeless(channel: number, from: Cell | undefined): MessageRows {
    const waiting = this.#homelessOf(channel);
    if (waiting.rows.size >= waitingMax) throw tooMuchWaits(waiting.rows.size);
    if (from !== undefined) {
      waiting.held.add(from);
      from.flags |= cellFlag.held;
    }
    return waiting.rows;
  }

  /** Something that isn't behind what actors send. */
  control(life: number, kind: RowKind, name: string, id: number, payload: unknown): void {
    if (!this.canReach(life)) return;
    const way = this.#wayTo(life);
    way.control.push(kind, name, id, undefined, payload, undefined, 0);
    this.touch(way);
  }

  /** What nodes say to each other: it isn't refused, whatever waits. */
  node(life: number, name: string, payload: unknown, isOrdered: boolean): void {
    if (!this.canReach(life)) return;
    const way = this.#wayTo(life);
    const lane = isOrdered ? way.bulk : way.control;
    lane.push(rowKind.nodeTell, name, 0, undefined, payload, undefined, 0);
    this.touch(way);
  }

  askNode(life: number, name: string, payload: unknown, ask: number): void {
    const way = this.#wayTo(life);
    way.bulk.push(rowKind.nodeAsk, name, 0, undefined, payload, undefined, ask);
    this.touch(way);
  }

  /** The same to a host that has no life now. A question has a number. */
  homelessNode(channel: number, name: string, payload: unknown, ask = 0): void {
    const kind = ask === 0 ? rowKind.nodeTell : rowKind.nodeAsk;
    this.#homelessOf(channel).rows.push(kind, name, 0, undefined, payload, undefined, ask);
  }

  /** True where so much waits for a node that no more should. */
  isFull(life: number): boolean {
    return (this.#ways.get(life)?.bulk.size ?? 0) >= waitingMax;
  }

  isHomelessFull(channel: number): boolean {
    return (this.#homeless.get(channel)?.rows.size ?? 0) >= waitingMax;
  }

  /** A batch of messages was taken: more may come. */
  took(life: number, rows: number, bytes: number): void {
    if (this.#isClosed || this.#lost.has(life)) return;
    let taken = this.#taken.get(life);
    if (taken === undefined) this.#taken.set(life, (taken = { rows: 0, bytes: 0 }));
    taken.rows += rows;
    taken.bytes += bytes;
    if (taken.rows < this.#credit.rows >> 2 && taken.bytes < this.#credit.bytes >> 2) return;
    this.#parts.link.grant(life, taken.rows, taken.bytes);
    taken.rows = 0;
    taken.bytes = 0;
  }

  granted(life: number, rows: number, bytes: number): void {
    const way = this.#ways.get(life);
    if (way === undefined) return;
    way.granted(rows, bytes);
    this.#send(way);
  }

  opened(life: number): void {
    this.#opened.add(life);
    const way = this.#ways.get(life);
    if (way === undefined || way.isOpen) return;
    way.isOpen = true;
    this.#send(way);
  }

  /** A node is lost. What waits for entities that were there is kept until they are elsewhere. */
  lost(life: number, channel: number | undefined): void {
    this.#lost.add(life);
    this.#opened.delete(life);
    this.#taken.delete(life);
    const way = this.#ways.get(life);
    if (way === undefined) return;
    this.#ways.delete(life);
    this.#dirty.delete(way);
    for (let row = 0; row < way.bulk.size; row++) {
      const kind = way.bulk.kinds[row];
      const isForEntity = kind === rowKind.entityTell || kind === rowKind.entityAsk;
      if (channel === undefined || !isForEntity) this.#events.lost(way.bulk, row);
      else {
        this.#homelessOf(channel).rows.copy(way.bulk, row);
        this.#events.kept(way.bulk.asks[row] ?? 0, channel);
      }
    }
    release(way.held);
  }

  /** A host has a life again: what waited for it goes there. */
  found(channel: number, life: number): void {
    const waiting = this.#homeless.get(channel);
    if (waiting === undefined) return;
    this.#homeless.delete(channel);
    const way = this.#wayTo(life);
    const { rows } = waiting;
    for (let row = 0; row < rows.size; row++) {
      // Nobody is to handle what was given up meanwhile.
      if (!isQuestion(rows.kinds[row]) || this.#events.kept(rows.asks[row] ?? 0, channel)) way.bulk.copy(rows, row);
    }
    this.touch(way);
    release(waiting.held);
  }

  flush(): void {
    this.#isFlushAwaited = false;
    for (const way of this.#dirty) this.#send(way);
  }

  close(): void {
    this.flush();
    this.#isClosed = true;
    for (const way of this.#ways.values()) release(way.held);
    this.#ways.clear();
    for (const { held } of this.#homeless.values()) release(held);
  }

  /** Something was put on a way. */
  touch(way: Outgoing): void {
    this.#dirty.add(way);
    if (way.bulk.size >= batchRowsMax && way.hasCredit) this.#send(way);
    else if (!this.#isGathering && !this.#isFlushAwaited) {
      this.#isFlushAwaited = true;
      this.#parts.clock.soon(() => this.flush());
    }
  }

  #send(way: Outgoing): void {
    if (way.isSending) return;
    this.#dirty.delete(way);
    if (this.#isClosed) return;
    this.sending = way.life;
    way.isSending = true;
    try {
      for (const { seq, payload, isBulk } of way.batches(this.#events)) {
        this.#parts.link.send(way.life, seq, payload, isBulk);
      }
    } finally {
      way.isSending = false;
    }
    if (way.held.size > 0 && !way.isBehind) release(way.held);
  }

  #homelessOf(channel: number): Homeless {
    let waiting = this.#homeless.get(channel);
    if (waiting === undefined) this.#homeless.set(channel, (waiting = { rows: new MessageRows(), held: new Set() }));
    return waiting;
  }

  #wayTo(life: number): Outgoing {
    const known = this.#ways.get(life);
    if (known !== undefined) return known;
    const way = new Outgoing(life, this.#opened.has(life), batchBytesDefault, this.#credit);
    this.#ways.set(life, way);
    return way;
  }
}

function tooMuchWaits(rows: number): QStreamError {
  return new QStreamError("MAILBOX_FULL", `${rows} messages wait to be sent to another slot`, {
    advice: "Send fewer in one handler, or ask so that answers pace you",
  });
}
