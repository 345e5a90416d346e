import * as assert from "uvu/assert";
import { actor, type AnyReference } from "../../../../lib/index.ts";
import {
  defineExploration,
  explore,
  findViolation,
  type ExplorationFaults,
  type ExplorationOptions,
  type ExploredDisk,
} from "../../../../lib/testing/index.ts";
import { suite } from "../../../kit/suite.ts";
import { gotOf, sending, sink, source, type Pair, type Seen } from "./sending.ts";

const test = suite("explored worlds");
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
  const faults = { partitions: { most: 1, forMs: 200, oneWay: true }, withinMs: 100 };
  const oneWay = defineExploration<Pair>(url, {
    ...sending(faults, {}).options,
    start(world) {
      const to = world.spawn(sink, undefined, { name: "to" });
      const from = world.spawn(source, undefined, { name: "from" });
      for (let at = 0; at < 20; at++) {
        world.after(10 * at, () => from.tell("send", { to, count: 1 }));
        world.after(10 * at, () => from.tell("ask", to));
      }
      return { from, to };
    },
    never: {
      // A question that came, whose answer didn't: only the way back was cut.
      "an answer alone is lost": ({ from }, world) =>
        (world.state<{ answers: string[] }>(from)?.answers ?? []).includes("ASK_TIMEOUT") &&
        world.inFlight().length === 0,
    },
  });
  assert.ok((await findViolation(oneWay, { seeds: 100 })).violation !== undefined);
});

test("what is sent is frozen", async () => {
  const changing = actor({
    kind: "changing",
    init: () => ({}),
    receive: { take: (_, list: number[]) => void list.push(1) },
  });
  const exploration = (strict: boolean) =>
    defineExploration(url, { strict, start: (world) => world.spawn(changing).tell("take", []) });
  const { violation } = await findViolation(exploration(true), { seeds: 1 });
  assert.is(violation?.invariant, "no actor fails");
  assert.match(violation?.message ?? "", /changing-1 failed at "take": Cannot add property 0/);
  await explore(exploration(false), { seeds: 1 });
});

const keeper = actor({
  kind: "keeper",
  init: ({ disk }: { disk: ExploredDisk; flushes: boolean }) => ({
    count: disk.get<number>("count") ?? 0,
    confirmed: 0,
  }),
  receive: {
    add(state, { disk, flushes, log }: { disk: ExploredDisk; flushes: boolean; log: { confirmed: number } }) {
      state.count++;
      disk.set("count", state.count);
      if (flushes) disk.flush();
      log.confirmed = Math.max(log.confirmed, state.count);
    },
  },
});

/** Counts on a disk, and says that it has. */
function keeping(flushes: boolean, crashes: NonNullable<ExplorationFaults["crashes"]>) {
  return defineExploration<{ log: { confirmed: number }; reference: AnyReference }>(url, {
    name: "keeping",
    machines: ["keeper"],
    strict: false,
    start(world) {
      const [machine] = world.machines;
      const disk = machine?.disk as ExploredDisk;
      const log = { confirmed: 0 };
      const reference = world.spawn(keeper, { disk, flushes }, { name: "keeper", machine });
      for (let at = 0; at < 20; at++) world.after(10 * at, () => reference.tell("add", { disk, flushes, log }));
      return { log, reference };
    },
    faults: { withinMs: 300, crashes },
    always: {
      "what was confirmed is kept": ({ log, reference }, world) =>
        (world.state<{ count: number }>(reference)?.count ?? Infinity) >= log.confirmed,
    },
  });
}

test("a crash loses what wasn't flushed, and nothing else", async () => {
  const crashes = { most: 2, restartAfterMs: [5, 50] } as const;
  await explore(keeping(true, crashes), { seeds: 100 });
  const { violation } = await findViolation(keeping(false, crashes), { seeds: 50 });
  assert.is(violation?.invariant, "what was confirmed is kept");
  assert.is(violation?.faults.length, 1);
  assert.match(violation?.text ?? "", /writes are lost/);
});

test("a crash may lose the disk", async () => {
  const { violation } = await findViolation(keeping(true, { restartAfterMs: 5, lostDisks: 1 }), { seeds: 50 });
  assert.match(violation?.text ?? "", /its disk is lost/);
});

test("who watches, and who asks, is told of a crash", async () => {
  const exploration = defineExploration<Pair>(url, {
    name: "crashing",
    machines: ["from", "to"],
    start(world) {
      const [here, there] = world.machines;
      const to = world.spawn(sink, undefined, { name: "to", machine: there });
      const from = world.spawn(source, undefined, { name: "from", machine: here });
      from.tell("watch", to);
      world.after(60, () => from.tell("ask", to));
      return { from, to };
    },
    faults: { withinMs: 50, detectAfterMs: 30, crashes: { machines: ["to"] } },
    eventually: {
      "both are known": {
        check({ from }, world) {
          const answers = world.state<{ answers: string[] }>(from)?.answers ?? [];
          return world.machines[1]?.isUp === true
            ? answers.includes("2")
            : answers.includes("ended: lost") && answers.some((each) => /ASK_TIMEOUT|ACTOR_STOPPED/u.test(each));
        },
        withinMs: 300,
      },
    },
  });
  const { faults } = await explore(exploration, { seeds: 40 });
  assert.ok(faults > 20, "machines didn't crash");
});

test("references lead to whoever is there after a restart, and it is told again", async () => {
  const exploration = defineExploration<{ to: AnyReference; told: number[] }>(url, {
    machines: 2,
    start(world) {
      const [here, there] = world.machines;
      const to = world.spawn(sink, undefined, { name: "to", machine: there });
      const from = world.spawn(source, undefined, { machine: here });
      world.after(400, () => from.tell("send", { to, count: 1 }));
      return { to, told: [] };
    },
    restarted({ to, told }, _, machine) {
      told.push(machine.index);
      if (machine.index === 1) to.tell("put", 100);
    },
    faults: { withinMs: 300, crashes: { most: 2, restartAfterMs: 10 } },
    eventually: {
      "it has it": ({ to, told }, world) =>
        gotOf(world, to).includes(0) && (!told.includes(1) || gotOf(world, to).includes(100)),
    },
  });
  await explore(exploration, { seeds: 60 });
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

test("handlers may wait for answers, and what they send then is theirs", async () => {
  const asking = (faults: ExplorationFaults) =>
    sending(faults, {
      start(world) {
        const to = world.spawn(sink, undefined, { name: "to" });
        const from = world.spawn(source, undefined, { name: "from" });
        from.tell("ask", to);
        return { from, to };
      },
      atEnd: {
        "it was answered, and sent once more": ({ from, to }, world) =>
          world.state<{ answers: string[] }>(from)?.answers.join() === "2" && gotOf(world, to).join() === "7",
      },
    });
  const { counts } = await explore(asking({ delayMs: [1, 40] }), { seeds: 30 });
  assert.equal(counts.messages, { min: 3, median: 3, max: 3 });
  assert.equal(counts.rounds, { min: 3, median: 3, max: 3 });
  const { violation } = await findViolation(asking({ loss: 0.5 }), { seeds: 30 });
  assert.ok(violation !== undefined);
});

test("names and topics are those of all machines", async () => {
  const listener = actor({
    kind: "listener",
    init(_: undefined, ctx) {
      ctx.subscribe("news", "heard");
      return { heard: [] as string[] };
    },
    receive: { heard: (state, text: string) => void state.heard.push(text) },
  });
  const speaker = actor({
    kind: "speaker",
    init: () => ({ found: "" }),
    receive: {
      async speak(state, text: string, ctx) {
        state.found = (await ctx.find("ear"))?.label ?? "nobody";
        ctx.publish("news", text);
      },
    },
  });
  const exploration = defineExploration<{ ear: AnyReference; mouth: AnyReference }>(url, {
    machines: 2,
    start(world) {
      const [here, there] = world.machines;
      const ear = world.spawn(listener, undefined, { name: "ear", machine: here });
      const mouth = world.spawn(speaker, undefined, { name: "mouth", machine: there });
      world.after(5, () => mouth.tell("speak", "hello"));
      return { ear, mouth };
    },
    atEnd: {
      "it was heard": ({ ear, mouth }, world) =>
        world.state<{ heard: string[] }>(ear)?.heard.join() === "hello" &&
        world.state<{ found: string }>(mouth)?.found === "ear",
    },
  });
  const { counts } = await explore(exploration, { seeds: 10 });
  assert.is(counts.messages.median, 1);
});

test("what can't be defined is refused", () => {
  const wrong: readonly [object, RegExp][] = [
    [{}, /has no `start`/],
    [{ start() {}, machines: 0 }, /machines is 0/],
    [{ start() {}, machines: ["a", "a"] }, /two machines are called "a"/],
    [{ start() {}, alwayz: {} }, /no option "alwayz"/],
    [{ start() {}, always: { some: 3 } }, /always "some" is no function/],
    [{ start() {}, faults: { loss: 2 } }, /loss is 2/],
    [{ start() {}, faults: { lost: 0.1 } }, /no option "lost"/],
    [{ start() {}, faults: { delayMs: [5, 1] } }, /delayMs is \[5,1\]/],
    [{ start() {}, machines: ["a"], faults: { crashes: { machines: ["b"] } } }, /names "b"/],
  ];
  for (const [options, message] of wrong) {
    assert.throws(
      () => defineExploration(url, options as ExplorationOptions<unknown>),
      (error: Error) => message.test(error.message),
      JSON.stringify(options),
    );
  }
  assert.throws(() => defineExploration("here", { start() {} }), /Give it import.meta.url/);
});

test.run();
