import type { Reference } from "../../../actors/system/reference.ts";
import type { World } from "./world.ts";

interface Watching {
  readonly watcher: Reference;
  readonly actor: Reference;
  readonly life: number;
}

/** Who watches actors of other machines, and which lives of machines are known to be lost. */
export class WorldWatches {
  readonly #world: World;
  readonly #watchings = new Set<Watching>();
  readonly #lostLives = new Set<number>();

  constructor(world: World) {
    this.#world = world;
  }

  /** The loss of a life is known now. */
  lost(life: number): void {
    this.#world.medium.touched?.(`life ${life}`);
    this.#lostLives.add(life);
    for (const watching of this.#watchings) {
      if (watching.life !== life) continue;
      this.#watchings.delete(watching);
      this.#tellLost(watching.watcher, watching.actor);
    }
  }

  /** Somebody watches an actor of another machine. False if its loss is known already: that is told at once. */
  begin(watcher: Reference, actor: Reference): boolean {
    const { life } = actor;
    this.#world.medium.touched?.(`life ${life}`, false);
    const isLost = this.#lostLives.has(life);
    if (isLost) this.#tellLost(watcher, actor);
    else this.#watchings.add({ watcher, actor, life });
    return !isLost;
  }

  end(watcher: Reference, actor: Reference): void {
    this.#world.medium.touched?.(`life ${actor.life}`, false);
    for (const each of this.#watchings) {
      if (each.watcher.key === watcher.key && each.actor.key === actor.key) this.#watchings.delete(each);
    }
  }

  /** The same for the same watches. */
  text(): string {
    const watchings = [...this.#watchings].map(({ watcher, actor, life }) => [watcher.key, actor.key, life]);
    return JSON.stringify([watchings, [...this.#lostLives]]);
  }

  #tellLost(watcher: Reference, actor: Reference): void {
    const cell = this.#world.cellOf(watcher);
    if (cell !== undefined) cell.node.watches.told(cell, { actor, reason: "lost" });
  }
}
