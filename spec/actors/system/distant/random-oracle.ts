import type { Cell } from "../../../../actors/system/cell.ts";
import { cellFlag } from "../../../../actors/system/cell.ts";

/** An actor as all nodes can reach it: by its number, or an entity by its key. */
export interface Address {
  /** Names it for the oracle: no other actor has this name. */
  readonly who: string;
  readonly kind: string;
  readonly life: number;
  readonly id: number;
  /** Of an entity. */
  readonly key?: string;
}

/** What the oracle has to know of the nodes. */
export interface Nodes {
  readonly isLost: (life: number) => boolean;
  /** Which node has, or had last, the entities of a key; and whether another life had them before. */
  readonly homeOf: (to: Address) => { readonly life: number; readonly hasMoved: boolean };
  /** When a node last heard that the home of an entity was lost; -1 if it never did. */
  readonly heardOfLossMs: (life: number, to: Address) => number;
  readonly nowMs: () => number;
}

interface Sent {
  count: number;
  readonly life: number;
  readonly from: string;
  readonly to: Address;
  readonly heard: number[];
  /** When each left its node last, by its number. */
  readonly leftMs: Map<number, number>;
}

/** A message that an actor is going to send to another one. */
export interface Numbered {
  readonly from: string;
  readonly seq: number;
  /** It leaves its node. */
  readonly leaves: () => void;
  /** It couldn't be sent. */
  readonly undo: () => void;
}

interface Watch {
  readonly to: Address;
  /** Whoever watches again before it has been told what it is going to be told is told again. */
  times: number;
  /** It hasn't been told since it watched last. */
  isOpen: boolean;
}

/** Wrong by any measure. */
export function violated(what: string): never {
  throw new Error(what);
}

/** What was sent, watched and published, and what came of it. Tells what no loss explains. */
export class Oracle {
  readonly #nodes: Nodes;
  readonly #sent = new Map<string, Sent>();
  readonly #handedOn = new Map<number, string>();
  readonly #watches = new Map<Cell, Map<string, Watch>>();
  readonly #parents = new Map<string, Cell>();
  readonly #stops: { readonly who: string; readonly by: number }[] = [];
  readonly #cells = new Map<string, Cell[]>();
  readonly #news = new Map<string, Map<string, number[]>>();
  /** What was seen to be wrong while actors ran, who would handle it as their own failure. */
  readonly wrong: string[] = [];
  heard = 0;
  told = 0;
  #notes = 0;

  constructor(nodes: Nodes) {
    this.#nodes = nodes;
  }

  /** Numbers a message of one actor to another. */
  note(from: Cell, who: string, to: Address): Numbered {
    const sender = `${who} in ${from.node.life}/${from.id}`;
    const key = `${sender} > ${to.who}`;
    let sent = this.#sent.get(key);
    if (sent === undefined) {
      sent = { count: 0, life: from.node.life, from: sender, to, heard: [], leftMs: new Map() };
      this.#sent.set(key, sent);
    }
    const { count, leftMs } = sent;
    const seq = ++sent.count;
    this.#notes++;
    const leaves = (): void => void leftMs.set(seq, this.#nodes.nowMs());
    const undo = (): void => {
      sent.count = count;
      this.#notes--;
    };
    return { from: sender, seq, leaves, undo };
  }

  /** An actor is told to stop by one of a node. */
  stop(who: string, by: number): void {
    this.#stops.push({ who, by });
  }

  /** A message came. */
  noted(from: string, to: string, seq: number): void {
    const sent = this.#sent.get(`${from} > ${to}`);
    if (sent === undefined) return void this.wrong.push(`${to} hears what ${from} hasn't sent`);
    const last = sent.heard.at(-1) ?? 0;
    if (seq <= last) this.wrong.push(`${to} hears message ${seq} of ${from} after message ${last}`);
    sent.heard.push(seq);
    this.heard++;
  }

  /** What was handed from one to another came to its end. */
  handedOn(message: number, to: string): void {
    const before = this.#handedOn.get(message);
    if (before !== undefined) this.wrong.push(`message ${message} was handed to ${before} and to ${to}`);
    this.#handedOn.set(message, to);
  }

  /** An actor's state is made, perhaps not for the first time. */
  began(who: string, cell: Cell): void {
    const cells = this.#cells.get(who) ?? [];
    this.#cells.set(who, cells);
    this.forgetWatches(cell);
    if (cells.at(-1) === cell) return;
    const other = cells.find((each) => this.isAlive(each));
    if (other !== undefined) this.wrong.push(`${who} lives in ${other.node.life} and in ${cell.node.life}`);
    cells.push(cell);
  }

  isAlive(cell: Cell): boolean {
    return (cell.flags & cellFlag.ended) === 0 && !this.#nodes.isLost(cell.node.life);
  }

  cellOf(who: string): Cell | undefined {
    return this.#cells.get(who)?.at(-1);
  }

  /** All that live, and have been told their names. */
  living(): (readonly [who: string, cell: Cell])[] {
    return [...this.#cells].flatMap(([who, cells]) => {
      const cell = cells.at(-1);
      return cell !== undefined && this.isAlive(cell) ? [[who, cell] as const] : [];
    });
  }

  /** @param isNew - whether it doesn't watch that one already */
  watch(watcher: Cell, to: Address, isNew: boolean): void {
    let watches = this.#watches.get(watcher);
    if (watches === undefined) this.#watches.set(watcher, (watches = new Map()));
    const times = watches.get(to.who)?.times ?? 0;
    if (isNew) watches.set(to.who, { to, times: times + 1, isOpen: true });
    else if (times === 0) this.wrong.push(`${watcher.label} watches ${to.who} before it does`);
  }

  unwatch(watcher: Cell, to: Address): void {
    this.#watches.get(watcher)?.delete(to.who);
  }

  /** The state that watched is gone. */
  forgetWatches(watcher: Cell): void {
    this.#watches.delete(watcher);
  }

  toldEnd(watcher: Cell, who: string, reason: string): void {
    this.told++;
    const watch = this.#watches.get(watcher)?.get(who);
    if (watch === undefined) return void this.wrong.push(`${watcher.label} is told of ${who}, whom it doesn't watch`);
    watch.isOpen = false;
    if (--watch.times === 0) this.unwatch(watcher, watch.to);
    const { to } = watch;
    const cell = this.cellOf(who);
    const isLost = to.key === undefined ? this.#nodes.isLost(to.life) : this.#nodes.homeOf(to).hasMoved;
    if (reason === "lost" && !isLost) this.wrong.push(`${watcher.label} is told that ${who} is lost, which it isn't`);
    if (reason === "lost" || to.key !== undefined || cell === undefined) return;
    if (this.isAlive(cell)) this.wrong.push(`${watcher.label} is told that ${who} ${reason}, and it lives`);
  }

  published(topic: string, message: number, subscriber: string): void {
    let heard = this.#news.get(topic);
    if (heard === undefined) this.#news.set(topic, (heard = new Map()));
    const messages = heard.get(subscriber) ?? [];
    if (messages.includes(message)) this.wrong.push(`${subscriber} hears ${message} of ${topic} twice`);
    messages.push(message);
    heard.set(subscriber, messages);
  }

  /** Who has heard something that was published. */
  heardOf(topic: string, message: number): string[] {
    const heard = [...(this.#news.get(topic) ?? [])];
    return heard.flatMap(([who, messages]) => (messages.includes(message) ? [who] : []));
  }

  /** Whoever is watched and not told of yet has to live. */
  checkWatches(): void {
    for (const [watcher, watches] of this.#watches) {
      if (!this.isAlive(watcher)) continue;
      for (const { to, isOpen } of watches.values()) {
        if (!isOpen) continue;
        const cell = this.cellOf(to.who);
        if (cell === undefined || !this.isAlive(cell)) violated(`${watcher.label} isn't told of the end of ${to.who}`);
      }
    }
  }

  /**
   * What didn't come was lost with a node, or is a dead letter.
   *
   * @param deadLetters - how many there were in a node of those that are numbered
   */
  checkNotes(
    deadLetters: (life: number) => number,
    lives: readonly number[],
    isDropping: (to: Address) => boolean,
  ): void {
    const missing = new Map<number, number>();
    for (const sent of this.#sent.values()) {
      const { life, from, to, heard } = sent;
      const home = to.key === undefined ? to.life : this.#nodes.homeOf(to).life;
      // One of a number hears all up to a loss or an end.
      if (to.key === undefined && !isDropping(to) && heard.length > 0 && heard.at(-1) !== heard.length) {
        violated(`${to.who} hears ${heard.join()} of ${from}`);
      }
      if (this.#nodes.isLost(life) || this.#nodes.isLost(home)) continue;
      missing.set(home, (missing.get(home) ?? 0) + this.#missing(sent));
    }
    for (const [life, count] of missing) {
      if (count > deadLetters(life))
        violated(`${count} messages to node ${life} are missing, ${deadLetters(life)} died`);
    }
    if (lives.some((life) => this.#nodes.isLost(life))) return;
    const dead = lives.reduce((sum, life) => sum + deadLetters(life), 0);
    if (this.#notes !== this.heard + dead) violated(`${this.#notes} were sent, ${this.heard} heard, and ${dead} died`);
  }

  /** How many of those that were sent didn't come, though their way was there. */
  #missing({ count, life, to, heard, leftMs }: Sent): number {
    // What had left for an entity's home when that was lost is lost with it. What waited is for the next life.
    const lostMs = to.key === undefined ? -1 : this.#nodes.heardOfLossMs(life, to);
    let missing = 0;
    for (let seq = 1; seq <= count; seq++)
      if (!heard.includes(seq) && (leftMs.get(seq) ?? Infinity) > lostMs) missing++;
    return missing;
  }

  /** An actor is started by another one. */
  child(who: string, parent: Cell): void {
    this.#parents.set(who, parent);
  }

  /** Children end with their parents, and nobody keeps children or watchers that are no more. */
  checkFamilies(whoIs: (key: string) => string | undefined): void {
    for (const [who, { extras }] of this.living()) {
      const parent = this.#parents.get(who);
      if (parent !== undefined && !this.isAlive(parent)) violated(`${who} outlives ${parent.label}, its parent`);
      // An entity may live again that watches no more.
      for (const key of [...(extras?.distant?.keys() ?? []), ...(extras?.watchers?.keys() ?? [])]) {
        const other = whoIs(key);
        const cell = other === undefined ? undefined : this.cellOf(other);
        if (other !== undefined && (cell === undefined || !this.isAlive(cell))) violated(`${who} keeps ${other}`);
      }
    }
  }

  /** All that were told to stop have ended. */
  checkStops(): void {
    for (const { who, by } of this.#stops) {
      const cell = this.cellOf(who);
      if (cell !== undefined && this.isAlive(cell) && !this.#nodes.isLost(by))
        violated(`${who} was told to stop, and lives`);
    }
  }

  /** All hear what is published in one order. */
  checkNews(): void {
    for (const [topic, heard] of this.#news) {
      const all = [...heard.values()];
      for (const one of all) {
        for (const other of all) {
          const common = one.filter((message) => other.includes(message)).join();
          const same = other.filter((message) => one.includes(message)).join();
          if (common !== same) violated(`one hears ${common} of ${topic}, and another one ${same}`);
        }
      }
    }
  }
}
