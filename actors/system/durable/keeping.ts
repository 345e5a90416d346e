import type { ActorJournal } from "../../../lib/core/contracts/actor-journal.ts";
import { definedActor, type DefinedActor } from "../../../lib/core/actor-definition.ts";
import type { ActorDefinition } from "../../../lib/core/contracts/actor.ts";
import { delay, type Clock } from "../../../lib/core/seam/clock.ts";
import { openJournal } from "../../stores/open-journal.ts";
import { parseStore } from "../../stores/open-store.ts";
import { repeatWhileAway, type WaitForStore } from "../../stores/repeat-while-away.ts";
import type { NodeMessages, NodeService } from "../distant/node-link.ts";
import type { ActorNode } from "../node.ts";
import { mailOver, mailServices } from "./distant-mail.ts";
import { closedError } from "../refused.ts";
import { DurableActors } from "./durable-actors.ts";
import { JournalOpening } from "./journal-opening.ts";

const settleMs = 2000;

export interface KeepingOptions {
  /** The text that names the store. */
  readonly store: string;
  readonly seed: number;
  readonly clock: Clock;
  /** A store that is away is waited for also before it was opened. Else who uses an actor is told, and tries again. */
  readonly waitsToOpen: boolean;
}

/** Keeps the durable actors of one node in a store, which it opens and closes. */
export class Keeping {
  readonly #journal: JournalOpening;
  readonly #ended = new AbortController();
  readonly #seed: number;
  readonly #clock: Clock;
  #actors: DurableActors | undefined;

  /** @throws QStreamError OPTION_INVALID for a text that names no store */
  constructor({ store, seed, clock, waitsToOpen }: KeepingOptions) {
    parseStore(store);
    this.#seed = seed;
    this.#clock = clock;
    const patience: WaitForStore = { clock, away: (error) => this.#actors?.away(error), signal: this.#ended.signal };
    const open = (): Promise<ActorJournal> => openJournal(store);
    this.#journal = new JournalOpening(waitsToOpen ? () => repeatWhileAway(patience, open) : open);
  }

  /** What the node takes from others. */
  get services(): Readonly<Record<string, NodeService>> {
    return mailServices(() => this.#actors);
  }

  start(node: ActorNode, others?: NodeMessages): DurableActors {
    const distant = others === undefined ? undefined : mailOver(others);
    return (this.#actors = new DurableActors(node, { journal: () => this.#journal.get(), seed: this.#seed, distant }));
  }

  /** Kinds whose actors come back by themselves. */
  meet(kinds: Iterable<ActorDefinition<unknown, never> | DefinedActor>): void {
    for (const kind of kinds) this.#actors?.derive(definedActor(kind));
  }

  /** Some actors have their home somewhere else than before, maybe here. */
  movedHome(): void {
    void this.#actors?.comeHome();
  }

  /** Once all actors have ended: waits until what they did is durable. A store that is away isn't waited for for long. */
  async close(): Promise<void> {
    const waiting = new AbortController();
    await Promise.race([this.#actors?.settled(), delay(this.#clock, settleMs, waiting.signal).catch(() => {})]);
    waiting.abort();
    this.#actors?.close();
    this.#ended.abort(closedError());
    await this.#journal.close();
  }
}
