import type { ClientNode } from "../../actors/slot/hosted-node.ts";
import type { ActorEvent } from "../../actors/system/node-parts.ts";
import type { AnyReference } from "../core/contracts/actor.ts";
import { QStreamError } from "../core/errors.ts";
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

/** Answers those who look at a system: what is asked for comes as data that JSON can hold. */
export class SystemView {
  readonly #system: DistributedActors;
  readonly #client: ClientNode;
  readonly #letters: ShownLetter[] = [];

  constructor(system: DistributedActors, client: ClientNode) {
    this.#system = system;
    this.#client = client;
  }

  /** Something happened in the system. */
  happened(event: ActorEvent): void {
    if (event.kind !== "dead-letter") return;
    const { to, message, why } = event;
    this.#letters.push({ to, message, why, at: new Date(this.#client.node.clock.now()).toISOString() });
    if (this.#letters.length > lettersMost) this.#letters.shift();
  }

  /** @throws QStreamError OPTION_INVALID; whatever an actor answers with */
  async answer(request: ViewRequest): Promise<unknown> {
    switch (request.kind) {
      case "list":
        return this.#list(request);
      case "metrics":
        return { execution: this.#system.execution, hosts: this.#system.hosts, ...(await this.#system.metrics()) };
      case "dead-letters":
        return this.#letters;
      case "inspect": {
        const text = await this.#system.inspect(await this.#find(request.actor));
        if (text === undefined) throw unknownActor(request.actor);
        return text;
      }
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

  async #list({ of, slot, most = listMostDefault }: Extract<ViewRequest, { kind: "list" }>): Promise<unknown> {
    const query = { most: Math.min(most, listMost), ...(of === undefined ? {} : { kind: of }) };
    const listed = await this.#system.list(query);
    const wanted = slot === undefined ? listed : listed.filter((entry) => entry.slot === slot);
    return wanted.slice(0, query.most).map(({ label, kind, slot: where, state, waiting, handled, restarts }) => ({
      actor: label,
      kind,
      slot: where,
      state,
      waiting,
      handled,
      restarts,
    }));
  }

  /** By name, as `kind/key` of an entity, or as lists show it. */
  async #find(text: string): Promise<AnyReference> {
    const named = await this.#system.find(text);
    if (named !== undefined) return named;
    const [kind = "", key] = text.split(/\/(.*)/su);
    if (key !== undefined && key !== "") return this.#client.distant.entity(kind, key);
    const listed = await this.#system.list({ most: listMost });
    const found = listed.find(({ label }) => label === text);
    if (found !== undefined) return found.reference;
    throw unknownActor(text);
  }
}

function unknownActor(text: string): QStreamError {
  return new QStreamError("ACTOR_STOPPED", `no actor is called ${JSON.stringify(text.slice(0, 80))}`, {
    advice: "Write its name, kind/key of an entity, or what `list` shows",
  });
}
