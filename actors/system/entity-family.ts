import { actorHome, type ActorHome } from "../../lib/core/actor-home.ts";
import { registerCodec } from "../../lib/core/codec/index.ts";
import type { ActorReference } from "../../lib/core/contracts/actor.ts";
import type { EntityKind } from "../../lib/core/contracts/entity-kind.ts";
import type { DefinedActor } from "../../lib/core/actor-definition.ts";
import { arrivedReference } from "./away-reference.ts";
import { arrivingSlot, homeData, homeToLeave, nameToLeave, type Home } from "./distant/reference-codec.ts";
import type { ActorNode } from "./node.ts";
import { homeOfNode } from "./nodes-here.ts";

type ReferenceOf = (key: string) => ActorReference<never>;

/** The entities of a kind, as they are given to others. */
export class EntityFamily implements EntityKind<never> {
  readonly kind: string;
  /** By which a node of the system knows the kind. */
  readonly name: string;
  readonly [actorHome]: ActorHome | undefined;
  readonly of: ReferenceOf;

  constructor(name: string, kind: string, home: ActorHome | undefined, of: ReferenceOf) {
    this.name = name;
    this.kind = kind;
    this[actorHome] = home;
    this.of = of;
  }
}

/** The entities of a kind, for who is in the thread of a node. */
export function entitiesOf(node: ActorNode, definition: DefinedActor): EntityFamily {
  node.entities.meet(definition);
  const home = homeOfNode(node);
  return new EntityFamily(
    nameToLeave(definition, home),
    definition.kind,
    home,
    (key) => node.entity(definition, key) as ActorReference<never>,
  );
}

type FamilyData = readonly [name: string, kind: string, home: Home];

registerCodec<EntityFamily, FamilyData>(EntityFamily, {
  name: "qstream:entity-kind",
  encode: ({ name, kind, [actorHome]: home }) => [name, kind, homeData(homeToLeave(home, kind))],
  decode: ([name, kind, data]) => {
    const [system, reach, ...doors] = data;
    const home = { system, reach };
    const slot = arrivingSlot();
    const of: ReferenceOf = (key) =>
      arrivedReference({
        home,
        label: `${kind}/${key}`,
        slot,
        isEntity: true,
        bind: (binder) => binder.entity(name, key),
        doors,
        address: [name, key, data, `${kind}/${key}`],
      }) as ActorReference<never>;
    return new EntityFamily(name, kind, home, of);
  },
});
