import type { ClientNode } from "../../actors/slot/hosted-node.ts";
import type { ListedActor } from "../../actors/system/distant/node-views.ts";
import type { ActorEvent } from "../../actors/system/node-parts.ts";
import type { AnyReference } from "../core/contracts/actor.ts";
import type { DefinedActor } from "../core/actor-definition.ts";
import { QStreamError } from "../core/errors.ts";
import { nearestWord } from "../core/option-names.ts";
import { delay } from "../core/seam/clock.ts";
import { askSlots, clientSlot, findOnSlots } from "./ask-slots.ts";
import type { DistributedActors } from "./distributed-actors.ts";

/** What somebody who looks at a running system asks of it. */
export type ViewRequest =
  | { readonly kind: "list"; readonly of?: string; readonly slot?: string; readonly most?: number }
  | { readonly kind: "inspect"; readonly actor: string }
  | { readonly kind: "tell"; readonly actor: string; readonly message: string; readonly payload?: unknown }
  | {
      readonly kind: "ask";
      readonly actor: string;
      readonly message: string;
      readonly payload?: unknown;
      readonly timeoutMs?: number;
    }
  | { readonly kind: "metrics" }
  | { readonly kind: "dead-letters" };

/** Actors as they are shown, and slots that didn't say in time which they have. */
export interface ShownActors {
  readonly actors: readonly object[];
  readonly silent: readonly string[];
}

/** A message that nobody handled, as it is shown. */
export interface ShownLetter {
  readonly to: string;
  readonly message: string;
  readonly why: string;
  readonly at: string;
}

const lettersMost = 100;
const listMost = 10_000;
const listMostDefault = 200;
// A slot that says nothing for so long is kept from its events; who looks at a system may do so for that very reason.
const answerMs = 1500;

/** Answers those who look at a system: what is asked for comes as data that JSON can hold. */
export class SystemView {
  readonly #system: DistributedActors;
  readonly #client: ClientNode;
  readonly #definitions: ReadonlyMap<string, DefinedActor>;
  readonly #letters: ShownLetter[] = [];

  constructor(system: DistributedActors, client: ClientNode, definitions: ReadonlyMap<string, DefinedActor>) {
    this.#system = system;
    this.#client = client;
    this.#definitions = definitions;
  }

  /** Something happened in the system. */
  happened(event: ActorEvent): void {
    if (event.kind !== "dead-letter") return;
    const { to, message, why } = event;
    this.#letters.push({ to, message, why, at: new Date(this.#client.node.clock.now()).toISOString() });
    if (this.#letters.length > lettersMost) this.#letters.shift();
  }

  /** @throws QStreamError OPTION_INVALID; ACTOR_STOPPED; ASK_TIMEOUT; whatever an actor answers with */
  async answer(request: ViewRequest): Promise<unknown> {
    switch (request.kind) {
      case "list":
        return this.#list(request);
      case "metrics":
        return this.#metrics();
      case "dead-letters":
        return this.#letters;
      case "inspect":
        return this.#inspect(request.actor);
      case "tell":
        (await this.#find(request.actor)).tell(request.message, request.payload);
        return "sent";
      case "ask": {
        const { actor, message, payload, timeoutMs } = request;
        const found = await this.#find(actor);
        return (await found.ask(message, payload, timeoutMs === undefined ? {} : { timeoutMs })) as unknown;
      }
      default:
        throw new QStreamError("OPTION_INVALID", "nobody knows what is asked for");
    }
  }

  async #metrics(): Promise<object> {
    const { execution, hosts } = this.#system;
    const [counts, { silent }] = await Promise.all([
      this.#system.metrics(),
      askSlots(this.#client, "metrics", undefined, answerMs),
    ]);
    return { execution, hosts, ...counts, ...(silent.length === 0 ? {} : { silent }) };
  }

  async #list({ of, slot, most = listMostDefault }: Extract<ViewRequest, { kind: "list" }>): Promise<ShownActors> {
    if (slot !== undefined) this.#checkSlot(slot);
    const query = { most: Math.min(most, listMost), kind: of === undefined ? undefined : this.#kindOf(of) };
    const { answers, silent } = await askSlots<readonly ListedActor[]>(this.#client, "list", query, answerMs);
    const listed = answers.flatMap(([where, entries]) => entries.map((entry) => ({ ...entry, slot: where })));
    // Who watches for others isn't anybody's.
    const shown = listed.filter((entry) => entry.slot !== clientSlot || entry.kind !== "watcher");
    if (of !== undefined && shown.length === 0 && silent.length === 0) this.#checkKind(of);
    const wanted = slot === undefined ? shown : shown.filter((entry) => entry.slot === slot);
    const actors = wanted
      .slice(0, query.most)
      .map(({ label, kind, slot: where, state, waiting, handled, restarts }) => {
        return { actor: label, kind, slot: where, state, waiting, handled, restarts };
      });
    return { actors, silent: slot === undefined ? silent : silent.filter((each) => each === slot) };
  }

  async #inspect(name: string): Promise<string> {
    const actor = await this.#find(name);
    const { found, silent } = await findOnSlots<string>(this.#client, "inspect", actor, answerMs);
    if (found !== undefined) return found;
    throw silent.length === 0 ? this.#unknown(name) : notShown(name, silent);
  }

  /** By name, as `kind/key` of an entity, or as lists show it. */
  async #find(text: string): Promise<AnyReference> {
    const named = await this.#named(text);
    if (named !== undefined) return named;
    const [kind = "", key] = text.split(/\/(.*)/su);
    const entity = this.#registered(kind);
    if (entity !== undefined && key !== undefined && key !== "") return this.#client.distant.entity(entity, key);
    const { found, silent } = await findOnSlots<AnyReference>(this.#client, "called", text, answerMs);
    if (found !== undefined) return found;
    throw silent.length === 0 ? this.#unknown(text) : notShown(text, silent);
  }

  /** The slot that knows who has a name may not answer. */
  async #named(name: string): Promise<AnyReference | undefined> {
    const waiting = new AbortController();
    const late = delay(this.#client.node.clock, answerMs, waiting.signal).catch(() => {});
    try {
      return (await Promise.race([this.#system.find(name), late])) ?? undefined;
    } finally {
      waiting.abort();
    }
  }

  /** The name in its module of what somebody calls a kind. */
  #registered(kind: string): string | undefined {
    if (this.#definitions.has(kind)) return kind;
    for (const [name, definition] of this.#definitions) if (definition.kind === kind) return name;
    return undefined;
  }

  /** What the actors of a kind are listed as. */
  #kindOf(word: string): string {
    for (const { kind } of this.#definitions.values()) if (kind === word) return kind;
    return this.#definitions.get(word)?.kind ?? word;
  }

  #checkKind(kind: string): void {
    if (this.#registered(kind) !== undefined) return;
    throw notThere(
      "kind",
      kind,
      [...this.#definitions.values()].map((each) => each.kind),
    );
  }

  #checkSlot(slot: string): void {
    const slots = [...new Set(this.#system.hosts.map((host) => host.slot)), clientSlot];
    if (!slots.includes(slot)) throw notThere("slot", slot, slots);
  }

  #unknown(text: string): QStreamError {
    const [kind = "", key] = text.split(/\/(.*)/su);
    const isEntity = key !== undefined && this.#registered(kind) === undefined;
    const nearest = isEntity ? nearestWord(kind, [...this.#definitions.keys()]) : undefined;
    return new QStreamError("ACTOR_STOPPED", `no actor is called ${JSON.stringify(text.slice(0, 80))}`, {
      advice:
        nearest === undefined
          ? "Write its name, kind/key of an entity, or what `list` shows"
          : `Did you mean the kind "${nearest}"?`,
    });
  }
}

function notThere(what: string, word: string, words: readonly string[]): QStreamError {
  const nearest = nearestWord(word, words);
  return new QStreamError("OPTION_INVALID", `no ${what} is called ${JSON.stringify(word.slice(0, 80))}`, {
    advice: nearest === undefined ? `There are ${words.slice(0, 20).join(", ")}` : `Did you mean "${nearest}"?`,
  });
}

function notShown(text: string, silent: readonly string[]): QStreamError {
  const slots = silent.join(" and ");
  const doesOrDo = silent.length === 1 ? "doesn't" : "don't";
  return new QStreamError(
    "ASK_TIMEOUT",
    `no slot that answers has ${JSON.stringify(text.slice(0, 80))}: ${slots} ${doesOrDo} answer`,
    { advice: "A handler may be at work there for long; `list` shows those elsewhere" },
  );
}
