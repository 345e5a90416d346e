import type { AnyReference } from "../../lib/core/contracts/actor.ts";
import { QStreamError } from "../../lib/core/errors.ts";

/** Who has which name. */
export interface Names {
  /** @throws QStreamError NAME_TAKEN */
  claim: (name: string, actor: AnyReference) => void;
  release: (name: string, actor: AnyReference) => void;
  find: (name: string) => Promise<AnyReference | undefined>;
  list: () => Iterable<readonly [string, AnyReference]>;
}

const namesMax = 100_000;

/** The names of one slot's actors. */
export class LocalNames implements Names {
  readonly #actors = new Map<string, AnyReference>();

  claim(name: string, actor: AnyReference): void {
    if (name.length === 0 || name.length > 256) {
      throw new QStreamError("OPTION_INVALID", `an actor can't be called ${JSON.stringify(name.slice(0, 40))}`, {
        advice: "A name has 1 to 256 characters",
      });
    }
    const taken = this.#actors.get(name);
    if (taken !== undefined) throw nameTaken(name, taken);
    if (this.#actors.size >= namesMax) {
      throw new QStreamError("LIMIT_EXCEEDED", `${namesMax} actors have names`, {
        advice: "Many actors of one kind are entities: ctx.entity(kind, key)",
      });
    }
    this.#actors.set(name, actor);
  }

  release(name: string, actor: AnyReference): void {
    if (this.#actors.get(name)?.equals(actor) === true) this.#actors.delete(name);
  }

  find(name: string): Promise<AnyReference | undefined> {
    return Promise.resolve(this.#actors.get(name));
  }

  get(name: string): AnyReference | undefined {
    return this.#actors.get(name);
  }

  list(): Iterable<readonly [string, AnyReference]> {
    return this.#actors;
  }
}

export function nameTaken(name: string, by: AnyReference): QStreamError {
  return new QStreamError("NAME_TAKEN", `another actor (${by.label}) is called "${name}"`, {
    advice: "Find it with find(name), or take another name; it is free again when that actor has stopped",
  });
}
