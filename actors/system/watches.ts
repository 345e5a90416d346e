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
  /** Watchers of actors elsewhere, by the life of their node. */
  readonly #byLife = new Map<number, Set<Cell>>();

  constructor(wake: (cell: Cell) => void, locate: Locate, distant: DistantWatches | undefined) {
    this.#wake = wake;
    this.#locate = locate;
    this.#distant = distant;
  }

  watch(watcher: Cell, actor: AnyReference): void {
    if (!(actor instanceof Reference)) return;
    const watching = (watcher.more().watching ??= new Map());
    if (watching.has(actor.key)) return;
    watching.set(actor.key, actor);
    const cell = this.#locate(actor);
    if (cell !== undefined) this.addWatcher(cell, watcher.self);
    else if (this.#distant === undefined) this.told(watcher, { actor, reason: "unknown" });
    else {
      let watchers = this.#byLife.get(actor.life);
      if (watchers === undefined) this.#byLife.set(actor.life, (watchers = new Set()));
      watchers.add(watcher);
      this.#distant.watch(watcher.self as Reference, actor);
    }
  }

  unwatch(watcher: Cell, actor: AnyReference): void {
    const { extras } = watcher;
    if (!(actor instanceof Reference) || extras === undefined) return;
    // It may have ended already, which is to be told yet.
    if (extras.ends !== undefined) extras.ends = extras.ends.filter((end) => !end.actor.equals(actor));
    if (extras.watching?.delete(actor.key) !== true) return;
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
    if (watcher.extras?.watching?.delete((ended.actor as Reference).key) !== true) return;
    (watcher.extras.ends ??= []).push(ended);
    watcher.flags |= cellFlag.control;
    this.#wake(watcher);
  }

  /** A node and all its actors are lost. */
  lost(life: number): void {
    const watchers = this.#byLife.get(life);
    if (watchers === undefined) return;
    this.#byLife.delete(life);
    for (const watcher of watchers) {
      for (const actor of watcher.extras?.watching?.values() ?? []) {
        if (actor instanceof Reference && actor.life === life) this.told(watcher, { actor, reason: "lost" });
      }
    }
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
