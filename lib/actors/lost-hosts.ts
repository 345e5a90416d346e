import type { HostPlace } from "../../actors/system/distant/hosts.ts";
import type { ActorMetrics } from "../../actors/system/node-metrics.ts";

/** Hosts of a system whose slots were lost: how many actors went with them, and what these had done as far as that is known. */
export class LostHosts {
  readonly #hosts: () => readonly HostPlace[];
  /** By the hosts' numbers, the counts that their present lives said last. */
  readonly #seen = new Map<number, ActorMetrics>();
  #counts: ActorMetrics = nothing;

  constructor(hosts: () => readonly HostPlace[]) {
    this.#hosts = hosts;
  }

  /** Counts of all hosts that were lost. Their actors have ended. */
  get counts(): ActorMetrics {
    return this.#counts;
  }

  /** A host has said what its actors did so far. */
  saw(channel: number, counts: ActorMetrics): void {
    this.#seen.set(channel, counts);
  }

  /** What a host said last: for one that doesn't answer now. */
  lastOf(channel: number): ActorMetrics {
    return this.#seen.get(channel) ?? nothing;
  }

  /** A slot is lost. Returns how many actors are thought to have been there; undefined where no host was. */
  lost(slot: string): number | undefined {
    const hosts = this.#hosts().filter((host) => host.slot === slot);
    if (hosts.length === 0) return undefined;
    for (const { channel, actors } of hosts) {
      const last = this.lastOf(channel);
      this.#seen.delete(channel);
      // Some may have started since it said so.
      const spawned = Math.max(last.spawned, last.ended + actors);
      this.#counts = addUp(this.#counts, { ...last, actors: 0, spawned, ended: spawned });
    }
    return hosts.reduce((sum, { actors }) => sum + actors, 0);
  }
}

const nothing: ActorMetrics = {
  actors: 0,
  spawned: 0,
  ended: 0,
  handled: 0,
  failed: 0,
  restarted: 0,
  deadLetters: 0,
  dropped: 0,
  counters: {},
};

/** The counts of two parts of a system together. */
export function addUp(left: ActorMetrics, right: ActorMetrics): ActorMetrics {
  const counters: Record<string, number> = { ...left.counters };
  for (const [name, count] of Object.entries(right.counters)) counters[name] = (counters[name] ?? 0) + count;
  return {
    actors: left.actors + right.actors,
    spawned: left.spawned + right.spawned,
    ended: left.ended + right.ended,
    handled: left.handled + right.handled,
    failed: left.failed + right.failed,
    restarted: left.restarted + right.restarted,
    deadLetters: left.deadLetters + right.deadLetters,
    dropped: left.dropped + right.dropped,
    counters,
  };
}
