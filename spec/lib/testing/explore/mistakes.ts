// Algorithms with known mistakes, for the specs of exploring.

import { actor, type AnyReference } from "../../../../lib/index.ts";
import { defineExploration, type Exploration, type ExplorationOptions } from "../../../../lib/testing/index.ts";

const store = actor({
  kind: "store",
  init: () => ({ value: 0 }),
  receive: {
    read: (state, from: AnyReference) => from.tell("value", state.value),
    write: (state, value: number) => void (state.value = value),
    add: (state, amount: number) => void (state.value += amount),
  },
});

const counting = actor({
  kind: "counting",
  init: (isCareful: boolean) => ({ isCareful, store: undefined as AnyReference | undefined }),
  receive: {
    count(state, to: AnyReference, ctx) {
      state.store = to;
      if (state.isCareful) to.tell("add", 1);
      else to.tell("read", ctx.self);
    },
    value: (state, value: number) => state.store?.tell("write", value + 1),
  },
});

/** Two clients add one each; who isn't careful reads, and writes one more than that. */
export function additions(
  isCareful: boolean,
  options: Partial<ExplorationOptions<{ shared: AnyReference }>> = {},
): Exploration<{ shared: AnyReference }> {
  return defineExploration<{ shared: AnyReference }>(import.meta.url, {
    name: "additions",
    start(world) {
      const shared = world.spawn(store, undefined, { name: "store" });
      for (const name of ["a", "b"]) world.spawn(counting, isCareful, { name }).tell("count", shared);
      return { shared };
    },
    atEnd: {
      "nothing is lost": ({ shared }, world) => {
        const { value } = world.state<{ value: number }>(shared) ?? { value: -1 };
        return value === 2 || `the sum is ${value}`;
      },
    },
    ...options,
  });
}

const lockState = { holder: undefined as AnyReference | undefined };

const lock = actor({
  kind: "lock",
  init: () => ({ ...lockState, queue: [] as AnyReference[] }),
  receive: {
    acquire(state, who: AnyReference) {
      if (state.holder === undefined) grant(state, who);
      else state.queue.push(who);
    },
    release(state, who: AnyReference) {
      if (state.holder?.equals(who) !== true) return;
      state.holder = undefined;
      const next = state.queue.shift();
      if (next !== undefined) grant(state, next);
    },
    /** Whoever holds it is taken for lost. */
    expire(state, who: AnyReference) {
      if (state.holder?.equals(who) !== true) return;
      state.holder = undefined;
      const next = state.queue.shift();
      if (next !== undefined) grant(state, next);
    },
  },
});

function grant(state: { holder: AnyReference | undefined }, who: AnyReference): void {
  state.holder = who;
  who.tell("granted");
}

export interface HolderState {
  readonly lock: AnyReference;
  readonly workMs: number;
  holds: boolean;
  done: number;
}

const holder = actor({
  kind: "holder",
  init: (own: { lock: AnyReference; workMs: number }): HolderState & typeof own => ({
    ...own,
    holds: false,
    done: 0,
  }),
  receive: {
    want: (state, _: undefined, ctx) => state.lock.tell("acquire", ctx.self),
    granted(state, _: undefined, ctx) {
      state.holds = true;
      ctx.after(state.workMs, "finish");
    },
    finish(state, _: undefined, ctx) {
      state.holds = false;
      state.done++;
      state.lock.tell("release", ctx.self);
    },
  },
});

/** Holders of a lock; somebody outside may take one of them for lost, though it only works for long. */
export function locks(
  isTakenForLost: boolean,
  options: Partial<ExplorationOptions<{ holders: readonly AnyReference[] }>> = {},
): Exploration<{ holders: readonly AnyReference[] }> {
  return defineExploration<{ holders: readonly AnyReference[] }>(import.meta.url, {
    name: "locks",
    machines: ["lock", "a", "b", "c"],
    start(world) {
      const [machine, ...others] = world.machines;
      const server = world.spawn(lock, undefined, { name: "lock", machine });
      const holders = others.map((other) => {
        const own = { lock: server, workMs: 20 };
        return world.spawn(holder, own, { name: other.name, machine: other });
      });
      for (const each of holders) each.tell("want");
      if (isTakenForLost) world.after(15, () => server.tell("expire", holders[0] as AnyReference));
      return { holders };
    },
    never: {
      "two hold the lock": ({ holders }, world) =>
        holders.filter((each) => world.state<HolderState>(each)?.holds === true).length > 1,
    },
    eventually: {
      "all have had it": ({ holders }, world) =>
        holders.every((each) => (world.state<HolderState>(each)?.done ?? 0) > 0),
    },
    ...options,
  });
}
