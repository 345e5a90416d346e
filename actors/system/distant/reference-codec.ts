import { actorHome, type ActorHome } from "../../../lib/core/actor-home.ts";
import type { AnyReference } from "../../../lib/core/contracts/actor.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import { registerCodec } from "../../../lib/core/codec/index.ts";
import { arrivedReference, AwayEntity, AwayReference, type AwayActor } from "../away-reference.ts";
import { cellFlag } from "../cell.ts";
import { EntityReference } from "../entities.ts";
import { doorsTo } from "../nodes-here.ts";
import { Reference } from "../reference.ts";

/** Makes references that belong to a node, of what travels. */
export interface Binder {
  /** `memory` tells which life of a node wrote it to a log; undefined for what comes from a node that lives. */
  refer: (life: number, id: number, kind: string, memory?: string) => Reference;
  entity: (kind: string, key: string) => EntityReference;
}

/** The node that decodes now: a thread may have several. */
let binder: Binder | undefined;

/** Runs something in which references that are decoded belong to a node. */
export function bindingTo<T>(to: Binder, work: () => T): T {
  const before = binder;
  binder = to;
  try {
    return work();
  } finally {
    binder = before;
  }
}

/** While references are written to a log: the life of the node that writes. */
let memory: string | undefined;

/** Runs something in which references are written to a log: entities by their kind, which the log's reader knows. */
export function journaling<T>(writer: string, work: () => T): T {
  const before = memory;
  memory = writer;
  try {
    return work();
  } finally {
    memory = before;
  }
}

function bound(): Binder {
  if (binder !== undefined) return binder;
  throw new QStreamError("CANNOT_TRAVEL", "a reference to an actor came to where no actors are", {
    advice: "References travel in messages of actors and in arguments of flows, and not in the objects of streams",
  });
}

/** Whoever gets a reference may send to it: its node finds it by its number from then on. */
export function known(reference: Reference): Reference {
  const { cell } = reference;
  if (cell !== undefined && (cell.flags & cellFlag.ended) === 0) cell.node.know(cell);
  return reference;
}

/** While a flow's arguments are encoded: references in them tell their system, too. */
let isLeaving = false;

/** Runs something that encodes what leaves a system of actors. */
export function leavingSystem<T>(work: () => T): T {
  const before = isLeaving;
  isLeaving = true;
  try {
    return work();
  } finally {
    isLeaving = before;
  }
}

/** The slot that decodes now what left a system. */
let slotHere: string | undefined;

/** Runs something in which references come to a slot from outside of their system. */
export function arrivingIn<T>(slot: string | undefined, work: () => T): T {
  const before = slotHere;
  slotHere = slot;
  try {
    return work();
  } finally {
    slotHere = before;
  }
}

export function arrivingSlot(): string | undefined {
  return slotHere;
}

/** The system of something that leaves it. */
export function homeToLeave(home: ActorHome | undefined, label: string): ActorHome {
  if (home !== undefined) return home;
  throw new QStreamError("CANNOT_TRAVEL", `${label} is of a system of actors that can't be reached from elsewhere`, {
    advice: "Start its system by startActors() or defineActors(...).start()",
  });
}

/** Under which name a system that something leaves knows a definition. */
export function nameToLeave(definition: Named, home: ActorHome | undefined): string {
  return home?.reach === "slots" ? nameOf(definition) : definition.kind;
}

/** A system, and slots by which it can be reached. */
export type Home = readonly [system: string, reach: ActorHome["reach"], ...doors: string[]];
type Address = readonly [
  life: number,
  id: number,
  kind: string,
  memory?: string | undefined,
  home?: Home,
  label?: string,
];
type EntityAddress = readonly [kind: string, key: string, home?: Home, label?: string];

registerCodec<Reference, Address>(Reference, {
  name: "qstream:actor-reference",
  encode: (reference) => {
    const { life, id, kind } = known(reference);
    if (isLeaving) return [life, id, kind, undefined, leave(reference), reference.label];
    return memory === undefined ? [life, id, kind] : [life, id, kind, memory];
  },
  decode: (address) => decodeReference(address) as Reference,
});

registerCodec<EntityReference, EntityAddress>(EntityReference, {
  name: "qstream:entity-reference",
  encode: (reference) => {
    const { definition, entityKey } = reference;
    if (isLeaving) {
      return [nameToLeave(definition, reference[actorHome]), entityKey, leave(reference), reference.label];
    }
    return [nameOf(definition), entityKey];
  },
  decode: (address) => decodeEntity(address) as EntityReference,
});

registerCodec<AwayReference, Address>(AwayReference, {
  name: "qstream:away-reference",
  encode: ({ address }) => address as Address,
  decode: (address) => decodeReference(address) as AwayReference,
});

registerCodec<AwayEntity, EntityAddress>(AwayEntity, {
  name: "qstream:away-entity",
  encode: ({ address }) => address as unknown as EntityAddress,
  decode: (address) => decodeEntity(address) as AwayEntity,
});

function leave(reference: Reference): Home {
  return homeData(homeToLeave(reference[actorHome], reference.label));
}

export function homeData({ system, reach }: ActorHome): Home {
  return [system, reach, ...doorsTo(system)];
}

function decodeReference(address: Address): AnyReference {
  const [life, id, kind, writer, home, label = kind] = address;
  if (home === undefined) return bound().refer(life, id, kind, writer);
  return arrived(home, { label, address, isEntity: false, bind: (to) => to.refer(life, id, kind) });
}

function decodeEntity(address: EntityAddress): AnyReference {
  const [kind, key, home, label = kind] = address;
  if (home === undefined) return bound().entity(kind, key);
  return arrived(home, { label, address, isEntity: true, bind: (to) => to.entity(kind, key) });
}

function arrived([system, reach, ...doors]: Home, actor: Omit<AwayActor, "home" | "slot" | "doors">): AnyReference {
  return arrivedReference({ ...actor, home: { system, reach }, slot: slotHere, doors });
}

interface Named {
  readonly kind: string;
  readonly registered: string | undefined;
}

/** Under which name other slots know a definition. */
export function nameOf(definition: Named): string {
  if (definition.registered !== undefined) return definition.registered;
  if (memory !== undefined) return definition.kind;
  throw new QStreamError("ACTOR_INVALID", `other slots don't know the definition of "${definition.kind}"`, {
    advice: "Name it in its module: export default defineActors(import.meta.url, { account })",
  });
}
