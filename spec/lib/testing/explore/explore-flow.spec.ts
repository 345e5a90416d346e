import * as assert from "uvu/assert";
import { defineFlow, hash, numbers, type Operator, type Task } from "../../../../lib/index.ts";
import { defineFlowExploration, explore, findViolation } from "../../../../lib/testing/index.ts";
import { failure } from "../../../kit/failure.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("exploring flows");

/** Counts of keys; it forgets them when it is restored, if it is forgetful. */
class Counting implements Operator<{ in: { key: number } }, [number, number]> {
  readonly counts = new Map<number, number>();
  readonly #forgets: boolean;

  constructor(forgets: boolean) {
    this.#forgets = forgets;
  }

  execute({ objects }: Task<{ in: { key: number } }>): void {
    for (const { key } of objects) this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
  }

  done(): [number, number][] {
    return [...this.counts];
  }

  snapshot(): [number, number][] {
    return [...this.counts];
  }

  restore(counts: [number, number][]): void {
    for (const [key, count] of counts) this.counts.set(key, this.#forgets ? 1 : count);
  }
}

const counting = defineFlow(import.meta.url, (q, { forgets = false }: { forgets?: boolean }) => ({
  counts: q
    .read("numbers", numbers(0, 200))
    .map("keys", (number) => ({ key: number % 10 }))
    .partition(hash("key"))
    .apply("counting", () => new Counting(forgets))
    .collect(),
}));

const allCounted = ({ counts }: { counts: [number, number][] }): true | string =>
  counts.every(([, count]) => count === 20) || JSON.stringify(counts);

export const holding = defineFlowExploration(import.meta.url, {
  flow: counting,
  limits: { parcelObjects: 16 },
  always: {
    "no count is too high": (operators) => {
      for (const { operator } of operators.of<Counting>("counting")) {
        looks++;
        if ([...operator.counts.values()].some((count) => count > 20)) return false;
      }
      return true;
    },
  },
  atEnd: { "all are counted": allCounted },
});
let looks = 0;

export const forgetting = defineFlowExploration(import.meta.url, {
  name: "forgetting",
  flow: counting,
  args: { forgets: true },
  limits: { parcelObjects: 16 },
  checkpointEveryMs: 2,
  atEnd: { "all are counted": allCounted },
});

test("what holds while a flow runs, and of its outputs, holds with faults", async () => {
  const report = await explore(holding, { seeds: 10 });
  assert.is(report.seeds, 10);
  assert.ok(report.faults > 5, `${report.faults} faults struck`);
  assert.ok(looks > 500, `operators were seen ${looks} times`);
});

test("a state that is restored wrongly is found, with the fault that it takes, and seen again", async () => {
  const path = "counting.ts#forgetting";
  const { violation } = await findViolation(forgetting, { seeds: 60, path });
  assert.ok(violation);
  const { invariant, faults, text, seed, command, message, task } = violation;
  assert.is(invariant, "all are counted");
  assert.is(faults.length, 1, text);
  assert.is(command, `npx qstream explore ${path} --seed ${seed} --only-faults ${faults[0]}`);
  assert.match(text, new RegExp(`of forgetting, with faults: ${faults[0]}[^]*\nrepeat it: ${command}$`));
  const again = await findViolation(forgetting, { seeds: 1, from: seed, onlyFaults: faults, shrinks: false, path });
  assert.equal([again.violation?.task, again.violation?.message], [task, message]);
  assert.is(again.violation?.text, text);
  const without = await findViolation(forgetting, { seeds: 1, from: seed, onlyFaults: [] });
  assert.is(without.violation, undefined);
});

test("a seed that is shown as it is names all faults that struck, and explore throws", async () => {
  const { violation } = await findViolation(forgetting, { seeds: 60 });
  assert.ok(violation);
  const error = await failure(
    () => explore(forgetting, { seeds: 1, from: violation.seed, shrinks: false }),
    "EXPLORATION_FAILED",
  );
  assert.match(error.message, /^"all are counted" doesn't come to hold, at task \d+ of seed \d+ of forgetting/);
  assert.match(error.message, /explore-flow\.spec\.js#forgetting --seed \d+$|explore\(forgetting, /);
});

test("what never may be is seen in the task in which it is", async () => {
  const five = defineFlowExploration(import.meta.url, {
    flow: counting,
    faults: [],
    limits: { parcelObjects: 16 },
    never: {
      "a count of five": (operators) =>
        operators.of<Counting>("counting").some(({ operator }) => [...operator.counts.values()].includes(5)),
    },
  });
  const { violation } = await findViolation(five, { seeds: 1 });
  assert.is(violation?.kind, "never");
  assert.ok((violation?.task ?? 0) > 1);
  assert.match(violation?.text ?? "", /"a count of five" happens, at task \d+ of seed 1/);
});

test("what can't be explored is refused", async () => {
  const made: readonly [object, RegExp][] = [
    [{}, /has no `flow`/],
    [{ flow: counting, start: 3 }, /no option "start"/],
    [{ flow: counting, atEnd: { all: true } }, /atEnd "all" is no function/],
  ];
  for (const [options, message] of made) {
    const error = await failure(() => defineFlowExploration(import.meta.url, options as never), "OPTION_INVALID");
    assert.match(error.message, message);
  }
  const explored: readonly [object, RegExp][] = [
    [{ steps: 4 }, /`steps` is of explorations of actors, and .* is of a flow/],
    [{ seedz: 4 }, /no option "seedz"/],
    [{ seeds: 0 }, /seeds is 0/],
    [{ onlyFaults: ["m3"] }, /"m3" is no fault that strikes flows/],
  ];
  for (const [options, message] of explored) {
    assert.match((await failure(() => explore(holding, options as never), "OPTION_INVALID")).message, message);
  }
});

test.run();
