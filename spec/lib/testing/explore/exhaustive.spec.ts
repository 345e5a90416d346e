import fc from "fast-check";
import * as assert from "uvu/assert";
import { actor, type AnyReference } from "../../../../lib/index.ts";
import {
  defineExploration,
  explore,
  findViolation,
  type ExhaustiveOptions,
  type ExhaustiveReport,
  type Exploration,
} from "../../../../lib/testing/index.ts";
import { choicesOfWords, choiceWords } from "../../../../lib/testing/explore/exhaustive/index.ts";
import { repeatExecution } from "../../../../lib/testing/explore/index.ts";
import { suite } from "../../../kit/suite.ts";
import { additions, locks } from "./mistakes.ts";

const test = suite("exhaustive exploring");

interface Box {
  readonly got: number[];
}

const box = actor({
  kind: "box",
  init: (): Box => ({ got: [] }),
  receive: { put: (state, value: number) => void state.got.push(value) },
});

/** Messages from outside come in their order: so each is sent by somebody of its own. */
const sender = actor({
  kind: "sender",
  init: () => ({}),
  receive: { send: (_, { to, value }: { to: AnyReference; value: number }) => to.tell("put", value) },
});

/** So many messages to one actor each, or all to the same. */
function messages(count: number, isSame: boolean): Exploration<object> {
  return defineExploration(import.meta.url, {
    name: "messages",
    start(world) {
      const boxes = Array.from({ length: isSame ? 1 : count }, () => world.spawn(box));
      for (let value = 0; value < count; value++) {
        const to = boxes[value % boxes.length] as AnyReference;
        world.spawn(sender).tell("send", { to, value });
      }
      return {};
    },
  });
}

async function reportOf<System>(
  exploration: Exploration<System>,
  options: ExhaustiveOptions = {},
): Promise<ExhaustiveReport> {
  const { exhaustive, violation } = await findViolation(exploration, { exhaustive: options });
  assert.is(violation, undefined);
  return exhaustive as ExhaustiveReport;
}

const factorial = (count: number): number => (count <= 1 ? 1 : count * factorial(count - 1));

test("messages to different actors are one execution, in whatever order they come", async () => {
  for (const count of [1, 2, 4, 6]) {
    const report = await reportOf(messages(count, false));
    assert.is(report.executions, 1);
    assert.is(report.isExhausted, true);
    assert.is(report.cut, 0);
  }
});

test("n messages to the same actor are n! executions", async () => {
  for (const count of [1, 2, 3, 4, 5]) {
    assert.is((await reportOf(messages(count, true))).executions, factorial(count), String(count));
  }
});

test("all orders in full are as many as there are", async () => {
  // Three times two messages, one after the other: 6! / 2! / 2! / 2!.
  const full = await reportOf(messages(3, false), { reduction: "none" });
  assert.is(full.executions, 90);
  const states = await reportOf(messages(3, false), { reduction: "states" });
  assert.is(states.executions, 1);
  assert.is(states.states, 27);
  assert.is(full.states, 27);
  assert.ok(full.orders > 45 && full.orders < 180, `90 are estimated as ${full.orders}`);
});

test("a budget of faults strikes everywhere, once", async () => {
  // A message between two machines comes, or is lost, or comes twice.
  const one = messages(1, false);
  assert.is((await reportOf(one, { losses: 1 })).executions, 2);
  assert.is((await reportOf(one, { repeats: 1 })).executions, 2);
  // No crash; the sender before its message and after it, and the receiver.
  assert.is((await reportOf(one, { crashes: 1 })).executions, 5);
});

test("what was cut off is told", async () => {
  const { isExhausted, cut } = await reportOf(messages(3, true), { depth: 4 });
  assert.is(isExhausted, false);
  assert.ok(cut > 0);
  const few = await reportOf(messages(5, true), { executions: 10 });
  assert.is(few.isExhausted, false);
  assert.is(few.executions, 10);
});

test("known mistakes are found, and shown in as few steps as it takes", async () => {
  const lost = await findViolation(additions(false), { exhaustive: true });
  assert.is(lost.violation?.message, "the sum is 1");
  const held = await findViolation(locks(true), { exhaustive: true });
  assert.is(held.violation?.invariant, "two hold the lock");
  const step = held.violation?.step ?? Infinity;
  assert.ok(step <= 14, `it took ${step} steps`);
  const right = await explore(additions(true), { exhaustive: true });
  assert.is(right.exhaustive?.isExhausted, true);
  assert.is(right.exhaustive?.executions, 2);
});

test("an execution is repeated by its choices", async () => {
  const exploration = locks(true);
  const { violation } = await findViolation(exploration, { exhaustive: true });
  const choices = [...(violation?.trace.steps ?? [])];
  assert.ok(choices.length > 0);
  const made = choicesOfWords("0,0,0");
  assert.is(made?.length, 3);
  assert.is(choiceWords(choicesOfWords("0,2l,1r,3c") ?? []), "0,2l,1r,3c");
  assert.is(choicesOfWords("0,x"), undefined);
  const report = await repeatExecution(exploration, made ?? [], { exhaustive: {} });
  assert.is(report.violation, undefined);
});

test("timers come at any time, in the order of their machine", async () => {
  const timing = actor({
    kind: "timing",
    init: () => ({ order: [] as string[] }),
    receive: {
      begin(_, __: undefined, ctx) {
        ctx.after(10, "late");
        ctx.after(5, "early");
      },
      put: (state, text: string) => void state.order.push(text),
      early: (state) => void state.order.push("early"),
      late: (state) => void state.order.push("late"),
    },
  });
  const seen = new Set<string>();
  const exploration = defineExploration<{ one: AnyReference }>(import.meta.url, {
    start(world) {
      const one = world.spawn(timing);
      one.tell("begin");
      one.tell("put", "mail");
      return { one };
    },
    atEnd: {
      all({ one }, world) {
        seen.add(world.state<{ order: string[] }>(one)?.order.join() ?? "");
        return true;
      },
    },
  });
  await explore(exploration, { exhaustive: true });
  assert.equal([...seen].sort(), ["early,late,mail", "early,mail,late", "mail,early,late"]);
});

test("handlers that wait, ends that are watched and crashes are explored too", async () => {
  const asked = actor({ kind: "asked", init: () => ({ count: 0 }), receive: { get: (state) => ++state.count } });
  const asking = actor({
    kind: "asking",
    init: () => ({ got: [] as string[] }),
    receive: {
      async begin(state, to: AnyReference, ctx) {
        ctx.watch(to);
        try {
          state.got.push(String(await to.ask("get")));
        } catch (error) {
          state.got.push((error as { code: string }).code);
        }
      },
    },
    watched: (state, { reason }) => void state.got.push(reason),
  });
  const seen = new Set<string>();
  const exploration = defineExploration<{ asker: AnyReference }>(import.meta.url, {
    machines: ["asker", "asked"],
    start(world) {
      const [here, there] = world.machines;
      const to = world.spawn(asked, undefined, { name: "to", machine: there });
      const asker = world.spawn(asking, undefined, { name: "asker", machine: here });
      asker.tell("begin", to);
      return { asker };
    },
    faults: { crashes: { machines: ["asked"] } },
    atEnd: {
      any({ asker }, world) {
        seen.add(world.state<{ got: string[] }>(asker)?.got.join() ?? "");
        return true;
      },
    },
  });
  const { exhaustive } = await explore(exploration, { exhaustive: true });
  assert.is(exhaustive?.isExhausted, true);
  assert.ok(seen.has("1"), [...seen].join(" | "));
  assert.ok(seen.has("ACTOR_STOPPED,lost") || seen.has("lost,ACTOR_STOPPED"), [...seen].join(" | "));
  assert.ok(seen.has("ASK_TIMEOUT"), [...seen].join(" | "));
});

interface Program {
  /** Which actors each actor tells when it is told something for the first time. */
  readonly tells: readonly (readonly number[])[];
  readonly begins: readonly number[];
  readonly losses: number;
  readonly timers: readonly number[];
  /** Which of them cancel their timer when they are told something again. */
  readonly cancels: readonly number[];
}

const node = actor({
  kind: "node",
  init: (own: { id: number; program: Program; nodes: AnyReference[] }) => ({ ...own, got: [] as string[], timer: 0 }),
  receive: {
    put(state, from: string, ctx) {
      const isFirst = state.got.length === 0;
      state.got.push(from);
      if (!isFirst) {
        if (state.program.cancels.includes(state.id)) ctx.cancel(state.timer);
        return;
      }
      for (const to of state.program.tells[state.id] ?? []) state.nodes[to]?.tell("put", String(state.id));
      if (state.program.timers.includes(state.id)) state.timer = ctx.after(10, "put", "timer");
    },
  },
});

/** All ends that a tiny system can come to. */
async function endsOf(
  program: Program,
  options: ExhaustiveOptions,
): Promise<{ ends: string[]; report: ExhaustiveReport }> {
  const ends = new Set<string>();
  const exploration = defineExploration<AnyReference[]>(import.meta.url, {
    start(world) {
      const nodes: AnyReference[] = [];
      for (const id of program.tells.keys()) nodes.push(world.spawn(node, { id, program, nodes }));
      for (const id of program.begins) nodes[id]?.tell("put", "outside");
      return nodes;
    },
    atEnd: {
      seen(nodes, world) {
        ends.add(nodes.map((each) => world.state<{ got: string[] }>(each)?.got.join("")).join(" | "));
        return true;
      },
    },
  });
  const report = await reportOf(exploration, { losses: program.losses, ...options });
  return { ends: [...ends].sort(), report };
}

test("with reduction the same ends are found as in all orders", async () => {
  const id = fc.nat(2);
  const programs = fc.record({
    tells: fc.array(fc.uniqueArray(id, { maxLength: 2 }), { minLength: 3, maxLength: 3 }),
    begins: fc.uniqueArray(id, { minLength: 1, maxLength: 2 }),
    losses: fc.nat(1),
    timers: fc.uniqueArray(id, { maxLength: 2 }),
    cancels: fc.uniqueArray(id, { maxLength: 3 }),
  });
  let fewer = 0;
  await fc.assert(
    fc.asyncProperty(programs, async (program) => {
      const full = await endsOf(program, { reduction: "none", executions: 1500 });
      fc.pre(full.report.isExhausted);
      const races = await endsOf(program, { reduction: "races" });
      assert.equal(races.ends, full.ends);
      assert.ok(races.report.isExhausted);
      if (races.report.executions < full.report.executions) fewer++;
      assert.equal((await endsOf(program, { reduction: "states" })).ends, full.ends);
    }),
    { numRuns: 60, seed: 1 },
  );
  assert.ok(fewer > 15, `orders were left out of ${fewer} programs only`);
});

test.run();
