import { actorHome, livesOn, type ActorHome } from "../../lib/core/actor-home.ts";
import { defaultAskMs } from "../../lib/core/contracts/actor-options.ts";
import type { AnyReference, AskOptions } from "../../lib/core/contracts/actor.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { givenUp } from "./asks.ts";
import type { Binder } from "./distant/reference-codec.ts";
import { findNodeHere, guestsOf, onNodeHere, type Guests } from "./nodes-here.ts";

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
  async ask(name: string, payload?: unknown, options: AskOptions = {}): Promise<any> {
    const found = this.#find();
    if (found !== undefined) return found.ask(name, payload, options);
    const guests = guestsOf(this.#actor.slot);
    // Where no slot is, no node comes.
    if (guests === undefined) throw this.#unreachable();
    const { timeoutMs = defaultAskMs, signal } = options;
    const untilMs = guests.clock.monotonic() + timeoutMs;
    const reached = await this.#reach(guests, `"${name}" of ${this.label}`, timeoutMs, signal);
    const left = { ...options, timeoutMs: Math.max(1, Math.ceil(untilMs - guests.clock.monotonic())) };
    return typeof reached === "string"
      ? guests.ask(reached, this, name, payload, left)
      : reached.ask(name, payload, left);
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

  /** A slot to go by, or the actor itself once a node of its system is here. Nobody waits longer for that than for an answer. */
  #reach(
    guests: Guests,
    label: string,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<string | AnyReference> {
    const { home, doors } = this.#actor;
    return new Promise((resolve, reject) => {
      const ends: (() => void)[] = [];
      const end = (): void => {
        for (const each of ends.splice(0)) each();
      };
      const refuse = (error: unknown): void => {
        end();
        reject(error);
      };
      const unreachable = (): void => refuse(this.#unreachable());
      const abort = (): void => refuse(givenUp(label, signal as AbortSignal));
      const here = (): void => {
        const found = this.#find();
        if (found === undefined) return;
        end();
        resolve(found);
      };
      const looked = (way: string | undefined): void => {
        if (way !== undefined) {
          end();
          resolve(way);
          // A system of one thread comes to no other.
        } else if (home.reach === "thread") unreachable();
        else if (ends.length > 0) ends.push(guests.clock.after(awaitedMs, unreachable));
      };
      ends.push(onNodeHere(here), () => signal?.removeEventListener("abort", abort));
      if (timeoutMs !== Infinity) ends.push(guests.clock.after(timeoutMs, unreachable));
      signal?.addEventListener("abort", abort, { once: true });
      if (signal?.aborted === true) abort();
      else guests.way(home.system, doors).then(looked, refuse);
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
