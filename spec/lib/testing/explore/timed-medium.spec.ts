import * as assert from "uvu/assert";
import { actor, type AnyReference } from "../../../../lib/index.ts";
import {
  defineExploration,
  explore,
  findViolation,
  type ExplorationFaults,
  type ExplorationOptions,
} from "../../../../lib/testing/index.ts";
import { suite } from "../../../kit/suite.ts";
import { gotOf, sending, sink, type Pair, type Seen } from "./sending.ts";

const test = suite("networks and clocks of explorations");
const url = import.meta.url;

const inOrder: Partial<ExplorationOptions<Pair>> = {
  atEnd: {
    "in order": ({ to }, world) => gotOf(world, to).every((value, index, all) => value >= (all[index - 1] ?? 0)),
  },
};
const all: Partial<ExplorationOptions<Pair>> = {
  atEnd: { all: ({ to }, world) => new Set(gotOf(world, to)).size === 30 },
};
const once: Partial<ExplorationOptions<Pair>> = {
  atEnd: { once: ({ to }, world) => new Set(gotOf(world, to)).size === gotOf(world, to).length },
};

test("messages keep their order and all come, once, unless they are said not to", async () => {
  const delays = { delayMs: [1, 50] } as const;
  for (const checks of [inOrder, all, once]) await explore(sending(delays, checks), { seeds: 50 });
  await explore(sending({ ...delays, loss: 0.2, duplicate: 0.2 }, inOrder), { seeds: 50 });
  const broken: readonly { faults: ExplorationFaults; checks: Partial<ExplorationOptions<Pair>> }[] = [
    { faults: { ...delays, reorder: true }, checks: inOrder },
    { faults: { ...delays, loss: 0.1 }, checks: all },
    { faults: { ...delays, duplicate: 0.1 }, checks: once },
    { faults: { ...delays, partitions: { forMs: 100 }, withinMs: 60 }, checks: all },
  ];
  for (const { faults, checks } of broken) {
    const { violation } = await findViolation(sending(faults, checks), { seeds: 100 });
    assert.ok(violation !== undefined, `${JSON.stringify(faults)} did nothing`);
    if (faults.reorder !== true) assert.is(violation?.faults.length, 1, violation?.faults.join(","));
  }
});

test("one direction may be cut off alone", async () => {
  const hearing = actor({
    kind: "hearing",
    init: () => ({ heard: 0 }),
    receive: {
      begin: (_, other: AnyReference, ctx) => void ctx.every(10, "ping", other),
      ping: (_, other: AnyReference) => other.tell("heard"),
      heard: (state) => void state.heard++,
    },
  });
  const pinging = (oneWay: boolean) =>
    defineExploration<{ one: AnyReference; other: AnyReference }>(url, {
      start(world) {
        const [one, other] = [world.spawn(hearing), world.spawn(hearing)];
        one.tell("begin", other);
        other.tell("begin", one);
        return { one, other };
      },
      faults: { withinMs: 600, delayMs: 1, partitions: { most: 1, forMs: 300, oneWay } },
      never: {
        "one hears while the other doesn't": ({ one, other }, world) => {
          const [first = 0, second = 0] = [one, other].map((each) => world.state<{ heard: number }>(each)?.heard);
          return Math.abs(first - second) > 5;
        },
      },
      steps: 300,
    });
  await explore(pinging(false), { seeds: 40 });
  assert.ok((await findViolation(pinging(true), { seeds: 40 })).violation !== undefined, "both ways are cut");
});

test("clocks go wrong by as much as is said", async () => {
  const exploration = (skew: ExplorationFaults["clockSkew"]) =>
    defineExploration<{ refs: readonly AnyReference[] }>(url, {
      machines: 4,
      start(world) {
        const refs = world.machines.map((machine) => world.spawn(ticking, undefined, { machine }));
        for (const each of refs) each.tell("begin");
        return { refs };
      },
      faults: skew === undefined ? {} : { clockSkew: skew },
      atEnd: {
        "they end together": ({ refs }, world) => {
          const times = refs.map((each) => world.state<{ endedAt: number }>(each)?.endedAt ?? 0);
          return Math.max(...times) - Math.min(...times) < 5 || times.join(" ");
        },
      },
    });
  const ticking = actor({
    kind: "ticking",
    init: () => ({ endedAt: 0 }),
    receive: {
      begin: (_, __: undefined, ctx) => void ctx.after(1000, "end"),
      end: (state, _: undefined, ctx) => void (state.endedAt = ctx.now()),
    },
  });
  await explore(exploration(undefined), { seeds: 20 });
  // Each ends after 1,000 ms by its own clock: offsets are seen, rates aren't, unless somebody compares in the world's time.
  assert.ok((await findViolation(exploration({ offsetMs: 500 }), { seeds: 20 })).violation !== undefined);
  const { violation } = await findViolation(
    defineExploration(url, {
      ...exploration(0.2).options,
      atEnd: {},
      never: { "an early end": (_, world) => world.nowMs > 0 && world.nowMs < 990 },
    }),
    { seeds: 20 },
  );
  assert.equal(violation?.faults, ["skew"]);
});

test("a machine that stands still does afterwards what was due", async () => {
  const exploration = sending(
    { withinMs: 400, pauses: { forMs: 300, machines: ["to"] }, delayMs: 1 },
    {
      start(world) {
        const to = world.spawn(sink, undefined, { name: "to" });
        for (let at = 0; at < 40; at++) world.after(10 * at, () => to.tell("put", at));
        return { from: to, to };
      },
      always: {
        "never late": ({ to }, world) => {
          const { got, at } = world.state<Seen>(to) ?? { got: [], at: [] };
          const last = got.length - 1;
          return last < 0 || (at[last] ?? 0) - Date.UTC(2026, 0, 1) - 10 * (got[last] ?? 0) < 20;
        },
      },
      eventually: { "all come": ({ to }, world) => gotOf(world, to).length === 40 },
    },
  );
  const { violation } = await findViolation(exploration, { seeds: 20 });
  assert.is(violation?.invariant, "never late");
  assert.match(violation?.text ?? "", /stands still for/);
  const patient = defineExploration<Pair>(url, { ...exploration.options, always: {} });
  await explore(patient, { seeds: 20 });
});

test.run();
