import type { AskOptions, AnyReference } from "../../lib/core/contracts/actor.ts";
import { defaultAskMs } from "../../lib/core/contracts/actor-options.ts";
import type { LinkMessage, Transport } from "../../lib/core/contracts/transport.ts";
import { decodeObjects, encodeObjects } from "../../lib/core/codec/index.ts";
import { errorFromData, errorToData, QStreamError, type ErrorData } from "../../lib/core/errors.ts";
import type { Clock } from "../../lib/core/seam/clock.ts";
import { arrivingIn, leavingSystem } from "../system/distant/reference-codec.ts";
import { findNodeHere, guestsCome, type Guests } from "../system/nodes-here.ts";

/** No plan has so many edges: parcels of this one are between guests and hosts of actors. */
export const guestEdge = 65_534;

/** What a slot without a node of a system and one that has one say to each other. */
type GuestMessage =
  | { readonly kind: "look"; readonly system: string }
  | { readonly kind: "found"; readonly system: string; readonly isHere: boolean }
  | {
      readonly kind: "ask";
      readonly ask: number;
      readonly to: AnyReference;
      readonly name: string;
      readonly payload: unknown;
      readonly timeoutMs: number;
    }
  | { readonly kind: "answer"; readonly ask: number; readonly value: unknown }
  | { readonly kind: "refusal"; readonly ask: number; readonly error: ErrorData }
  | { readonly kind: "cancel"; readonly ask: number };

interface Waiting {
  readonly way: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

interface Look {
  readonly isThere: Promise<boolean>;
  readonly end: (isThere: boolean) => void;
}

// The client's thread may be busy for a while.
const lookMs = 3000;
/** How often the slot that questions go by is looked at while some wait. */
const checkEveryMs = 2000;

/**
 * Questions to actors from a slot in which no node of their system is, as in one that has taken the place of a lost one: they go
 * by another slot, where one is.
 */
export class ActorGuests implements Guests {
  readonly #transport: Transport;
  readonly clock: Clock;
  readonly #leave: () => void;
  readonly #waiting = new Map<number, Waiting>();
  /** Questions of other slots that are asked here. */
  readonly #serving = new Map<string, AbortController>();
  /** By systems and slots: whether a node is there, which isn't known yet. */
  readonly #looking = new Map<string, Look>();
  /** By systems, the slot to go by. */
  readonly #ways = new Map<string, Promise<string | undefined>>();
  #cancelCheck: (() => void) | undefined;
  #asks = 0;
  #sent = 0;

  constructor(transport: Transport, clock: Clock) {
    this.#transport = transport;
    this.clock = clock;
    this.#leave = guestsCome(transport.slot, this);
  }

  way(system: string, doors: readonly string[]): Promise<string | undefined> {
    const known = this.#ways.get(system);
    if (known !== undefined) return known;
    const way = this.#look(system, doors);
    this.#ways.set(system, way);
    void way.then((found) => {
      if (found === undefined && this.#ways.get(system) === way) this.#ways.delete(system);
    });
    return way;
  }

  ask(way: string, to: AnyReference, name: string, payload: unknown, options: AskOptions = {}): Promise<unknown> {
    const { timeoutMs = defaultAskMs, signal } = options;
    const ask = ++this.#asks;
    return new Promise((resolve, reject) => {
      const giveUp = (error: QStreamError): void => {
        this.#waiting.get(ask)?.reject(error);
        this.#say(way, { kind: "cancel", ask });
      };
      const label = `"${name}" of ${to.label}`;
      const abort = (): void => giveUp(new QStreamError("ABORTED", `${label} was given up`, { cause: signal?.reason }));
      const late = (): void => {
        giveUp(
          new QStreamError("ASK_TIMEOUT", `${label} had no answer within ${timeoutMs} ms`, { advice: lateAdvice }),
        );
      };
      const cancel = timeoutMs === Infinity ? (): void => {} : this.clock.after(timeoutMs, late);
      const settle = (): void => {
        cancel();
        signal?.removeEventListener("abort", abort);
        this.#waiting.delete(ask);
      };
      this.#waiting.set(ask, {
        way,
        resolve: (value) => (settle(), resolve(value)),
        reject: (error) => (settle(), reject(error)),
      });
      this.#checkLater();
      signal?.addEventListener("abort", abort, { once: true });
      if (signal?.aborted === true) abort();
      else this.#try(ask, () => this.#send(way, { kind: "ask", ask, to, name, payload, timeoutMs }));
    });
  }

  receive(message: LinkMessage, from: string): void {
    if (message.kind !== "parcel") return;
    const { payload } = message;
    const [said] = arrivingIn(this.#transport.slot, () => decodeObjects(payload)) as [GuestMessage];
    switch (said.kind) {
      case "look":
        this.#say(from, { kind: "found", system: said.system, isHere: this.#isHere(said.system) });
        return;
      case "found":
        this.#looking.get(lookOf(said.system, from))?.end(said.isHere);
        return;
      case "ask":
        void this.#serve(from, said);
        return;
      case "answer":
        this.#waiting.get(said.ask)?.resolve(said.value);
        return;
      case "refusal":
        this.#waiting.get(said.ask)?.reject(errorFromData(said.error));
        return;
      case "cancel":
        this.#serving.get(`${from} ${said.ask}`)?.abort();
    }
  }

  close(): void {
    this.#leave();
    this.#cancelCheck?.();
    for (const { reject } of this.#waiting.values())
      reject(new QStreamError("SESSION_CLOSED", "the session was closed"));
    for (const serving of this.#serving.values()) serving.abort();
  }

  /** Looks after a while whether the slots are there by which questions went that still wait. */
  #checkLater(): void {
    this.#cancelCheck ??= this.clock.after(checkEveryMs, () => {
      const ways = new Set(Array.from(this.#waiting.values(), ({ way }) => way));
      void Promise.all(Array.from(ways, (way) => this.#check(way))).then(() => {
        this.#cancelCheck = undefined;
        if (this.#waiting.size > 0) this.#checkLater();
      });
    });
  }

  /** Refuses what went by a slot that doesn't answer any more, and lets others look for another one. */
  async #check(way: string): Promise<void> {
    if (await this.#isThere("", way)) return;
    this.#ways.clear();
    for (const waiting of this.#waiting.values()) if (waiting.way === way) waiting.reject(lostOnTheWay(way));
  }

  #isHere(system: string): boolean {
    if (system === "") return true;
    return findNodeHere(system, this.#transport.slot)?.slot === this.#transport.slot;
  }

  /** The first of the doors that has a node: they are asked one after the other, as the first ones are lost last. */
  async #look(system: string, doors: readonly string[]): Promise<string | undefined> {
    for (const door of doors) {
      // oxlint-disable-next-line no-await-in-loop -- see above
      if (door !== this.#transport.slot && (await this.#isThere(system, door))) return door;
    }
    return undefined;
  }

  /** Whether a slot says that it has a node. Those who ask while it isn't known hear the same. */
  #isThere(system: string, door: string): Promise<boolean> {
    const key = lookOf(system, door);
    const known = this.#looking.get(key);
    if (known !== undefined) return known.isThere;
    let end: Look["end"] = () => {};
    const isThere = new Promise<boolean>((resolve) => {
      const cancel = this.clock.after(lookMs, () => end(false));
      end = (answer) => {
        cancel();
        this.#looking.delete(key);
        resolve(answer);
      };
    });
    this.#looking.set(key, { isThere, end });
    if (!this.#say(door, { kind: "look", system })) end(false);
    return isThere;
  }

  async #serve(
    from: string,
    { ask, to, name, payload, timeoutMs }: Extract<GuestMessage, { kind: "ask" }>,
  ): Promise<void> {
    const key = `${from} ${ask}`;
    const stop = new AbortController();
    this.#serving.set(key, stop);
    try {
      const value: unknown = await to.ask(name, payload, { timeoutMs, signal: stop.signal });
      this.#send(from, { kind: "answer", ask, value });
    } catch (error) {
      this.#say(from, { kind: "refusal", ask, error: errorToData(error) });
    } finally {
      this.#serving.delete(key);
    }
  }

  #try(ask: number, send: () => void): void {
    try {
      send();
    } catch (error) {
      this.#waiting.get(ask)?.reject(error as Error);
    }
  }

  /** Says something to a slot that may be gone. False if there is no way to it from here. */
  #say(to: string, message: GuestMessage): boolean {
    try {
      this.#send(to, message);
      return true;
    } catch {
      return false;
    }
  }

  #send(to: string, message: GuestMessage): void {
    const payload = leavingSystem(() => encodeObjects([message]));
    const seq = this.#sent++;
    const address = { execution: "guests", edge: guestEdge, from: 0, to: 0, producer: 0, consumer: 0 };
    this.#transport.send(to, { ...address, kind: "parcel", seq, previous: seq - 1, payload });
  }
}

function lookOf(system: string, door: string): string {
  return `${system} ${door}`;
}

function lostOnTheWay(way: string): QStreamError {
  return new QStreamError("ACTOR_STOPPED", `slot ${way}, by which an actor was asked, doesn't answer any more`, {
    advice: "Whether the message was handled isn't known. Ask again",
  });
}

const lateAdvice = "It may be busy, gone, or in a slot that is: ask again, or with a longer `timeoutMs`";
