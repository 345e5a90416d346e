// Small systems of actors that do what chance says, for the specs that compare reductions with all orders.

import fc from "fast-check";
import { actor, type ActorContext, type AnyReference } from "../../../../lib/index.ts";
import {
  defineExploration,
  type Exploration,
  type ExplorationOptions,
  type ExploredDisk,
  type ExploredWorld,
} from "../../../../lib/testing/index.ts";

const plainActs = [
  "cancel",
  "flush",
  "spawn",
  "tell child",
  "stop child",
  "subscribe",
  "publish",
  "find",
  "draw",
  "now",
  "set aside",
  "fail",
] as const;

/** What an actor does at a message. */
export type Act =
  | { readonly do: "tell" | "ask" | "watch" | "unwatch"; readonly to: number }
  | { readonly do: "after"; readonly ms: number }
  | { readonly do: "write" | "read"; readonly key: number }
  | { readonly do: (typeof plainActs)[number] };

export interface RandomSystem {
  /** The machine of each actor. */
  readonly places: readonly number[];
  /** What each actor does at its first message, and at its second. */
  readonly acts: readonly (readonly (readonly Act[])[])[];
  /** Who is told something at the start, and later. */
  readonly begins: readonly number[];
  readonly later: readonly number[];
  readonly losses: number;
  readonly repeats: number;
  readonly crashes: number;
  readonly restarts: boolean;
  readonly reorder: boolean;
}

export interface NodeState {
  readonly id: number;
  readonly system: RandomSystem;
  readonly nodes: readonly AnyReference[];
  readonly disk: ExploredDisk;
  readonly got: string[];
  timer: number;
  child: AnyReference | undefined;
}

const child = actor({
  kind: "child",
  init: (parent: AnyReference) => ({ parent }),
  receive: { put: ({ parent }) => parent.tell("note", "child") },
});

export const node = actor({
  kind: "node",
  supervise: [{ do: "restart" }],
  init: (own: Pick<NodeState, "id" | "system" | "nodes" | "disk">): NodeState => ({
    ...own,
    got: [],
    timer: 0,
    child: undefined,
  }),
  receive: {
    put(state, from: string, ctx) {
      const acts = state.system.acts[state.id]?.[state.got.length] ?? [];
      state.got.push(from);
      for (const act of acts) {
        const waited = perform(state, act, ctx);
        if (waited !== undefined) return waited;
      }
      return undefined;
    },
    note: (state, what: string) => void state.got.push(what),
    get: (state) => state.got.length,
  },
  watched: (state, { reason }) => void state.got.push(reason),
});

/** Does something; a promise is what the handler ends with. */
function perform(state: NodeState, act: Act, ctx: ActorContext): Promise<void> | undefined {
  const { id, nodes, disk, got } = state;
  switch (act.do) {
    case "tell":
      nodes[act.to]?.tell("put", String(id));
      return undefined;
    case "ask":
      return asked(state, (id + 1 + act.to) % nodes.length);
    case "find":
      return ctx.find(`n${(id + 1) % nodes.length}`).then((found) => void got.push(found === undefined ? "none" : "f"));
    case "watch":
      ctx.watch(nodes[(id + 1 + act.to) % nodes.length] as AnyReference);
      return undefined;
    case "unwatch":
      ctx.unwatch(nodes[(id + 1 + act.to) % nodes.length] as AnyReference);
      return undefined;
    case "after":
      state.timer = ctx.after(act.ms, "put", "t");
      return undefined;
    case "cancel":
      ctx.cancel(state.timer);
      return undefined;
    case "write":
      disk.set(String(act.key), `${id}${got.length}`);
      return undefined;
    case "read":
      got.push(`d${disk.get<string>(String(act.key)) ?? ""}`);
      return undefined;
    case "flush":
      disk.flush();
      return undefined;
    case "spawn":
      state.child ??= ctx.spawn(child, ctx.self);
      ctx.watch(state.child);
      return undefined;
    case "tell child":
      state.child?.tell("put");
      return undefined;
    case "stop child":
      if (state.child !== undefined) ctx.stop(state.child);
      return undefined;
    case "subscribe":
      ctx.subscribe("topic", "note");
      return undefined;
    case "publish":
      ctx.publish("topic", `p${id}`);
      return undefined;
    case "draw":
      got.push(String(Math.floor(3 * ctx.random())));
      return undefined;
    case "now":
      got.push(`@${ctx.now() % 1000}`);
      return undefined;
    case "set aside":
      if (got.length === 1) ctx.stash();
      else ctx.unstash();
      return undefined;
    case "fail":
      throw new Error("boom");
  }
}

async function asked({ nodes, got }: NodeState, to: number): Promise<void> {
  try {
    got.push(`a${String(await nodes[to]?.ask("get"))}`);
  } catch (error) {
    got.push((error as { code: string }).code);
  }
}

const id = fc.nat(2);

const anyAct: fc.Arbitrary<Act> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("tell" as const), to: id }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("ask", "watch", "unwatch"), to: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("after" as const), ms: fc.constantFrom(5, 10) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("write", "read"), key: fc.nat(1) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom(...plainActs) }) },
);

/** Systems of three actors on one to three machines. */
export const anySystem: fc.Arbitrary<RandomSystem> = fc.record({
  places: fc.array(id, { minLength: 3, maxLength: 3 }),
  acts: fc.array(fc.array(fc.array(anyAct, { maxLength: 3 }), { minLength: 1, maxLength: 2 }), {
    minLength: 3,
    maxLength: 3,
  }),
  begins: fc.array(id, { minLength: 1, maxLength: 3 }),
  later: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.array(id, { maxLength: 2 }) }),
  losses: fc.constantFrom(0, 0, 1),
  repeats: fc.constantFrom(0, 0, 1),
  crashes: fc.constantFrom(0, 0, 1),
  restarts: fc.boolean(),
  reorder: fc.constantFrom(false, false, true),
});

/** The world as a check may see it: a text of several things that it looks at, in one of several ways. */
export type Look = (nodes: readonly AnyReference[], world: ExploredWorld) => string;

const gotBy = (world: ExploredWorld, one: AnyReference | undefined): string =>
  one === undefined ? "" : (world.state<NodeState>(one)?.got.join("") ?? "down");

const looks: readonly Look[] = [
  ([one, two], world) => `${gotBy(world, one)} ${gotBy(world, two)}`,
  // What it looks at is decided by what it sees.
  ([one, two, three], world) =>
    gotBy(world, one) === "" ? "none" : gotBy(world, two).length > 1 ? gotBy(world, three) : "few",
  ([one], world) => `${String(world.machines[0]?.disk.get("0"))} ${gotBy(world, one)}`,
  ([one], world) => `${world.inFlight().length} ${gotBy(world, one)}`,
  ([, two], world) => `${world.machines.map(({ isUp, restarts }) => `${isUp}${restarts}`).join()} ${gotBy(world, two)}`,
  (_, world) => [...world.states<NodeState>(node)].map(({ got }) => got.length).join(),
  ([one, two], world) => `${world.nowMs} ${gotBy(world, two)} ${world.isAlive(one as AnyReference)}`,
  ([one, two], world) => `${gotBy(world, one).length > 1} ${gotBy(world, two).length > 1}`,
];

export const anyLook: fc.Arbitrary<number> = fc.nat(looks.length - 1);

export function lookOf(number: number): Look {
  return looks[number] as Look;
}

/** The exploration of such a system. */
export function explorationOf(
  system: RandomSystem,
  begun: () => void,
  options: Partial<ExplorationOptions<readonly AnyReference[]>>,
): Exploration<readonly AnyReference[]> {
  const { places, begins, later, restarts, reorder, losses, repeats, crashes } = system;
  return defineExploration<readonly AnyReference[]>(import.meta.url, {
    machines: 3,
    mayFail: true,
    start(world) {
      begun();
      const nodes: AnyReference[] = [];
      for (const [number, place] of places.entries()) {
        const machine = world.machines[place];
        const own = { id: number, system, nodes, disk: world.machines[place]?.disk as ExploredDisk };
        nodes.push(world.spawn(node, own, { name: `n${number}`, machine }));
      }
      for (const each of begins) nodes[each]?.tell("put", "o");
      for (const [number, each] of later.entries()) world.after(10 * number, () => nodes[each]?.tell("put", "l"));
      return nodes;
    },
    faults: {
      reorder,
      ...(losses > 0 ? { loss: 0.1 } : {}),
      ...(repeats > 0 ? { duplicate: 0.1 } : {}),
      ...(crashes > 0 ? { crashes: restarts ? { most: 1, restartAfterMs: 10 } : { most: 1 } } : {}),
    },
    ...options,
  });
}
