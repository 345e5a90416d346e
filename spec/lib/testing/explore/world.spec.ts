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
import { gotOf, sending, sink, source, type Pair } from "./sending.ts";

const test = suite("explored worlds");
const url = import.meta.url;

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
  const exploration = defineExploration<{ to: AnyReference }>(url, {
    machines: 2,
    start(world) {
      const [here, there] = world.machines;
      const to = world.spawn(sink, undefined, { name: "to", machine: there });
      const from = world.spawn(source, undefined, { machine: here });
      world.after(400, () => from.tell("send", { to, count: 1 }));
      return { to };
    },
    restarted({ to }, _, machine) {
      if (machine.index === 1) to.tell("put", 100);
    },
    faults: { withinMs: 300, crashes: { most: 2, restartAfterMs: 10 } },
    eventually: {
      "it has it": ({ to }, world) =>
        gotOf(world, to).includes(0) && (world.machines[1]?.restarts === 0 || gotOf(world, to).includes(100)),
    },
  });
  await explore(exploration, { seeds: 60 });
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

test("what is handed on is answered by who has it, at once", async () => {
  const greeter = actor({
    kind: "greeter",
    init: () => ({}),
    receive: { greet: (_, name: string, ctx) => `${name} of ${ctx.sender?.label}` },
  });
  const desk = actor({
    kind: "desk",
    init: (to: AnyReference) => ({ to }),
    receive: { greet: ({ to }, _: string, ctx) => ctx.forward(to) },
  });
  const guest = actor({
    kind: "guest",
    init: () => ({ heard: "" }),
    receive: {
      async come(state, to: AnyReference) {
        state.heard = String(await to.ask("greet", "Ann"));
      },
    },
  });
  const exploration = defineExploration<{ ann: AnyReference }>(url, {
    start(world) {
      const ann = world.spawn(guest, undefined, { name: "ann" });
      ann.tell("come", world.spawn(desk, world.spawn(greeter)));
      return { ann };
    },
    atEnd: { "it was heard": ({ ann }, world) => world.state<{ heard: string }>(ann)?.heard === "Ann of ann" },
  });
  assert.equal((await explore(exploration, { seeds: 5 })).counts.messages, { min: 3, median: 3, max: 3 });
});

test("entities are the same from all machines, and their states are seen", async () => {
  const tally = actor({
    kind: "tally",
    init: (key: string) => ({ key, count: 0 }),
    receive: { add: (state) => void state.count++ },
  });
  const user = actor({
    kind: "user",
    init: () => ({}),
    receive: {
      add(_, key: string, ctx) {
        ctx.entity(tally, key).tell("add");
      },
    },
  });
  const exploration = defineExploration<object>(url, {
    machines: 3,
    start(world) {
      for (const machine of world.machines) {
        const each = world.spawn(user, undefined, { machine });
        for (const key of ["a", "b", "c", "d"]) each.tell("add", key);
      }
      return {};
    },
    atEnd: {
      "each key has all": (_, world) => {
        const counts = [...world.states<{ count: number }>(tally)].map(({ count }) => count);
        return counts.join() === "3,3,3,3" || counts.join();
      },
    },
  });
  await explore(exploration, { seeds: 10 });
});

test("explorations at once don't meet", async () => {
  const asking = sending(
    { delayMs: [1, 9] },
    {
      start(world) {
        const to = world.spawn(sink, undefined, { name: "to" });
        const from = world.spawn(source, undefined, { name: "from" });
        from.tell("ask", to);
        return { from, to };
      },
      atEnd: { answered: ({ to }, world) => gotOf(world, to).join() === "7" },
    },
  );
  await Promise.all([1, 50, 100].map((from) => explore(asking, { seeds: 30, from })));
});

test("durable actors are refused, as there is no store", async () => {
  const keeps = actor({ kind: "keeps", durable: true, init: () => ({}), receive: { some() {} } });
  const exploration = defineExploration(url, { start: (world) => world.spawn(keeps) });
  const error = await explore(exploration, { seeds: 1 }).then(
    () => undefined,
    (thrown: unknown) => thrown as Error,
  );
  assert.match(error?.message ?? "", /"keeps" is durable.*machine\.disk/u);
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
