import * as assert from "uvu/assert";
import { actor, type ActorContext, type AnyReference } from "../../../../lib/index.ts";
import {
  checkLinearizable,
  defineExploration,
  findViolation,
  History,
  registerModel,
  type ExhaustiveOptions,
  type ExhaustiveReport,
  type Exploration,
  type ExplorationOptions,
  type ExploredDisk,
  type ExploredWorld,
  type RegisterOperation,
} from "../../../../lib/testing/index.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("what exhaustive exploring looks at");

interface Doing {
  readonly got: string[];
}

interface DoingSteps extends Doing {
  readonly step: Step;
}

/** What an actor does at a message. */
type Step = (state: Doing, text: string, ctx: ActorContext) => unknown;

const doer = actor({
  kind: "doer",
  init: (step: Step): DoingSteps => ({ step, got: [] }),
  receive: {
    do: (state, text: string, ctx) => state.step(state, text, ctx) as void,
    note: (state, text: string) => void state.got.push(text),
    get: (state) => state.got.length,
  },
});

const noting: Step = ({ got }, text) => void got.push(text);

type Doers = readonly AnyReference[];

/** Actors that each get one message: with a machine of their own each, unless there are machines. */
function doing(steps: readonly Step[], options: Partial<ExplorationOptions<Doers>>): Exploration<Doers> {
  return defineExploration<Doers>(import.meta.url, {
    start(world) {
      const doers = steps.map((step, index) => world.spawn(doer, step, { name: `d${index}` }));
      for (const each of doers) each.tell("do", "first");
      return doers;
    },
    ...options,
  });
}

async function reportOf<System>(
  exploration: Exploration<System>,
  options: ExhaustiveOptions = {},
): Promise<ExhaustiveReport> {
  const { exhaustive, violation } = await findViolation(exploration, { exhaustive: options });
  assert.is(violation, undefined, violation?.text);
  return exhaustive as ExhaustiveReport;
}

/** What is broken, in the order in which the search meets it. */
async function broken<System>(exploration: Exploration<System>, options: ExhaustiveOptions = {}): Promise<string> {
  const { violation } = await findViolation(exploration, { exhaustive: options });
  return violation?.invariant ?? "nothing";
}

const gotBy = (world: ExploredWorld, one: AnyReference | undefined): string =>
  one === undefined ? "" : (world.state<Doing>(one)?.got.join(",") ?? "");

test("what a check may see in between is tried in all orders: never, always and eventually", async () => {
  const both = [noting, noting];
  const onlyThis =
    (index: number) =>
    (doers: Doers, world: ExploredWorld): boolean =>
      gotBy(world, doers[index]) !== "" && gotBy(world, doers[1 - index]) === "";
  for (const index of [0, 1]) {
    const check = onlyThis(index);
    // oxlint-disable-next-line no-await-in-loop -- one exploration after the other
    const found = [
      await broken(doing(both, { never: { alone: check } })),
      await broken(doing(both, { always: { alone: (doers, world) => !check(doers, world) } })),
      await broken(doing(both, { eventually: { alone: check } })),
    ];
    assert.equal(found, ["alone", "alone", "alone"]);
  }
  // Who is looked at alone differs in nothing from all others.
  const one = await reportOf(doing(both, { never: { three: ([first], world) => gotBy(world, first) === "3" } }));
  assert.is(one.executions, 1);
  const { executions } = await reportOf(doing(both, { never: { "three, none": onlyThree } }));
  assert.is(executions, 2);
});

const onlyThree = (doers: Doers, world: ExploredWorld): boolean =>
  doers.map((each) => gotBy(world, each)).join() === "3,";

test("actors of one machine depend on each other by its disk", async () => {
  const ends = new Set<string>();
  const exploration = defineExploration(import.meta.url, {
    machines: 1,
    start(world) {
      const disk = world.machines[0]?.disk as ExploredDisk;
      world.spawn(doer, () => disk.set("key", 1)).tell("do", "");
      const reader = world.spawn(doer, ({ got }) => void got.push(String(disk.get("key"))));
      reader.tell("do", "");
      return [reader];
    },
    atEnd: { seen: ([reader], world) => ends.add(gotBy(world, reader)).size > 0 },
  });
  assert.ok((await reportOf(exploration)).isExhausted);
  assert.equal([...ends].sort(), ["1", "undefined"]);
});

test("timers of one machine that are due at once go off in the order in which they were set", async () => {
  const order: string[] = [];
  const seen = new Set<string>();
  const telling =
    (name: string): Step =>
    (_, text, ctx) => {
      if (text === "first") ctx.after(10, "do", "off");
      else void order.push(name);
    };
  const exploration = doing([telling("a"), telling("b")], {
    machines: 1,
    atEnd: { seen: () => seen.add(order.splice(0).join("")).size > 0 },
  });
  await reportOf(exploration);
  assert.equal([...seen].sort(), ["ab", "ba"]);
});

test("whoever stops an actor races with its mail", async () => {
  const child = actor({
    kind: "child",
    init: (to: AnyReference) => ({ to }),
    receive: { go: ({ to }) => to.tell("note", "went") },
  });
  const parent = actor({
    kind: "parent",
    init: (to: AnyReference) => ({ to, child: undefined as AnyReference | undefined }),
    receive: {
      begin(state, _: undefined, ctx) {
        state.child = ctx.spawn(child, state.to);
        state.child.tell("go");
      },
      end: (state, _: undefined, ctx) => void (state.child !== undefined && ctx.stop(state.child)),
    },
  });
  const seen = new Set<string>();
  const exploration = defineExploration(import.meta.url, {
    start(world) {
      const to = world.spawn(doer, noting);
      const one = world.spawn(parent, to);
      one.tell("begin");
      one.tell("end");
      return [to];
    },
    atEnd: { seen: ([to], world) => seen.add(gotBy(world, to)).size > 0 },
  });
  await reportOf(exploration);
  assert.equal([...seen].sort(), ["", "went"]);
});

test("clients that write one history are tried in all orders", async () => {
  type Calls = History<RegisterOperation<number>, unknown>;
  // Each of the two is right in one order only.
  const reading = (value: number): Exploration<{ history: Calls }> =>
    defineExploration<{ history: Calls }>(import.meta.url, {
      start(world) {
        const history: Calls = new History();
        world.spawn(doer, () => history.invoke("a", { kind: "write", value: 1 }).ok()).tell("do", "");
        world.spawn(doer, () => history.invoke("b", { kind: "read" }).ok(value)).tell("do", "");
        return { history };
      },
      atEnd: { linearizable: ({ history }) => checkLinearizable(history, registerModel(0)).verdict === "ok" },
    });
  for (const reduction of ["races", "states"] as const) {
    for (const value of [0, 1]) {
      // oxlint-disable-next-line no-await-in-loop -- one exploration after the other
      assert.is(await broken(reading(value), { reduction }), "linearizable");
    }
  }
});

test("machines crash whenever they may: also when nothing is left to do", async () => {
  const seen = new Set<string>();
  const exploration = doing([noting, noting], {
    faults: { crashes: {} },
    atEnd: {
      seen(doers, world) {
        const text = doers.map((each) => (world.isAlive(each) ? gotBy(world, each) || "none" : "down")).join(" ");
        return seen.add(text).size > 0;
      },
    },
  });
  assert.ok((await reportOf(exploration)).isExhausted);
  assert.equal([...seen].sort(), ["down first", "first down", "first first"]);
  // Without a crash; each of both before its message, and after it.
  assert.is((await reportOf(exploration)).executions, 5);
});

test("what waits within a machine is in flight, too", async () => {
  const exploration = doing([noting, noting], {
    machines: 1,
    never: { "one of two waits": (_, world) => world.inFlight().length === 1 },
  });
  assert.is(await broken(exploration), "one of two waits");
});

test("code of a machine that has crashed doesn't go on", async () => {
  const disk = (world: ExploredWorld): ExploredDisk => world.machines[0]?.disk as ExploredDisk;
  const exploration = defineExploration(import.meta.url, {
    machines: 1,
    mayFail: true,
    start(world) {
      const asked = world.spawn(doer, noting, { name: "asked" });
      const storage = disk(world);
      const asking: Step = async () => {
        await asked.ask("get");
        storage.set("after", world.machines[0]?.isUp);
        storage.flush();
      };
      world.spawn(doer, asking, { name: "asking" }).tell("do", "");
    },
    faults: { crashes: {} },
    never: { "it writes while it is down": (_, world) => disk(world).get("after") === false },
  });
  assert.ok((await reportOf(exploration, { reduction: "none" })).isExhausted);
});

test("an exploration that says when it is over is over then, and judged", async () => {
  const ticking = actor({
    kind: "ticking",
    init(_: void, ctx) {
      ctx.every(10, "tick");
      return { ticks: 0 };
    },
    receive: { tick: (state) => void state.ticks++ },
  });
  const ticksOf = (world: ExploredWorld, one: AnyReference): number => world.state<{ ticks: number }>(one)?.ticks ?? 0;
  const seen = new Set<string>();
  const exploration = (most: number): Exploration<readonly AnyReference[]> =>
    defineExploration<readonly AnyReference[]>(import.meta.url, {
      start: (world) => [world.spawn(ticking), world.spawn(ticking)],
      stopWhen: ([one], world) => ticksOf(world, one as AnyReference) >= 2,
      atEnd: {
        "the other doesn't tick often"([one, two], world) {
          seen.add(`${ticksOf(world, one as AnyReference)} ${Math.min(2, ticksOf(world, two as AnyReference))}`);
          return ticksOf(world, two as AnyReference) <= most;
        },
      },
    });
  for (const reduction of ["none", "races"] as const) {
    seen.clear();
    // The other one may tick for ever before: that isn't all.
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    assert.is((await reportOf(exploration(9), { reduction, depth: 6 })).isExhausted, false);
    assert.equal([...seen].sort(), ["2 0", "2 1", "2 2"]);
  }
  assert.is(await broken(exploration(1)), "the other doesn't tick often");
});

test.run();
