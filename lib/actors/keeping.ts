import { openJournal } from "../../actors/stores/open-journal.ts";
import { parseStore } from "../../actors/stores/open-store.ts";
import { DurableActors } from "../../actors/system/durable/durable-actors.ts";
import type { ActorNode } from "../../actors/system/node.ts";
import { definedActor } from "../core/actor-definition.ts";
import type { ActorJournal } from "../core/contracts/actor-journal.ts";
import type { ActorDefinition } from "../core/contracts/actor.ts";

/** Keeps the durable actors of one system in a store. */
export class Keeping {
  readonly #journal: Promise<ActorJournal>;
  readonly #seed: number;
  #actors: DurableActors | undefined;

  /** @throws QStreamError OPTION_INVALID for a text that names no store */
  constructor(store: string, seed: number) {
    parseStore(store);
    this.#seed = seed;
    this.#journal = openJournal(store);
    // Whoever uses a durable actor is told.
    this.#journal.catch(() => {});
  }

  start(node: ActorNode): DurableActors {
    return (this.#actors = new DurableActors(node, { journal: this.#journal, seed: this.#seed }));
  }

  /** Kinds whose actors come back by themselves. */
  meet(kinds: readonly ActorDefinition<unknown, never>[]): void {
    for (const kind of kinds) this.#actors?.derive(definedActor(kind));
  }

  /** Once all actors have ended: waits until what they did is durable. */
  async close(): Promise<void> {
    this.#actors?.close();
    await this.#actors?.settled();
    const journal = await this.#journal.catch(() => undefined);
    await journal?.close();
  }
}
