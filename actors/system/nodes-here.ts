import type { ActorHome } from "../../lib/core/actor-home.ts";
import type { Binder } from "./distant/reference-codec.ts";
import type { ActorNode } from "./node.ts";

/** A node of actors that is in this thread. */
export interface NodeHere {
  readonly node: ActorNode;
  readonly binder: Binder;
  /** The slot that it is in; undefined for a system that has no slots. */
  readonly slot: string | undefined;
}

interface Here {
  readonly nodes: Map<string, NodeHere[]>;
  readonly homes: WeakMap<ActorNode, ActorHome>;
  readonly waiting: Set<() => void>;
}

// One a thread, shared by several copies of this package (a bundle's and ours).
const hereSymbol = Symbol.for("qstream.nodes-here.1");
const holder = globalThis as { [hereSymbol]?: Here };
const here: Here = (holder[hereSymbol] ??= { nodes: new Map(), homes: new WeakMap(), waiting: new Set() });

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

/** The system that a node is of; undefined for one that nobody outside of it can reach. */
export function homeOfNode(node: ActorNode): ActorHome | undefined {
  return here.homes.get(node);
}

/** Calls back when a node comes to be in this thread. Returns a function that takes that back. */
export function onNodeHere(callback: () => void): () => void {
  here.waiting.add(callback);
  return () => void here.waiting.delete(callback);
}
