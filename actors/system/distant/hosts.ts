import type { ActorPlace, AnyReference } from "../../../lib/core/contracts/actor.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import { hashString } from "../../../lib/core/hash.ts";
import { channelOfHash } from "../../../lib/core/key.ts";
import type { SlotPlace } from "../../../lib/core/placement-strategy.ts";
import { Reference } from "../reference.ts";

/** A host of actors, one a slot: who it is now, and where. */
export interface HostPlace {
  readonly channel: number;
  /** Undefined while it is lost, and no other life has taken over. */
  readonly life: number | undefined;
  readonly slot: string;
  /** How many actors are thought to live there. */
  readonly actors: number;
}

type Host = { -readonly [K in keyof HostPlace]: HostPlace[K] };

/** The hosts of a system as one node knows them. */
export class Hosts {
  readonly #hosts: Host[] = [];
  #slots: ReadonlyMap<string, SlotPlace> = new Map();
  readonly #byLife = new Map<number, Host>();
  #turn = 0;

  constructor(hosts: readonly { readonly life: number; readonly slot: string }[], slots: readonly SlotPlace[]) {
    this.knowSlots(slots);
    hosts.forEach(({ life, slot }, channel) => {
      this.#hosts.push({ channel, life, slot, actors: 0 });
      this.placed(channel, life, slot);
    });
  }

  get all(): readonly HostPlace[] {
    return this.#hosts;
  }

  /** The slots that there are now, hosts or not. */
  knowSlots(slots: readonly SlotPlace[]): void {
    this.#slots = new Map(slots.map((slot) => [slot.id, slot]));
  }

  /** The host where a key is at home. */
  homeOf(key: string): number {
    return channelOfHash(hashString(key), this.#hosts.length);
  }

  lifeOf(channel: number): number | undefined {
    return this.#hosts[channel]?.life;
  }

  /** A host's life is over. Returns its channel. */
  lost(life: number): number | undefined {
    const host = this.#byLife.get(life);
    if (host === undefined) return undefined;
    this.#byLife.delete(life);
    host.life = undefined;
    return host.channel;
  }

  placed(channel: number, life: number, slot: string): void {
    const host = this.#hosts[channel];
    if (host === undefined) return;
    if (host.life !== undefined) this.#byLife.delete(host.life);
    Object.assign(host, { life, slot, actors: 0 });
    this.#byLife.set(life, host);
  }

  /** A node has said how many actors it has. */
  counted(life: number, actors: number): void {
    const host = this.#byLife.get(life);
    if (host !== undefined) host.actors = actors;
  }

  /**
   * The life of the host on which an actor is to start.
   *
   * @throws QStreamError PLACEMENT_IMPOSSIBLE
   */
  choose(place: ActorPlace): number {
    const living = this.#hosts.filter(({ life }) => life !== undefined);
    const chosen = this.#chooseFrom(living, place);
    if (chosen?.life === undefined) throw this.#impossible(place);
    chosen.actors++;
    return chosen.life;
  }

  #chooseFrom(living: readonly Host[], place: ActorPlace): Host | undefined {
    switch (place.kind) {
      case "near":
        return this.#byLife.get(this.#lifeNear(place.actor) ?? -1);
      case "single":
        return living[0];
      case "tagged":
        return this.#least(living.filter(({ slot }) => this.#slots.get(slot)?.tags.includes(place.tag) === true));
      case "per-machine":
        return this.#leastMachine(living);
      default:
        return this.#least(living);
    }
  }

  #lifeNear(actor: AnyReference): number | undefined {
    if (!(actor instanceof Reference)) return undefined;
    // An entity has no life of its own, but a home.
    return actor.life >= 0 ? actor.life : this.lifeOf(this.homeOf(actor.key));
  }

  /** The one with least actors; of several, each in its turn. */
  #least(hosts: readonly Host[]): Host | undefined {
    const from = this.#turn++;
    let least: Host | undefined;
    for (let index = 0; index < hosts.length; index++) {
      const host = hosts[(from + index) % hosts.length];
      if (host !== undefined && (least === undefined || host.actors < least.actors)) least = host;
    }
    return least;
  }

  #leastMachine(hosts: readonly Host[]): Host | undefined {
    const byMachine = new Map<string, Host[]>();
    for (const host of hosts) {
      const machine = this.#slots.get(host.slot)?.machine ?? "";
      const known = byMachine.get(machine);
      if (known === undefined) byMachine.set(machine, [host]);
      else known.push(host);
    }
    const sum = (all: readonly Host[]): number => all.reduce((count, { actors }) => count + actors, 0);
    const [least] = [...byMachine.values()].toSorted((left, right) => sum(left) - sum(right));
    return this.#least(least ?? []);
  }

  #impossible(place: ActorPlace): QStreamError {
    const what = place.kind === "tagged" ? `on a machine with the tag "${place.tag}"` : "anywhere";
    return new QStreamError("PLACEMENT_IMPOSSIBLE", `no actor can start ${what}: no such slot lives`, {
      advice: "Start machines with `qstream worker --tag`, or place it otherwise",
    });
  }
}
