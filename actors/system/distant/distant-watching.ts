import type { Ended, EndReason } from "../../../lib/core/contracts/actor.ts";
import { errorFromData, errorToData, type ErrorData } from "../../../lib/core/errors.ts";
import type { Cell } from "../cell.ts";
import { EntityReference } from "../entities.ts";
import type { ActorNode } from "../node.ts";
import type { Reference } from "../reference.ts";
import type { AwaitedActors } from "./awaited-actors.ts";
import type { Hosts } from "./hosts.ts";
import type { NodeMessages, NodeService } from "./node-link.ts";

const endsMost = 10_000;

interface Watch {
  readonly watcher: Reference;
  readonly actor: Reference;
}

interface EndOfActor extends Watch {
  readonly reason: EndReason;
  readonly error: ErrorData | undefined;
}

interface Joined extends NodeMessages {
  readonly node: ActorNode;
  readonly families: { readonly awaited: AwaitedActors };
  readonly canReach: (life: number) => boolean;
}

/** Watches between nodes. */
export class DistantWatching {
  readonly #joined: Joined;
  readonly #hosts: Hosts;
  /** How actors ended that others know, by their numbers: the last ones. */
  readonly #ends = new Map<number, Omit<Ended, "actor">>();
  /** Watches of entities elsewhere by the host that is their home, as an entity has no life of its own. */
  readonly #entities = new Map<number, Map<string, Watch>>();

  constructor(joined: Joined, hosts: Hosts) {
    this.#joined = joined;
    this.#hosts = hosts;
  }

  /** An actor of this node has ended. */
  ended(cell: Cell): void {
    if (this.#joined.node.known(cell.id) !== cell) return;
    const error = cell.extras?.error;
    this.#ends.set(cell.id, error === undefined ? { reason: "stopped" } : { reason: "failed", error });
    if (this.#ends.size <= endsMost) return;
    for (const oldest of this.#ends.keys()) {
      this.#ends.delete(oldest);
      break;
    }
  }

  /** The life of the node where an actor is; undefined where none is known. */
  lifeOf(actor: Reference): number | undefined {
    return actor instanceof EntityReference ? this.#hosts.lifeOf(this.#hosts.homeOf(actor.key)) : actor.life;
  }

  watch(watcher: Reference, actor: Reference): void {
    const life = this.lifeOf(actor);
    // One that others start here may be to come.
    if (life === undefined || (life !== this.#joined.life && !this.#joined.canReach(life))) {
      this.#told({ watcher, actor, reason: "lost", error: undefined });
      return;
    }
    if (actor instanceof EntityReference) this.#watchesOf(actor).set(keyOf(watcher, actor), { watcher, actor });
    this.#joined.tellNode(life, "watch", { watcher, actor }, true);
  }

  unwatch(watcher: Reference, actor: Reference): void {
    if (actor instanceof EntityReference) this.#watchesOf(actor).delete(keyOf(watcher, actor));
    const life = this.lifeOf(actor);
    if (life !== undefined) this.#joined.tellNode(life, "unwatch", { watcher, actor }, true);
  }

  /** An actor that is here has ended, and its watcher is elsewhere. */
  tellEnd(watcher: Reference, { actor, reason, error }: Ended): void {
    const end = { watcher, actor, reason, error: error === undefined ? undefined : errorToData(error) };
    // An entity in a new life may be heard of before its host is: it is told once that is known.
    if (watcher instanceof EntityReference) this.#joined.tellHome(watcher.key, "ended", end);
    else this.#joined.tellNode(watcher.life, "ended", end, true);
  }

  /** A node is lost, and its watchers. What was watched there is told by `Watches`, but for entities. */
  lost(life: number, channel: number | undefined): void {
    for (const { extras } of this.#joined.node.living()) {
      for (const [key, watcher] of extras?.watchers ?? []) {
        const isEntity = watcher instanceof EntityReference;
        const isLost = isEntity ? this.#hosts.homeOf(key) === channel : (watcher as Reference).life === life;
        if (isLost) extras?.watchers?.delete(key);
      }
    }
    if (channel === undefined) return;
    const watches = this.#entities.get(channel);
    this.#entities.delete(channel);
    for (const watch of watches?.values() ?? []) this.#told({ ...watch, reason: "lost", error: undefined });
  }

  readonly services: Readonly<Record<string, NodeService>> = {
    watch: ({ watcher, actor }: Watch) => {
      const { node, families } = this.#joined;
      families.awaited.whenMade(actor.id, () => {
        // Who watches may be lost while the actor is awaited.
        if (!this.#isThere(watcher)) return;
        const cell = node.locate(actor);
        if (cell === undefined)
          this.tellEnd(watcher, { actor, ...(this.#ends.get(actor.id) ?? { reason: "unknown" }) });
        else node.watches.addWatcher(cell, watcher);
      });
    },
    unwatch: ({ watcher, actor }: Watch) => {
      const { node, families } = this.#joined;
      families.awaited.whenMade(actor.id, () => void node.locate(actor)?.extras?.watchers?.delete(watcher.key));
    },
    ended: (end: EndOfActor) => this.#told(end),
  };

  #told({ watcher, actor, reason, error }: EndOfActor): void {
    const { node } = this.#joined;
    if (actor instanceof EntityReference) this.#watchesOf(actor).delete(keyOf(watcher, actor));
    const cell = node.locate(watcher);
    if (cell === undefined) return;
    node.watches.told(cell, error === undefined ? { actor, reason } : { actor, reason, error: errorFromData(error) });
  }

  /** False for one in a life that is lost. An entity may live again. */
  #isThere(watcher: Reference): boolean {
    const { life } = watcher;
    return watcher instanceof EntityReference || life === this.#joined.life || this.#joined.canReach(life);
  }

  #watchesOf(actor: Reference): Map<string, Watch> {
    const channel = this.#hosts.homeOf(actor.key);
    let watches = this.#entities.get(channel);
    if (watches === undefined) this.#entities.set(channel, (watches = new Map()));
    return watches;
  }
}

function keyOf(watcher: Reference, actor: Reference): string {
  return `${watcher.key} ${actor.key}`;
}
