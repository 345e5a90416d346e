import type { DefinedActor, HandlerTable } from "../../../lib/core/actor-definition.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import { EntityReference } from "../entities.ts";
import type { ActorNode } from "../node.ts";
import { durableName, partsOfName, unhandledName } from "./durable-envelopes.ts";
import type { DurableCell } from "./durable-cell.ts";
import type { DurableActors } from "./durable-actors.ts";
import { asyncHandler } from "./refusals.ts";

/** Kinds of actors that a node has met: a durable one gets handlers that log what they do. */
export class DurableDefinitions {
  readonly #node: ActorNode;
  readonly #keeper: DurableActors;
  readonly #byName = new Map<string, DefinedActor>();
  /** Those with logging handlers, by what the user wrote; and the other way around. */
  readonly #derived = new Map<DefinedActor, DefinedActor>();
  readonly #sources = new Map<DefinedActor, DefinedActor>();
  /** Kinds that a log speaks of, and nobody has used yet. */
  readonly #strange = new Map<string, DefinedActor>();

  constructor(node: ActorNode, keeper: DurableActors) {
    this.#node = node;
    this.#keeper = keeper;
  }

  /**
   * The definition as the node runs it.
   *
   * @throws QStreamError ACTOR_INVALID for a durable one that can't work
   */
  derive(definition: DefinedActor): DefinedActor {
    if (this.#sources.has(definition)) return definition;
    const known = this.#derived.get(definition);
    if (known !== undefined) return known;
    const name = definition.registered ?? definition.kind;
    const derived = definition.durable === undefined ? definition : this.#logging(definition, name);
    this.#derived.set(definition, derived);
    this.#sources.set(derived, definition);
    this.#byName.set(name, derived);
    if (derived !== definition) this.#keeper.met(name, this.#strange.has(name));
    return derived;
  }

  sourceOf(derived: DefinedActor): DefinedActor {
    return this.#sources.get(derived) ?? derived;
  }

  /** The definition that a reference means; undefined for one that nobody has used here yet. */
  find(definition: DefinedActor): DefinedActor | undefined {
    if (this.#strange.get(definition.kind) === definition) return this.#byName.get(definition.kind);
    return this.derive(definition);
  }

  /** True for entities that are durable, and for those of whose kind nothing is known yet. */
  mayBeDurable(definition: DefinedActor): boolean {
    const found = this.find(definition);
    return found === undefined || found.durable !== undefined;
  }

  /** A reference by the name that logs have. */
  referenceTo(name: string): EntityReference {
    const { kind, key } = partsOfName(name);
    return this.entity(kind, key);
  }

  entity(kind: string, key: string): EntityReference {
    return new EntityReference(this.#node, this.#byName.get(kind) ?? this.#strangeOf(kind), key);
  }

  nameOf(reference: EntityReference): string {
    return durableName(reference);
  }

  #strangeOf(kind: string): DefinedActor {
    let definition = this.#strange.get(kind);
    if (definition === undefined) {
      const unused = { init: () => undefined, receive: {}, modes: new Map(), mailbox: {}, supervise: [] };
      definition = {
        kind,
        registered: undefined,
        watched: undefined,
        stopped: undefined,
        ...unused,
      } as unknown as DefinedActor;
      this.#strange.set(kind, definition);
    }
    return definition;
  }

  #logging(definition: DefinedActor, name: string): DefinedActor {
    const keeper = this.#keeper;
    checkDurableDefinition(definition, name, this.#byName.get(name));
    const receive: Record<string, HandlerTable[string]> = Object.create(null) as Record<string, HandlerTable[string]>;
    const handle: HandlerTable[string] = (_state, _payload, ctx) => keeper.transitions.handle(ctx as DurableCell);
    for (const table of [definition.receive, ...definition.modes.values()]) {
      for (const message of Object.keys(table)) receive[message] = handle;
    }
    receive[unhandledName] = handle;
    return {
      ...definition,
      receive,
      modes: new Map(),
      init: (_args, ctx) => keeper.begin(ctx as DurableCell),
      stopped: (_state, ctx) => keeper.end(ctx as DurableCell),
    };
  }
}

const AsyncFunction = (async () => {}).constructor;

/**
 * Refuses a durable definition that can't work.
 *
 * @param name - by which logs know it
 * @param known - another definition of that name
 * @throws QStreamError ACTOR_INVALID
 */
export function checkDurableDefinition(definition: DefinedActor, name: string, known?: DefinedActor): void {
  const { kind, durable, receive, modes, init, watched } = definition;
  if (known !== undefined) {
    throw invalid(
      kind,
      `is durable, and another definition has its name "${name}"`,
      "Give each kind a name of its own",
    );
  }
  if (definition.registered === undefined && name === "actor") {
    throw invalid(
      kind,
      "is durable, and has no kind of its own: another program's actors on the same store would be taken for it",
      'Name it: actor({ kind: "account", durable: true, ... })',
    );
  }
  if (name.includes("/") || /\p{Surrogate}/u.test(name) || name.length > 256) {
    throw invalid(
      kind,
      "is durable, and its name can't be in a log",
      "Take a name of 1 to 256 characters without a slash",
    );
  }
  if (watched !== undefined) {
    throw invalid(kind, "is durable, and watches others", "Let an actor that isn't durable watch, and tell this one");
  }
  for (const [what, value] of Object.entries({ snapshotEvery: durable?.snapshotEvery, version: durable?.version })) {
    if (value === undefined || (Number.isSafeInteger(value) && value >= 1)) continue;
    throw invalid(kind, `has \`${what}: ${value}\``, "Give it a whole number from 1 on");
  }
  if (init instanceof AsyncFunction) throw asyncHandler(`the actor "${kind}"`, "init");
  for (const table of [receive, ...modes.values()]) {
    for (const [message, handler] of Object.entries(table)) {
      if (handler instanceof AsyncFunction) throw asyncHandler(`the actor "${kind}"`, message);
    }
  }
}

function invalid(kind: string, what: string, advice: string): QStreamError {
  return new QStreamError("ACTOR_INVALID", `the actor "${kind}" ${what}`, { advice });
}
