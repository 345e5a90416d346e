import * as assert from "uvu/assert";
import { defineFlow, hash, numbers, type Operator, type Task } from "../../../../lib/index.ts";
import { exploreFlow, findFlowViolation } from "../../../../lib/testing/index.ts";
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

test("what holds while a flow runs, and of its outputs, holds with faults", async () => {
  let looks = 0;
  const report = await exploreFlow(
    counting,
    {},
    {
      seeds: 10,
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
      atEnd: { "all are counted": ({ counts }) => counts.every(([, count]) => count === 20) },
    },
  );
  assert.is(report.seeds, 10);
  assert.ok(report.faults > 5, `${report.faults} faults struck`);
  assert.ok(looks > 500, `operators were seen ${looks} times`);
});

test("a state that is restored wrongly is found, with the fault that it takes", async () => {
  const { violation } = await findFlowViolation(
    counting,
    { forgets: true },
    {
      seeds: 60,
      limits: { parcelObjects: 16 },
      checkpointEveryMs: 2,
      atEnd: { "all are counted": ({ counts }) => counts.every(([, count]) => count === 20) || JSON.stringify(counts) },
    },
  );
  assert.is(violation?.invariant, "all are counted");
  assert.is(violation?.faults.length, 1, violation?.text);
});

test("what never may be is seen in the task in which it is", async () => {
  const { violation } = await findFlowViolation(
    counting,
    {},
    {
      seeds: 1,
      faults: [],
      limits: { parcelObjects: 16 },
      never: {
        "a count of five": (operators) =>
          operators.of<Counting>("counting").some(({ operator }) => [...operator.counts.values()].includes(5)),
      },
    },
  );
  assert.is(violation?.kind, "never");
  assert.ok((violation?.task ?? 0) > 1);
  assert.match(violation?.text ?? "", /"a count of five" happens, at task \d+ of seed 1/);
});

test.run();
