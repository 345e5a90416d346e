import { checkDurableDefinition } from "../../actors/system/durable/durable-definitions.ts";
import { checkOptionNames, namesOf } from "../core/option-names.ts";
import { definedActor, type DefinedActor } from "../core/actor-definition.ts";
import type { ActorDefinition } from "../core/contracts/actor.ts";
import { QStreamError } from "../core/errors.ts";
import { isSlot, haltModule, registerFlow, type FlowReference } from "../core/flow-registry.ts";
import type { ActorsCode } from "../core/program.ts";
import { automatic } from "../partition/index.ts";
import { Graph } from "../flow/graph.ts";
import { sessionOptionNames } from "../flow/session-option-names.ts";
import { startSystem, type ActorsOptions, type SystemStart } from "./start-system.ts";
import type { DistributedActors } from "./distributed-actors.ts";

/** Definitions of actors by their names. */
// oxlint-disable-next-line typescript/no-explicit-any -- of any protocol and arguments
export type ActorDefinitions = Readonly<Record<string, ActorDefinition<any, any>>>;

/** What `defineActors` gives: definitions that every slot knows, and the way to start a system of them. */
export interface Actors<Definitions extends ActorDefinitions> {
  /** That of the module, unless it defines several. */
  readonly name: string;
  readonly definitions: Definitions;
  /**
   * Starts a system of these actors on the slots of a session: one of its own, or with `on` the given one.
   *
   * @example
   * await using system = await bank.start({ slots: 4 });
   * const ann = system.spawn(account, { owner: "ann" });
   */
  start: (options?: ActorsOptions) => Promise<DistributedActors>;
}

/**
 * Makes definitions of actors known under names, so that actors of them can start in any slot, on any machine, and be entities there.
 *
 * @param module - `import.meta.url` of the module that defines them, so that slots can load it
 * @param definitions - by their names, which tell them apart
 * @throws QStreamError ACTOR_INVALID for what is no definition, or one that can't work
 * @example
 * export const account = actor({ init: () => ({ cents: 0 }), receive: { pay(state, cents: number) { state.cents += cents; } } });
 * export default defineActors(import.meta.url, { account });
 */
export function defineActors<const Definitions extends ActorDefinitions>(
  module: string,
  definitions: Definitions,
): Actors<Definitions> {
  if (typeof module !== "string" || !module.includes(":")) {
    throw new QStreamError("OPTION_INVALID", "defineActors wants import.meta.url and definitions", {
      advice: "Write defineActors(import.meta.url, { account })",
    });
  }
  const known = named(definitions);
  let name = "";
  const codeOf = (system: string, journal: string | undefined): readonly ActorsCode[] => [
    { kind: "actors", definitions: known, journal },
    { kind: "actors", definitions: known, client: waiting.get(system) },
  ];
  const graphOf = ({ system, hosts, journal }: SystemArguments): Graph => {
    const graph = new Graph(name);
    const [code, client] = codeOf(system, journal) as [ActorsCode, ActorsCode];
    const common = { ...stepDefaults, options: [...known.keys()], inputs: [] };
    graph.add({ ...common, id: "actors", what: "actors", code, parallelism: "per-slot", channels: hosts });
    graph.add({ ...common, id: "client", what: "client", code: client, parallelism: "client", channels: undefined });
    return graph;
  };
  const waiting = new Map<string, ActorsCode["client"]>();
  name = registerFlow(module, undefined, {
    build: (args) => graphOf(args as SystemArguments).program(automatic() as never),
    prepare: (args) => ({ graph: graphOf(args as SystemArguments), outputs: {} }),
  });
  const reference: FlowReference = { module, name, load: module };
  const prepare = (system: SystemStart): { readonly graph: Graph; readonly args: object } => {
    const args: SystemArguments = { system: system.id, hosts: system.hosts, journal: system.journal };
    waiting.set(system.id, system.client);
    return { graph: graphOf(args), args };
  };
  const start = async (options: ActorsOptions = {}): Promise<DistributedActors> => {
    if (isSlot()) {
      // A module that starts its system at its top level runs again in each slot: there that never settles.
      haltModule(module);
      return new Promise(() => {});
    }
    checkOptionNames("start()", options, startNames);
    return startSystem({ reference, options, definitions: known, prepare, forget: (id) => void waiting.delete(id) });
  };
  return { name, definitions, start };
}

interface SystemArguments {
  readonly system: string;
  readonly hosts: number | undefined;
  readonly journal: string | undefined;
}

const stepDefaults = {
  place: undefined,
  declares: undefined,
  representations: undefined,
  mayBlock: false,
  endsEarly: false,
  skips: false,
} as const;

const startNames = namesOf<ActorsOptions>({
  on: true,
  hosts: true,
  onEvent: true,
  onExecution: true,
  signal: true,
  attachable: true,
  ...sessionOptionNames,
});

/** Gives definitions the names by which other slots know them. */
function named(definitions: ActorDefinitions): Map<string, DefinedActor> {
  const known = new Map<string, DefinedActor>();
  for (const [name, definition] of Object.entries(definitions)) {
    const defined = definedActor(definition);
    if (typeof defined?.init !== "function") throw invalid(`"${name}" is no definition of an actor`);
    if (name.length > 128) throw invalid(`"${name.slice(0, 40)}..." has ${name.length} characters: 128 at most`);
    if (defined.registered !== undefined && defined.registered !== name) {
      throw invalid(`one definition is called "${defined.registered}" and "${name}"`);
    }
    defined.registered = name;
    if (defined.kind === "actor") defined.kind = name;
    if (defined.durable !== undefined) checkDurableDefinition(defined, name);
    known.set(name, defined);
  }
  if (known.size > 0) return known;
  throw invalid("there are none");
}

function invalid(what: string): QStreamError {
  return new QStreamError("ACTOR_INVALID", `defineActors: ${what}`, {
    advice: "Give it definitions by their names: defineActors(import.meta.url, { account: actor({ ... }) })",
  });
}
