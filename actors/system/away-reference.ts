import { actorHome, livesOn, type ActorHome } from "../../lib/core/actor-home.ts";
import { defaultAskMs } from "../../lib/core/contracts/actor-options.ts";
import type { AnyReference, AskOptions } from "../../lib/core/contracts/actor.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { systemClock } from "../../lib/core/seam/clock.ts";
import type { Binder } from "./distant/reference-codec.ts";
import { findNodeHere, guestsOf, onNodeHere } from "./nodes-here.ts";

/** What is known of an actor outside of its system. */
export interface AwayActor {
  readonly home: ActorHome;
  readonly label: string;
  readonly isEntity: boolean;
  /** The slot that it came to. */
  readonly slot: string | undefined;
  /** Slots by which its system can be reached. */
  readonly doors: readonly string[];
  /** Makes a reference that belongs to a node of the system. */
  readonly bind: (binder: Binder) => AnyReference;
  /** As it travels on. */
  readonly address: readonly unknown[];
}

// A slot that takes over from a lost one may be given a flow before it is given the actors of the same session.
const awaitedMs = 5000;

/** A reference that came to a slot where no node of its system is, yet. It works as soon as there is one. */
export class AwayReference implements AnyReference {
  readonly #actor: AwayActor;

  constructor(actor: AwayActor) {
    this.#actor = actor;
  }

  get label(): string {
    return this.#actor.label;
  }

  get [actorHome](): ActorHome {
    return this.#actor.home;
  }

  get address(): readonly unknown[] {
    return this.#actor.address;
  }

  tell(name: string, payload?: unknown): void {
    const found = this.#find();
    if (found === undefined) throw this.#unreachable();
    found.tell(name, payload);
  }

  // oxlint-disable-next-line typescript/no-explicit-any -- what it is answered with is known to who has its type
  async ask(name: string, payload?: unknown, options?: AskOptions): Promise<any> {
    const found = this.#find();
    if (found !== undefined) return found.ask(name, payload, options);
    const guests = guestsOf(this.#actor.slot);
    const { system } = this.#actor.home;
    const way = await guests?.way(system, this.#actor.doors);
    if (guests !== undefined && way !== undefined) return guests.ask(way, this, name, payload, options);
    return (await this.#awaited(options?.timeoutMs ?? defaultAskMs)).ask(name, payload, options);
  }

  equals(other: unknown): boolean {
    if (other instanceof AwayReference) return JSON.stringify(other.address) === JSON.stringify(this.address);
    return this.#find()?.equals(other) ?? false;
  }

  toString(): string {
    return this.label;
  }

  #find(): AnyReference | undefined {
    const { home, slot, bind } = this.#actor;
    const found = findNodeHere(home.system, slot);
    return found === undefined ? undefined : bind(found.binder);
  }

  #awaited(withinMs: number): Promise<AnyReference> {
    // A system of one thread comes to no other.
    if (this.#actor.home.reach === "thread") return Promise.reject(this.#unreachable());
    return new Promise((resolve, reject) => {
      const forget = onNodeHere(() => {
        const found = this.#find();
        if (found === undefined) return;
        cancel();
        forget();
        resolve(found);
      });
      const cancel = systemClock.after(Math.min(withinMs, awaitedMs), () => {
        forget();
        reject(this.#unreachable());
      });
    });
  }

  #unreachable(): QStreamError {
    const { home, slot } = this.#actor;
    const where = slot === undefined ? "this thread" : `slot ${slot}`;
    return new QStreamError("ACTOR_UNREACHABLE", `${this.label} can't be reached from ${where}`, {
      advice:
        home.reach === "thread"
          ? "It is in the thread that started it: leave out `place`, or start its system on the session, by defineActors(...).start({ on: session })"
          : "Run the flow on the session on which its system was started, while that is open",
    });
  }
}

/** Such a reference to an entity. */
export class AwayEntity extends AwayReference {
  get [livesOn](): true {
    return true;
  }
}

/** A reference that came from elsewhere: to a node of its system where one is here. */
export function arrivedReference(actor: AwayActor): AnyReference {
  const found = findNodeHere(actor.home.system, actor.slot);
  if (found !== undefined) return actor.bind(found.binder);
  return actor.isEntity ? new AwayEntity(actor) : new AwayReference(actor);
}
