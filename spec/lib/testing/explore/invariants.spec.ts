import * as assert from "uvu/assert";
import type { AnyReference } from "../../../../lib/index.ts";
import {
  defineExploration,
  explore,
  findViolation,
  type ExplorationOptions,
  type FoundViolation,
} from "../../../../lib/testing/index.ts";
import { failure } from "../../../kit/failure.ts";
import { suite } from "../../../kit/suite.ts";
import { gotOf, sending, sink, type Pair } from "./sending.ts";

const test = suite("invariants of explorations");
const url = import.meta.url;

async function violationOf(checks: Partial<ExplorationOptions<Pair>>): Promise<FoundViolation | undefined> {
  return (await findViolation(sending({}, checks, 3), { seeds: 3 })).violation;
}

test("each kind of invariant can fail", async () => {
  const got = ({ to }: Pair, world: { state: <S>(actor: AnyReference) => S | undefined }): number =>
    gotOf(world, to).length;
  const failing: readonly [Partial<ExplorationOptions<Pair>>, string, RegExp][] = [
    [{ always: { few: (system, world) => got(system, world) < 2 || "two came" } }, "always", /^two came$/],
    [{ always: { few: (system, world) => got(system, world) < 2 } }, "always", /it doesn't hold/],
    [{ always: { few: (system, world) => assert.ok(got(system, world) < 2, "too many") } }, "always", /too many/],
    [{ never: { many: (system, world) => got(system, world) > 1 } }, "never", /it did/],
    [{ never: { many: (system, world) => got(system, world) > 1 && "two" } }, "never", /^two$/],
    [
      { eventually: { four: (system, world) => got(system, world) > 3 } },
      "eventually",
      /nothing was left to do|not within/,
    ],
    [{ eventually: { four: { check: () => "none", withinMs: 5 } } }, "eventually", /none \(not within 5 ms/],
    [{ atEnd: { four: (system, world) => got(system, world) === 4 } }, "eventually", /didn't hold at the end/],
  ];
  for (const [checks, kind, message] of failing) {
    const violation = await violationOf(checks);
    assert.is(violation?.kind, kind, JSON.stringify(Object.keys(checks)));
    assert.match(violation?.message ?? "", message);
  }
  assert.is(await violationOf({ always: { few: (system, world) => got(system, world) < 4 } }), undefined);
});

test("what has to come to hold may take its time, and more steps than a run has", async () => {
  const slow = sending({}, { eventually: { all: ({ to }, world) => gotOf(world, to).length === 30 }, steps: 5 });
  await explore(slow, { seeds: 5 });
});

test("an actor that fails is a violation, unless it may", async () => {
  const failing = (mayFail: boolean) =>
    defineExploration(url, { mayFail, start: (world) => world.spawn(sink).tell("boom") });
  assert.match((await findViolation(failing(false), { seeds: 1 })).violation?.message ?? "", /failed at "boom": boom/);
  await explore(failing(true), { seeds: 1 });
});

test("a message that its actor has no handler for is a violation: its name is misspelt", async () => {
  const misspelt = defineExploration(import.meta.url, {
    start: (world) => (world.spawn(sink) as AnyReference).tell("bom"),
  });
  const { violation } = await findViolation(misspelt, { seeds: 1 });
  assert.match(violation?.message ?? "", /has no handler for "bom"/);
});

test("what explores nothing is refused: async starts and checks, faults of machines that aren't there", async () => {
  const start = (): void => {};
  const wrong: readonly [object, RegExp][] = [
    [{ start: async () => {} }, /`start` is async/],
    [{ start, always: { holds: async () => true } }, /always "holds" is async/],
    [{ start, machines: 2, faults: { crashes: { machines: ["machine-2"] } } }, /names "machine-2"/],
  ];
  for (const [options, message] of wrong) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { message: text } = await failure(
      () => defineExploration(import.meta.url, options as never),
      "OPTION_INVALID",
    );
    assert.match(text, message);
  }
});

test.run();
