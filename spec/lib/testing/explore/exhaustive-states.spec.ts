import * as assert from "uvu/assert";
import { actor, type ActorContext, type AnyReference } from "../../../../lib/index.ts";
import {
  defineExploration,
  explore,
  findViolation,
  type ExhaustiveOptions,
  type ExhaustiveReport,
  type Exploration,
  type ExplorationOptions,
  type ExploredWorld,
} from "../../../../lib/testing/index.ts";
import { choicesOfWords, choiceWords } from "../../../../lib/testing/explore/exhaustive/index.ts";
import { repeatExecution } from "../../../../lib/testing/explore/index.ts";
import { failure } from "../../../kit/failure.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("states and limits of exhaustive exploring");

type Handler = (state: Record<string, unknown>, text: string, ctx: ActorContext) => void;

const plain = actor({
  kind: "plain",
  init: ({ state, handle }: { state: () => Record<string, unknown>; handle: Handler }) => ({ ...state(), handle }),
  receive: { do: (state, text: string, ctx) => (state.handle as Handler)(state, text, ctx) },
});

const sender = actor({
  kind: "sender",
  init: (to: AnyReference) => ({ to }),
  receive: { send: ({ to }, text: string) => to.tell("do", text) },
});

type One = { readonly one: AnyReference };

/** An actor that gets some messages, in any order. */
function receiving(
  texts: readonly string[],
  handle: Handler,
  state: () => Record<string, unknown>,
  options: Partial<ExplorationOptions<One>> = {},
): Exploration<One> {
  return defineExploration<One>(import.meta.url, {
    start(world) {
      const one = world.spawn(plain, { state, handle });
      for (const text of texts) world.spawn(sender, one).tell("send", text);
      return { one };
    },
    ...options,
  });
}

const stateOf = ({ one }: One, world: ExploredWorld): Record<string, unknown> =>
  world.state<Record<string, unknown>>(one) ?? {};

async function reportOf<System>(
  exploration: Exploration<System>,
  options: ExhaustiveOptions,
): Promise<ExhaustiveReport> {
  const { exhaustive, violation } = await findViolation(exploration, { exhaustive: options });
  assert.is(violation, undefined, violation?.text);
  return exhaustive as ExhaustiveReport;
}

/** Ends that an exploration comes to where what follows from a state that was met isn't tried again. */
async function endsByStates(
  texts: readonly string[],
  handle: Handler,
  state: () => Record<string, unknown>,
): Promise<readonly string[]> {
  const ends = new Set<string>();
  const atEnd = { seen: (one: One, world: ExploredWorld) => ends.add(String(stateOf(one, world)["log"])).size > 0 };
  const { isExhausted } = await reportOf(receiving(texts, handle, state, { atEnd }), { reduction: "states" });
  assert.ok(isExhausted);
  return [...ends].sort();
}

test("states differ in what has yet to come to hold", async () => {
  // Both orders end with the same state; in one of them it was never on.
  const handle: Handler = (state, text) => {
    state["on"] = text === "on" && state["closed"] !== true;
    if (text === "off") state["closed"] = true;
  };
  const exploration = receiving(["on", "off"], handle, () => ({ on: false, closed: false }), {
    eventually: { "it is on": (one, world) => stateOf(one, world)["on"] === true },
  });
  const { violation } = await findViolation(exploration, { exhaustive: { reduction: "states" } });
  assert.is(violation?.invariant, "it is on");
});

test("states differ in what timers are for, and in which order they go off", async () => {
  const handle: Handler = (state, text, ctx) => {
    if (text.startsWith("set ")) {
      state["count"] = (state["count"] as number) + 1;
      ctx.after(10, "do", text.slice(4));
    } else state["log"] = `${String(state["log"])}${String(state["count"])}${text}`;
  };
  const ends = await endsByStates(["set a", "set b"], handle, () => ({ log: "", count: 0 }));
  assert.equal(ends, ["1a2b", "1b2a", "2a2b", "2b2a"]);
});

test("states differ in the order of Maps and Sets, and in the time where somebody asks for it", async () => {
  const handle: Handler = (state, text, ctx) => {
    const set = state["set"] as Set<string>;
    if (text !== "end") set.add(text);
    if (set.size === 2 && state["log"] === "") ctx.after(1, "do", "end");
    if (text === "end") state["log"] = [...set].join("");
  };
  assert.equal(await endsByStates(["a", "b"], handle, () => ({ set: new Set(), log: "" })), ["ab", "ba"]);
  const timed: Handler = (state, text, ctx) => {
    if (text === "wait") ctx.after(5, "do", "passed");
    if (text === "ask") ctx.after(50, "do", "look");
    if (text === "look") state["log"] = ctx.now() % 1000;
  };
  assert.equal(await endsByStates(["wait", "ask"], timed, () => ({ log: "" })), ["50", "55"]);
});

test("states differ in what a crash would put back", async () => {
  const ends = new Set<string>();
  const writing = actor({
    kind: "writing",
    init: ({ disk }: { disk: ExploredWorld["machines"][number]["disk"] }) => ({ disk, read: disk.get<string>("key") }),
    receive: {
      do({ disk }, text: string) {
        if (text === "flush") disk.flush();
        else disk.set("key", "new");
      },
    },
  });
  const exploration = defineExploration<One>(import.meta.url, {
    machines: 1,
    start(world) {
      const [machine] = world.machines;
      const one = world.spawn(writing, { disk: machine?.disk as never }, { name: "one" });
      for (const text of ["write", "flush", "flush"]) world.spawn(sender, one).tell("send", text);
      return { one };
    },
    faults: { crashes: { restartAfterMs: 10 } },
    atEnd: { seen: (one, world) => ends.add(String(stateOf(one, world)["read"])).size > 0 },
  });
  await reportOf(exploration, { reduction: "states" });
  assert.equal([...ends].sort(), ["new", "undefined"]);
});

const ticking = (options: Partial<ExplorationOptions<One>>): Exploration<One> =>
  receiving(
    ["begin"],
    (state, text, ctx) => {
      if (text === "begin") ctx.every(10, "do", "tick");
      else state["ticks"] = ((state["ticks"] as number) + 1) % 3;
    },
    () => ({ ticks: 0 }),
    options,
  );

test("what goes round in a circle is all there is, unless something has yet to come to hold", async () => {
  const never = { "four ticks": (one: One, world: ExploredWorld) => stateOf(one, world)["ticks"] === 4 };
  const safe = await reportOf(ticking({ never }), { reduction: "states" });
  assert.is(safe.isExhausted, true);
  assert.is(safe.cut, 0);
  assert.ok((safe.states ?? 0) >= 3);
  const open = await reportOf(ticking({ eventually: never }), { reduction: "states" });
  assert.is(open.isExhausted, false);
  assert.ok(open.cut > 0);
});

test("executions that are given up count, and so does what is told of progress", async () => {
  const texts = ["a", "b", "c", "d", "e"];
  const told: number[] = [];
  const { exhaustive } = await explore(
    receiving(
      texts,
      (state) => void (state["count"] = 1),
      () => ({ count: 0 }),
    ),
    { exhaustive: { reduction: "states", executions: 20 }, onExecution: (count) => void told.push(count) },
  );
  assert.is(exhaustive?.isExhausted, false);
  assert.is((exhaustive?.executions ?? 0) + (exhaustive?.redundant ?? 0), 20);
  assert.equal(
    told,
    Array.from({ length: 20 }, (_, index) => index + 1),
  );
});

test("what breaks before the first choice is repeated by none, and choices that can't be made are refused", async () => {
  const exploration = receiving(
    ["a"],
    () => {},
    () => ({}),
    { always: { holds: () => false } },
  );
  const { violation } = await findViolation(exploration, { exhaustive: true, path: "a.ts" });
  assert.match(violation?.command ?? "", / --choices none/);
  assert.is(choiceWords([]), "none");
  assert.equal(choicesOfWords("none"), []);
  assert.is((await repeatExecution(exploration, [], { exhaustive: {} })).violation?.invariant, "holds");
  const holds = receiving(
    ["a"],
    () => {},
    () => ({}),
  );
  for (const [words, message] of [
    ["0,7", /choice 2 of 2 is 7, and 1 could go on there/],
    ["0l", /choice 1 of 1 is that 0 gets lost, which it can't there/],
  ] as const) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const error = await failure(
      () => repeatExecution(holds, choicesOfWords(words) ?? [], { exhaustive: {} }),
      "OPTION_INVALID",
    );
    assert.match(error.message, message);
  }
});

test.run();
