import type { AnyReference, Ended } from "../../lib/core/contracts/actor.ts";
import { cellFlag, type Cell } from "./cell.ts";
import { Reference } from "./reference.ts";

/** Finds the actor of a reference, if it is in this slot. */
export type Locate = (reference: Reference) => Cell | undefined;

/** What a node does for watches that cross slots. */
export interface DistantWatches {
  watch: (watcher: Reference, actor: Reference) => void;
  unwatch: (watcher: Reference, actor: Reference) => void;
  /** The watcher is elsewhere. */
  tellEnd: (watcher: Reference, ended: Ended) => void;
}

/** Who wants to know of whose end. */
export class Watches {
  readonly #wake: (cell: Cell) => void;
  readonly #locate: Locate;
  readonly #distant: DistantWatches | undefined;
  /** Watchers of actors elsewhere by the life of their node, and how many of its actors each watches. */
  readonly #byLife = new Map<number, Map<Cell, number>>();

  constructor(wake: (cell: Cell) => void, locate: Locate, distant: DistantWatches | undefined) {
    this.#wake = wake;
    this.#locate = locate;
    this.#distant = distant;
  }

  watch(watcher: Cell, actor: AnyReference): void {
    if (!(actor instanceof Reference)) {
      this.#toTell(watcher, { actor, reason: "unknown" });
      return;
    }
    const watching = (watcher.more().watching ??= new Map());
    if (watching.has(actor.key)) return;
    watching.set(actor.key, actor);
    const cell = this.#locate(actor);
    if (cell !== undefined) this.addWatcher(cell, watcher.self);
    else if (this.#distant === undefined) this.told(watcher, { actor, reason: "unknown" });
    else {
      this.#count(watcher, actor, 1);
      this.#distant.watch(watcher.self as Reference, actor);
    }
  }

  unwatch(watcher: Cell, actor: AnyReference): void {
    const { extras } = watcher;
    if (extras === undefined) return;
    // It may have ended already, which is to be told yet.
    if (extras.ends !== undefined) extras.ends = extras.ends.filter((end) => !end.actor.equals(actor));
    if (!(actor instanceof Reference) || extras.watching?.delete(actor.key) !== true) return;
    this.#count(watcher, actor, -1);
    const cell = this.#locate(actor);
    if (cell !== undefined) cell.extras?.watchers?.delete((watcher.self as Reference).key);
    else this.#distant?.unwatch(watcher.self as Reference, actor);
  }

  /** An actor wants to know of nobody's end any more. */
  unwatchAll(watcher: Cell): void {
    const { extras } = watcher;
    if (extras === undefined) return;
    for (const actor of extras.watching?.values() ?? []) this.unwatch(watcher, actor);
    extras.ends = undefined;
    watcher.flags &= ~cellFlag.control;
  }

  /** Somebody, here or elsewhere, wants to know of the end of an actor that is here. */
  addWatcher(cell: Cell, watcher: AnyReference): void {
    if ((cell.flags & cellFlag.ended) === 0) {
      (cell.more().watchers ??= new Map()).set((watcher as Reference).key, watcher);
      return;
    }
    this.#tell(watcher, endOf(cell));
  }

  /** An actor that is here has ended. */
  ended(cell: Cell): void {
    const { extras } = cell;
    if (extras === undefined) return;
    this.unwatchAll(cell);
    const { watchers } = extras;
    if (watchers === undefined) return;
    const end = endOf(cell);
    for (const watcher of watchers.values()) this.#tell(watcher, end);
    watchers.clear();
  }

  /** The end of an actor is to be told to one that is here. */
  told(watcher: Cell, ended: Ended): void {
    const actor = ended.actor as Reference;
    if (watcher.extras?.watching?.delete(actor.key) !== true) return;
    this.#count(watcher, actor, -1);
    this.#toTell(watcher, ended);
  }

  /** A node and all its actors are lost. */
  lost(life: number): void {
    const watchers = this.#byLife.get(life);
    if (watchers === undefined) return;
    this.#byLife.delete(life);
    for (const watcher of watchers.keys()) {
      for (const actor of watcher.extras?.watching?.values() ?? []) {
        if (actor instanceof Reference && actor.life === life) this.told(watcher, { actor, reason: "lost" });
      }
    }
  }

  #toTell(watcher: Cell, ended: Ended): void {
    (watcher.more().ends ??= []).push(ended);
    watcher.flags |= cellFlag.control;
    this.#wake(watcher);
  }

  /** An actor watches one more of another node's, or one less. */
  #count(watcher: Cell, { life }: Reference, change: 1 | -1): void {
    // An entity is in no life, and those of this node are lost with it.
    if (life < 0 || life === watcher.node.life) return;
    let watchers = this.#byLife.get(life);
    if (watchers === undefined) {
      if (change < 0) return;
      this.#byLife.set(life, (watchers = new Map()));
    }
    const count = (watchers.get(watcher) ?? 0) + change;
    if (count > 0) watchers.set(watcher, count);
    else watchers.delete(watcher);
    if (watchers.size === 0) this.#byLife.delete(life);
  }

  #tell(watcher: AnyReference, ended: Ended): void {
    if (!(watcher instanceof Reference)) return;
    const cell = this.#locate(watcher);
    if (cell !== undefined) this.told(cell, ended);
    else this.#distant?.tellEnd(watcher, ended);
  }
}

function endOf(cell: Cell): Ended {
  const error = cell.extras?.error;
  return error === undefined ? { actor: cell.self, reason: "stopped" } : { actor: cell.self, reason: "failed", error };
}
