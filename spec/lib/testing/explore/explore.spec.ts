import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { compactRaft } from "../../../../benchmarks/explorations/compact-raft.ts";
import { actor } from "../../../../lib/index.ts";
import {
  ExplorationFailed,
  explore,
  findViolation,
  formatTrace,
  recordRun,
  spaceTimeSvg,
  type Exploration,
  type ExploreOptions,
  type FoundViolation,
  type SeedRun,
} from "../../../../lib/testing/index.ts";
import { failure } from "../../../kit/failure.ts";
import { suite } from "../../../kit/suite.ts";
import { additions, locks } from "./mistakes.ts";

const test = suite("explore");
const add = (state: { value: number }): void => void state.value++;

/** The violation that is expected. */
async function violationOf<System>(exploration: Exploration<System>, options: ExploreOptions): Promise<FoundViolation> {
  const { violation } = await findViolation(exploration, options);
  assert.ok(violation !== undefined, "it isn't found");
  return violation as FoundViolation;
}

test("what is right holds in all seeds", async () => {
  assert.is((await explore(locks(false, { faults: { delayMs: [1, 30], reorder: true } }), { seeds: 300 })).seeds, 300);
  await explore(additions(true, { faults: { delayMs: [1, 30], reorder: true } }), { seeds: 300 });
  const raft = await explore(compactRaft(), { seeds: 20 });
  assert.ok(raft.faults > 100, "nothing went wrong");
});

test("a lost update is found", async () => {
  const violation = await violationOf(additions(false), { seeds: 100 });
  assert.is(violation.invariant, "nothing is lost");
  assert.is(violation.message, "the sum is 1");
  assert.ok(violation.step <= 12, `it took ${violation.step} steps`);
});

test("a lock that two hold is found, in as few steps as it takes", async () => {
  const violation = await violationOf(locks(true), { seeds: 100 });
  assert.is(violation.invariant, "two hold the lock");
  assert.is(violation.kind, "never");
  assert.ok(violation.step <= 16, `it took ${violation.step} steps`);
});

test("a quorum that is too small elects two leaders, or loses what was committed", async () => {
  const violation = await violationOf(compactRaft({ quorum: 2 }), { seeds: 100 });
  assert.is(violation.kind, "always");
  assert.ok(violation.machines < 5, "it isn't shown with fewer machines");
  assert.ok(violation.step <= 90, `it took ${violation.step} steps`);
  assert.ok(violation.faults.length <= 3, violation.faults.join(","));
});

test("what isn't flushed is missed after a crash", async () => {
  const violation = await violationOf(compactRaft({ noFlush: true }), { seeds: 200 });
  assert.is(violation.machines, 3);
  assert.ok(violation.step <= 120, `it took ${violation.step} steps`);
  assert.match(violation.text, /writes are lost/);
});

test("a message that comes twice, and is counted twice, is found", async () => {
  const violation = await violationOf(compactRaft({ countsTwice: true }), { seeds: 200 });
  assert.ok(
    violation.faults.some((id) => id.startsWith("m")),
    violation.faults.join(","),
  );
});

test("the same seed is the same run", async () => {
  const runs = async (): Promise<SeedRun[]> => {
    const found: SeedRun[] = [];
    await explore(compactRaft(), { seeds: 5, steps: 600, onRun: (run) => found.push(run) });
    return found;
  };
  const first = await runs();
  assert.equal(first, await runs());
  assert.is(new Set(first.map(({ virtualMs }) => virtualMs)).size, 5, "seeds are alike");
});

test("what is given for the smallest run repeats it", async () => {
  const exploration = compactRaft({ noFlush: true });
  const violation = await violationOf(exploration, { seeds: 200 });
  const call = /explore\(.*?, (?<options>\{.*?\})\)/u.exec(violation.command)?.groups?.["options"] ?? "";
  const again = await findViolation(exploration, { ...(JSON.parse(call) as object), shrinks: false });
  const { step, message } = again.violation ?? {};
  assert.equal({ step, message }, { step: violation.step, message: violation.message });
});

test("explore throws what it finds, with the run as pictures", async () => {
  const folder = mkdtempSync(join(tmpdir(), "qstream-explore-"));
  try {
    const error = await explore(locks(true), { seeds: 100, pictures: folder }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof ExplorationFailed);
    assert.is(error.code, "EXPLORATION_FAILED");
    const { found } = error;
    assert.match(error.message, /^"two hold the lock" happens, at step \d+ of seed \d+ of locks/);
    assert.match(error.message, /granted/);
    assert.is(found.pictures.length, 2);
    for (const file of found.pictures) assert.ok(existsSync(file), file);
    assert.match(readFileSync(found.pictures[0] ?? "", "utf8"), /^<svg/);
    assert.ok(found.trace.steps.length > 5);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a run is recorded, with what it breaks, and drawn from code", async () => {
  const trace = await recordRun(locks(false), { seed: 3, path: "locks.ts" });
  assert.equal([trace.title, trace.seed, trace.violation], ["locks", 3, undefined]);
  assert.is(trace.command, "npx qstream explore locks.ts --seed 3");
  assert.ok(trace.steps.length > 10);
  assert.match(spaceTimeSvg(trace), /^<svg/);
  assert.match(
    formatTrace(trace, { firstStep: 4, lastStep: 9 }),
    /^\(\d+ earlier steps and \d+ later steps left out\)$/m,
  );
  const quick = await recordRun(locks(false), { seed: 3, onlyDelays: [], path: "locks.ts" });
  assert.is(quick.command, "npx qstream explore locks.ts --seed 3 --only-delays none");
  assert.ok((quick.steps.at(-1)?.at ?? 0) < (trace.steps.at(-1)?.at ?? 0));
  const violation = await violationOf(locks(true), { seeds: 100, shrinks: false });
  const broken = await recordRun(locks(true), { seed: violation.seed });
  assert.is(broken.violation?.invariant, "two hold the lock");
  assert.equal(broken.steps, violation.trace.steps);
});

test("what is noted, also by a check, is beside its step, and what comes from outside is told", async () => {
  const exploration = additions(true, {
    start(world) {
      const shared = world.spawn(actor({ init: () => ({ value: 0 }), receive: { add } }), undefined, { name: "sum" });
      world.after(5, () => shared.tell("add"));
      return { shared };
    },
    always: {
      "is seen": ({ shared }, world) => {
        if (world.state<{ value: number }>(shared)?.value === 1) world.note("it is one");
      },
    },
    atEnd: {},
  });
  const trace = await recordRun(exploration, { seed: 1 });
  const [outside, added] = trace.steps.slice(-2);
  assert.equal([outside?.line, outside?.kind, added?.line, added?.text], ["outside", "note", "sum", "it is one"]);
  assert.match(spaceTimeSvg(trace), />it is one</);
  assert.match(formatTrace(trace), /outside sends to sum\n.*sum gets add from outside, sent at step \d+ \(it is one\)/);
});

test("a run that can't be recorded is refused", async () => {
  for (const options of [{}, { seed: -1 }, { seed: 1.5 }, { seed: 1, seeds: 3 }, { seed: 1, steps: 0 }]) {
    await failure(() => recordRun(locks(false), options as never), "OPTION_INVALID");
  }
});

test("a run that repeats nothing of itself is refused", async () => {
  let calls = 0;
  const exploration = additions(false, {
    always: {
      "is even": () => ++calls % 1000 !== 0,
    },
    atEnd: {},
  });
  try {
    await findViolation(exploration, { seeds: 500 });
    assert.unreachable("it wasn't refused");
  } catch (error) {
    assert.is((error as { code?: string }).code, "NONDETERMINISTIC");
  }
});

test("counts of messages and rounds are told, and how they grow", async () => {
  const { counts } = await explore(locks(false), { seeds: 20 });
  assert.equal(counts.messages, { min: 9, median: 9, max: 9 });
  assert.ok(counts.rounds.min >= 7 && counts.rounds.max <= 9, JSON.stringify(counts.rounds));
  const { growth } = await explore(compactRaft(), { seeds: 3, steps: 800, sizes: [3, 5, 9] });
  assert.equal(
    growth?.sizes.map(({ size }) => size),
    [3, 5, 9],
  );
  assert.type(growth?.messages, "number");
});

test("options that can't be are refused", async () => {
  const wrong: readonly [object, RegExp][] = [
    [{ seedz: 3 }, /no option "seedz".*seeds/s],
    [{ seeds: 0 }, /seeds is 0/],
    [{ machines: 1001 }, /machines is 1001.*from 1 to 1,000/s],
    [{ machines: 4 }, /no number of machines to change/],
    [{ sizes: [3] }, /no number of machines to change/],
    [{ exhaustive: true, seeds: 4 }, /`seeds` is of runs of seeds/],
    [{ exhaustive: { depth: 0 } }, /exhaustive.depth is 0/],
    [{ exhaustive: { reduction: "some" } }, /reduction is "some"/],
  ];
  for (const [options, message] of wrong) {
    const error = await findViolation(locks(false), options).then(
      () => undefined,
      (thrown: unknown) => thrown as { code: string; message: string },
    );
    assert.is(error?.code, "OPTION_INVALID", JSON.stringify(options));
    assert.match(error?.message ?? "", message);
  }
});

test.run();
