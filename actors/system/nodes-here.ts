import type { ActorHome } from "../../lib/core/actor-home.ts";
import type { AnyReference, AskOptions } from "../../lib/core/contracts/actor.ts";
import type { Clock } from "../../lib/core/seam/clock.ts";
import type { Binder } from "./distant/reference-codec.ts";
import type { ActorNode } from "./node.ts";

/** A node of actors that is in this thread. */
export interface NodeHere {
  readonly node: ActorNode;
  readonly binder: Binder;
  /** The slot that it is in; undefined for a system that has no slots. */
  readonly slot: string | undefined;
  /** Slots in which nodes of the system are. */
  readonly slots?: () => readonly string[];
}

/** Reaches actors from a slot that has no node of their system, by way of another slot. */
export interface Guests {
  readonly clock: Clock;
  /** One of some slots where a node is, if one answers that it has one. */
  way: (system: string, doors: readonly string[]) => Promise<string | undefined>;
  ask: (way: string, to: AnyReference, name: string, payload: unknown, options?: AskOptions) => Promise<unknown>;
}

interface Here {
  readonly nodes: Map<string, NodeHere[]>;
  readonly homes: WeakMap<ActorNode, ActorHome>;
  readonly waiting: Set<() => void>;
  readonly guests: Map<string, Guests>;
}

// One a thread, shared by several copies of this package (a bundle's and ours).
const hereSymbol = Symbol.for("qstream.nodes-here.1");
const holder = globalThis as { [hereSymbol]?: Here };
const here: Here = (holder[hereSymbol] ??= {
  nodes: new Map(),
  homes: new WeakMap(),
  waiting: new Set(),
  guests: new Map(),
});

/**
 * Says that a node of a system is in this thread, so that references which come from elsewhere can be bound to it.
 *
 * @returns what takes that back
 */
export function nodeIsHere(home: ActorHome, added: NodeHere): () => void {
  const { system } = home;
  here.homes.set(added.node, home);
  here.nodes.set(system, [...(here.nodes.get(system) ?? []), added]);
  for (const wake of here.waiting) wake();
  return () => {
    const left = (here.nodes.get(system) ?? []).filter((each) => each !== added);
    if (left.length > 0) here.nodes.set(system, left);
    else here.nodes.delete(system);
  };
}

/** The node of a system in this thread: that of the slot, where there are several. */
export function findNodeHere(system: string, slot: string | undefined): NodeHere | undefined {
  const nodes = here.nodes.get(system);
  return nodes?.find((each) => each.slot === slot) ?? nodes?.[0];
}

/** Says how actors are reached from a slot of this thread. Returns what takes that back. */
export function guestsCome(slot: string, guests: Guests): () => void {
  here.guests.set(slot, guests);
  return () => void (here.guests.get(slot) === guests && here.guests.delete(slot));
}

export function guestsOf(slot: string | undefined): Guests | undefined {
  return slot === undefined ? undefined : here.guests.get(slot);
}

/** Slots by which a system can be reached from others: first the one whose thread this is, which is lost last. */
export function doorsTo(system: string): readonly string[] {
  const [found] = here.nodes.get(system) ?? [];
  if (found?.slot === undefined) return [];
  return [...new Set([found.slot, ...(found.slots?.() ?? [])])];
}

/** The system that a node is of; undefined for one that nobody outside of it can reach. */
export function homeOfNode(node: ActorNode): ActorHome | undefined {
  return here.homes.get(node);
}

/** Calls back when a node comes to be in this thread. Returns a function that takes that back. */
export function onNodeHere(callback: () => void): () => void {
  here.waiting.add(callback);
  return () => void here.waiting.delete(callback);
}
