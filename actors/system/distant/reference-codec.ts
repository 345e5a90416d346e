import { QStreamError } from "../../../lib/core/errors.ts";
import { registerCodec } from "../../../lib/core/codec/index.ts";
import { cellFlag } from "../cell.ts";
import { EntityReference } from "../entities.ts";
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
    advice: "References travel in messages of actors, and not in the objects of streams",
  });
}

/** Whoever gets a reference may send to it: its node finds it by its number from then on. */
export function known(reference: Reference): Reference {
  const { cell } = reference;
  if (cell !== undefined && (cell.flags & cellFlag.ended) === 0) cell.node.know(cell);
  return reference;
}

type Address = readonly [life: number, id: number, kind: string, memory?: string];

registerCodec<Reference, Address>(Reference, {
  name: "qstream:actor-reference",
  encode: (reference) => {
    const { life, id, kind } = known(reference);
    return memory === undefined ? [life, id, kind] : [life, id, kind, memory];
  },
  decode: ([life, id, kind, writer]) => bound().refer(life, id, kind, writer),
});

registerCodec<EntityReference, readonly [kind: string, key: string]>(EntityReference, {
  name: "qstream:entity-reference",
  encode: ({ definition, entityKey }) => [nameOf(definition), entityKey],
  decode: ([kind, key]) => bound().entity(kind, key),
});

/** Under which name other slots know a definition. */
export function nameOf(definition: { readonly kind: string; readonly registered: string | undefined }): string {
  if (definition.registered !== undefined) return definition.registered;
  if (memory !== undefined) return definition.kind;
  throw new QStreamError("ACTOR_INVALID", `other slots don't know the definition of "${definition.kind}"`, {
    advice: "Name it in its module: export default defineActors(import.meta.url, { account })",
  });
}
