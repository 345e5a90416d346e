import type { AnyReference } from "../../../lib/core/contracts/actor.ts";
import { LocalNames, nameTaken, type Names } from "../names.ts";
import type { Reference } from "../reference.ts";
import type { NodeMessages, NodeService } from "./node-link.ts";

interface Claim {
  readonly name: string;
  readonly actor: Reference;
}

/** What becomes of those that claim a name. */
export interface Claimants {
  /** It isn't known yet whether an actor may have its name: it handles nothing. */
  wait: (actor: Reference) => void;
  grant: (actor: Reference) => void;
  /** The name is taken: the actor ends. */
  refuse: (actor: Reference, error: Error) => void;
}

const findMs = 5000;

/**
 * Names of the whole system. A name is at home in one host, which knows who has it; each node knows those of its own actors, and
 * claims them again when their home is lost. An actor whose name is at home elsewhere handles nothing until the home has granted it;
 * one whose name somebody else has ends.
 */
export class DistantNames implements Names {
  readonly #messages: NodeMessages;
  readonly #claimants: Claimants;
  readonly #own = new LocalNames();
  /** Those of them that aren't granted yet. */
  readonly #awaited = new Set<string>();
  /** Names that are at home here. */
  readonly #home = new Map<string, Reference>();

  constructor(messages: NodeMessages, claimants: Claimants) {
    this.#messages = messages;
    this.#claimants = claimants;
  }

  claim(name: string, actor: AnyReference): void {
    const taken = this.#home.get(name);
    if (taken !== undefined && !taken.equals(actor)) throw nameTaken(name, taken);
    this.#own.claim(name, actor);
    if (!this.#messages.isAtHome(keyOf(name))) {
      this.#awaited.add(name);
      this.#claimants.wait(actor as Reference);
    }
    this.#tellHome("claim-name", name, actor as Reference);
  }

  release(name: string, actor: AnyReference): void {
    if (this.#own.get(name)?.equals(actor) !== true) return;
    this.#own.release(name, actor);
    this.#awaited.delete(name);
    this.#tellHome("release-name", name, actor as Reference);
  }

  async find(name: string): Promise<AnyReference | undefined> {
    const own = (this.#awaited.has(name) ? undefined : this.#own.get(name)) ?? this.#home.get(name);
    if (own !== undefined) return own;
    if (this.#messages.isAtHome(keyOf(name))) return undefined;
    return (await this.#messages.askHome(keyOf(name), "find-name", name, findMs)) as AnyReference | undefined;
  }

  list(): Iterable<readonly [string, AnyReference]> {
    return this.#own.list();
  }

  /** A host's life has begun, in which names may be at home: it doesn't know them yet. */
  claimAgain(isAtHomeThere: (key: string) => boolean): void {
    for (const [name, actor] of this.#own.list()) {
      if (isAtHomeThere(keyOf(name))) this.#tellHome("claim-name", name, actor as Reference);
    }
  }

  /** A node is lost, and its actors with it. */
  lost(life: number): void {
    for (const [name, actor] of this.#home) if (actor.life === life) this.#home.delete(name);
  }

  readonly services: Readonly<Record<string, NodeService>> = {
    "claim-name": ({ name, actor }: Claim) => {
      const taken = this.#home.get(name);
      if (taken === undefined || taken.equals(actor)) {
        this.#home.set(name, actor);
        this.#messages.tellNode(actor.life, "name-granted", { name, actor }, false);
      } else this.#messages.tellNode(actor.life, "name-taken", { name, actor, by: taken }, false);
    },
    "release-name": ({ name, actor }: Claim) => {
      if (this.#home.get(name)?.equals(actor) === true) this.#home.delete(name);
    },
    "find-name": (name: string) => this.#home.get(name),
    "name-granted": ({ name, actor }: Claim) => {
      if (this.#own.get(name)?.equals(actor) !== true) return;
      this.#awaited.delete(name);
      this.#claimants.grant(actor);
    },
    "name-taken": ({ name, actor, by }: Claim & { readonly by: Reference }) => {
      // It may have been claimed twice, as its home was lost: the other time mustn't have it.
      this.release(name, actor);
      this.#claimants.refuse(actor, nameTaken(name, by));
    },
  };

  #tellHome(service: string, name: string, actor: Reference): void {
    this.#messages.tellHome(keyOf(name), service, { name, actor });
  }
}

function keyOf(name: string): string {
  return `name/${name}`;
}
