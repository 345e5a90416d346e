import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { actor, type AnyReference } from "../../../../lib/index.ts";
import { readStepNotes, StepNotes, watching } from "../../../../lib/testing/explore/index.ts";
import {
  defineExploration,
  explore,
  findViolation,
  formatTrace,
  growthText,
  recordRun,
  type Exploration,
  type ExplorationOptions,
  type ExploredWorld,
} from "../../../../lib/testing/index.ts";
import { failure } from "../../../kit/failure.ts";
import { suite } from "../../../kit/suite.ts";
import { locks } from "./mistakes.ts";
import { gotOf, sending, sink, source, type Pair } from "./sending.ts";

const test = suite("what explorations tell");
const url = import.meta.url;

test("an error of the exploration's own code is a violation with its seed", async () => {
  const boom = (): never => {
    throw new Error("boom");
  };
  const crashing = { withinMs: 50, crashes: { restartAfterMs: 5 } };
  const failing: readonly [Partial<ExplorationOptions<unknown>>, RegExp][] = [
    [{ faults: crashing, restarted: boom }, /`restarted` failed: boom/],
    [{ start: (world) => (world.spawn(sink).tell("put", 1), world.after(5, boom)) }, /world\.after.* failed: boom/],
    [{ stopWhen: boom }, /`stopWhen` failed: boom/],
  ];
  for (const [options, message] of failing) {
    const exploration = defineExploration<unknown>(url, {
      name: "own",
      start: (world) => world.spawn(sink).tell("put", 1),
      ...options,
    });
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { violation } = await findViolation(exploration, { seeds: 20, path: "own.ts" });
    assert.match(violation?.message ?? "", message);
    assert.is(violation?.error?.message, "boom");
    assert.match(violation?.command ?? "", /^npx qstream explore own\.ts --seed \d+/);
  }
});

test("a run ends where it is told to, whatever is still to come", async () => {
  const ticking = actor({
    init: (_: undefined, ctx) => void ctx.every(1, "tick"),
    receive: { tick: () => {} },
  });
  const never = defineExploration<unknown>(url, {
    name: "never",
    start: (world) => void world.spawn(ticking),
    eventually: { "it comes": () => false },
    steps: 20,
  });
  const cut = await findViolation(never, { seeds: 3, stopAt: 5 });
  assert.is(cut.violation, undefined);
  assert.is(cut.steps, 15);
  assert.is((await findViolation(never, { seeds: 1 })).violation?.invariant, "it comes");
});

test("what an exploration's own code does is noted before it is run", async () => {
  const notes = new StepNotes();
  const seen: string[] = [];
  const see = (): void => void seen.push(readStepNotes(notes.memory).what);
  const noted = defineExploration<unknown>(url, {
    name: "noted",
    start: (world) => (see(), world.spawn(sink).tell("put", 1), world.after(5, see)),
    stopWhen: () => (see(), false),
  });
  watching.notes = notes;
  try {
    await findViolation(noted, { seeds: 1 });
  } finally {
    watching.notes = undefined;
  }
  assert.equal([...new Set(seen)].toSorted(), ["`start`", "`stopWhen`", "what world.after does"]);
});

const waiting = actor({
  kind: "waiting",
  init: () => ({ isAnswered: false }),
  receive: {
    wait: () => new Promise<void>(() => {}),
    tick() {},
    begin: (_, __: undefined, ctx) => void ctx.every(10, "tick"),
    async query(state, to: AnyReference) {
      await to.ask("ask", 1, { timeoutMs: Infinity });
      state.isAnswered = true;
    },
  },
});

test("a handler that waits for what never comes is told, by actor and message", async () => {
  const idle = defineExploration(url, {
    start: (world) => world.spawn(waiting, undefined, { name: "ann" }).tell("wait"),
  });
  const { violation } = await findViolation(idle, { seeds: 2 });
  assert.match(violation?.message ?? "", /^ann waits at "wait" for something that isn't in the world/);
  const busy = defineExploration(url, {
    steps: 50,
    start(world) {
      world.spawn(waiting).tell("begin");
      world.spawn(waiting, undefined, { name: "ann" }).tell("wait");
    },
  });
  assert.match((await findViolation(busy, { seeds: 1 })).violation?.message ?? "", /^ann waits at "wait"/);
  const asking = defineExploration<{ ann: AnyReference }>(url, {
    start(world) {
      const to = world.spawn(sink, undefined, { name: "bob" });
      const ann = world.spawn(waiting, undefined, { name: "ann" });
      ann.tell("query", to);
      return { ann };
    },
    faults: { loss: 0.9, withinMs: 1000 },
    eventually: { "it is answered": ({ ann }, world) => world.state<{ isAnswered: boolean }>(ann)?.isAnswered },
  });
  const lost = await findViolation(asking, { seeds: 20 });
  assert.match(
    lost.violation?.message ?? "",
    /not within .* healed, and ann waits at "query" for an answer to "ask" of bob/,
  );
  await explore(defineExploration(url, { ...asking.options, eventually: {} }), { seeds: 20 });
});

test("who waits for an answer when the steps are over is no violation", async () => {
  const asking = sending(
    { delayMs: [5, 9] },
    {
      start(world) {
        const to = world.spawn(sink, undefined, { name: "to" });
        const from = world.spawn(source, undefined, { name: "from" });
        from.tell("ask", to);
        return { from, to };
      },
      steps: 3,
    },
  );
  await explore(asking, { seeds: 20 });
});

test("an exploration that checks nothing says so", async () => {
  const { warnings } = await explore(sending({}, {}, 3), { seeds: 1 });
  assert.match(warnings.join(), /checks only that no actor fails.*`always`, `never`, `eventually` or `atEnd`/);
  const checked = await explore(locks(false), { seeds: 1 });
  assert.equal(checked.warnings, []);
});

test("an exploration in which no actor is told anything says so", async () => {
  const idle = (start: (world: ExploredWorld) => unknown): Exploration =>
    defineExploration<unknown>(url, { name: "idle", machines: 2, start, always: { so: () => true } });
  const stopped = idle((world) => world.spawn(sink));
  const all = [idle(() => ({})), stopped, { ...stopped, options: { ...stopped.options, stopWhen: () => true } }];
  for (const exploration of all) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { warnings } = await explore(exploration, { seeds: 3 });
    assert.match(warnings.join(), /^idle: no actor handles a message or a timer in any run: /);
  }
  const orders = await explore(stopped, { exhaustive: true });
  assert.match(orders.warnings.join(), /no actor handles a message or a timer in any run/);
  const sizes = await explore(stopped, { seeds: 2, sizes: [1, 2] });
  assert.is(sizes.warnings.length, 1);
  const told = idle((world) => world.spawn(sink).tell("put", 1));
  assert.equal((await explore(told, { seeds: 3 })).warnings, []);
  assert.equal((await explore(told, { exhaustive: true })).warnings, []);
});

test("who waits for what isn't in the world is named where a seed isn't the same run twice", async () => {
  let runs = 0;
  const sleeper = actor({
    kind: "sleeper",
    init: () => ({}),
    receive: {
      async sleep(_, to: AnyReference) {
        runs++;
        // Long enough, every other time, to be given up.
        for (let turns = 0; turns < (runs % 2 === 0 ? 400 : 3); turns++) {
          // oxlint-disable-next-line no-await-in-loop -- one after the other
          await new Promise((resolve) => setImmediate(resolve));
        }
        to.tell("put", 1);
      },
    },
  });
  const sleeping = (isBusy: boolean): Exploration =>
    defineExploration<unknown>(url, {
      name: "sleeping",
      start(world) {
        const to = world.spawn(sink, undefined, { name: "to" });
        world.spawn(sleeper, undefined, { name: "ann" }).tell("sleep", to);
        if (isBusy) world.spawn(waiting).tell("begin");
      },
      steps: 40,
    });
  for (const isBusy of [false, true]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { message } = await failure(() => explore(sleeping(isBusy), { seeds: 1 }), "NONDETERMINISTIC");
    assert.match(message, /isn't the same run twice.*; ann waits at "sleep" for something that isn't in the world/);
  }
});

test("a folder for pictures in which none can be made is refused, and doesn't hang", async () => {
  if (process.platform !== "linux") return;
  const writing = explore(locks(false), { seeds: 1, pictures: "/proc/qstream" });
  const { message } = await failure(() => writing, "OPTION_INVALID");
  assert.match(message, /pictures can't be written to \/proc\/qstream: .*\/proc takes no folders/);
}, 5000);

test("of several numbers of machines, those are shown that were tried, and what became of the others", async () => {
  const growing = defineExploration<unknown>(url, {
    name: "growing",
    machines: 3,
    start: (world) => world.machines.map((machine) => world.spawn(sink, undefined, { machine }).tell("put", 1)),
    never: { "there are five": (_, world) => world.machines.length === 5 },
  });
  const { growth, violation } = await findViolation(growing, { seeds: 3, sizes: [3, 4, 5, 9] });
  assert.is(violation?.machines, 5);
  assert.equal(
    growth?.sizes.map(({ size }) => size),
    [3, 4],
  );
  assert.equal([growth?.broken, growth?.left], [5, [9]]);
  const rows =
    growth === undefined
      ? []
      : growthText(growth)
          .split("\n")
          .map((row) => row.trim());
  assert.match(rows[1] ?? "", /^3 /);
  assert.match(rows[3] ?? "", /^5 +broken/);
  assert.match(rows[4] ?? "", /^9 +not run/);
});

test("faults that a seed doesn't have are refused, and messages that nothing befalls are told", async () => {
  const exploration = sending({ loss: 0.01, withinMs: 100, crashes: { restartAfterMs: 5 } }, {}, 3);
  const { message } = await failure(() => explore(exploration, { seeds: 1, onlyFaults: ["99"] }), "OPTION_INVALID");
  assert.match(message, /seed 1 has no fault "99"/);
  await failure(() => explore(exploration, { seeds: 9, onlyFaults: ["skew"] }), "OPTION_INVALID");
  await failure(() => recordRun(exploration, { seed: 1, onlyFaults: ["99"] }), "OPTION_INVALID");
  const { warnings } = await explore(exploration, { seeds: 1, onlyFaults: ["m77"] });
  assert.match(warnings.join(), /nothing befalls m77/);
});

test("what isn't the same twice is found before anything is broken, with the first difference", async () => {
  const rolling = actor({
    kind: "rolling",
    init: () => ({}),
    receive: { roll: (_, to: AnyReference) => to.tell("put", Math.random()) },
  });
  const exploration = defineExploration(url, {
    name: "rolls",
    start(world) {
      const to = world.spawn(sink, undefined, { name: "to" });
      world.spawn(rolling).tell("roll", to);
    },
  });
  const { message } = await failure(() => explore(exploration, { seeds: 1 }), "NONDETERMINISTIC");
  assert.match(message, /seed 1 of rolls isn't the same run twice: at step \d+ .*put 0\.\d+.* and then .*put 0\.\d+/);
});

test("pictures that can't be written don't hide what was found", async () => {
  const folder = mkdtempSync(join(tmpdir(), "qstream-explore-"));
  try {
    const file = join(folder, "file");
    writeFileSync(file, "");
    const { violation } = await findViolation(locks(true), { seeds: 100, pictures: join(file, "there") });
    assert.equal(violation?.pictures, []);
    assert.match(violation?.text ?? "", /"two hold the lock" happens[^]*repeat it: [^]*no pictures: .*ENOTDIR/);
    const { message } = await failure(
      () => explore(locks(false), { seeds: 1, pictures: join(file, "there") }),
      "OPTION_INVALID",
    );
    assert.match(message, /pictures can't be written to .*ENOTDIR/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const longStates = (whole: boolean): Exploration<Pair> =>
  sending({ loss: 0.3 }, { show: { whole }, atEnd: { some: ({ to }, world) => gotOf(world, to).length < 80 } }, 120);

test("what was lost has rows of its own in a text, and states are whole where that is asked for", async () => {
  const lossy = sending(
    { loss: 0.3, delayMs: 5 },
    { atEnd: { all: ({ to }, world) => gotOf(world, to).length === 30 } },
  );
  const { violation } = await findViolation(lossy, { seeds: 9, shrinks: false });
  const text = formatTrace(violation?.trace ?? { title: "", seed: 0, lines: [], steps: [] }, { columns: 60 });
  assert.match(text, /^ +lost: put \d+ to to \(lost on its way\)$/m);
  const [cut, whole] = await Promise.all([false, true].map((each) => recordRun(longStates(each), { seed: 1 })));
  const lastOf = (trace = cut): string => trace?.steps.findLast(({ state }) => state !== undefined)?.state ?? "";
  assert.match(lastOf(cut), /…/);
  assert.not.match(lastOf(whole), /…/);
  if (whole === undefined) return;
  assert.not.ok(formatTrace(whole).includes(lastOf(whole)));
  assert.ok(formatTrace(whole, { whole: true }).includes(lastOf(whole)));
});

test.run();
