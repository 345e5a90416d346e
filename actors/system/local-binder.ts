import { QStreamError } from "../../lib/core/errors.ts";
import type { Binder } from "./distant/reference-codec.ts";
import type { ActorNode } from "./node.ts";
import { Reference } from "./reference.ts";

/** Binds references to a node that is a system of its own. */
export function localBinder(node: ActorNode): Binder {
  return {
    refer: (life, id, kind) => {
      const self = life === node.life ? node.known(id)?.self : undefined;
      return (self as Reference | undefined) ?? new Reference(node, life, id, kind, undefined);
    },
    entity: (kind, key) => {
      const definition = node.entities.definitionOf(kind);
      if (definition !== undefined) return node.entities.reference(definition, key);
      throw new QStreamError("ACTOR_INVALID", `no entities of the kind "${kind}" are known here`, {
        advice: "Take them from the system: system.entities(definition), or system.entity(definition, key)",
      });
    },
  };
}
