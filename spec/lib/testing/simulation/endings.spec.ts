// Simulated executions that must end with an error, whatever else goes wrong, and leave nothing behind.
import * as assert from "uvu/assert";
import {
  defineFlow,
  numbers,
  type ErrorCode,
  type Flow,
  type Operator,
  QStreamError,
  type Task,
} from "../../../../lib/index.ts";
import { simulate, survivableFaults, type FaultKind } from "../../../../lib/testing/simulation/index.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("executions that fail");

const limits = { parcelObjects: 8, inputObjects: 32 };

const failing = defineFlow(import.meta.url, (q) => ({
  out: q
    .read("numbers", numbers(0, 200))
    .map("bad", (value) => {
      if (value === 77) throw new Error("77 is bad");
      return value;
    })
    .toLines("/simulated/failing"),
}));

/** Takes one input only, and never ends before the other. */
class Stubborn implements Operator<{ left: number; right: number }, number> {
  accepts(input: string): boolean {
    return input === "left";
  }
  execute(): void {}
}

const stuck = defineFlow(import.meta.url, (q) => {
  const left = q.read("left", numbers(0, 10), { channels: 1 });
  const right = q.read("right", numbers(0, 2000), { channels: 1 });
  return { out: q.apply("stubborn", { left, right }, () => new Stubborn(), { channels: 1 }).collect() };
});

let drawn = 0;

/** What it gives depends on how often it was asked. */
class Fickle implements Operator<{ in: number }, number> {
  execute({ objects }: Task<{ in: number }>): number[] {
    return objects.map(() => drawn++);
  }
}

const fickle = defineFlow(import.meta.url, (q) => ({
  out: q
    .read("numbers", numbers(0, 400))
    .apply("fickle", () => new Fickle(), { channels: 2 })
    .reduceByKey(
      "sums",
      (value) => value % 16,
      () => 0,
      (sum, value) => sum + value,
    )
    .collect(),
}));

const unsendable = defineFlow(import.meta.url, (q) => ({
  out: q.read("numbers", numbers(0, 20)).to({
    kind: "unsendable",
    guarantee: "at-least-once",
    placement: "per-slot",
    open: () => ({ write: () => {}, done: () => () => "a function" }),
    result: (parts) => parts,
  }),
}));

interface Ended {
  readonly codes: ReadonlyMap<string, number>;
  readonly hidden: readonly string[];
}

async function ends(flow: Flow<never, never>, seeds: number, faults: readonly FaultKind[]): Promise<Ended> {
  const codes = new Map<string, number>();
  const hidden: string[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    const options = { seed, limits, faults, faultsWithinMs: 25, checkpointEveryMs: 3, traceLines: 0 };
    // oxlint-disable-next-line no-await-in-loop -- one world at a time
    const { error, files } = await simulate(flow as never, {}, options);
    const code = error === undefined ? "done" : error instanceof QStreamError ? error.code : String(error);
    codes.set(code, (codes.get(code) ?? 0) + 1);
    hidden.push(...files.keys());
  }
  return { codes, hidden };
}

async function endsWith(flow: Flow<never, never>, code: ErrorCode): Promise<void> {
  const calm = await ends(flow, 3, []);
  assert.equal([...calm.codes], [[code, 3]]);
  const { codes, hidden } = await ends(flow, 40, survivableFaults);
  assert.equal([...codes], [[code, 40]]);
  assert.equal(hidden, []);
}

test("a function that throws again and again fails the execution, and no file is left", async () => {
  await endsWith(failing as never, "STEP_FAILED");
});

test("everything that waits for everything is found, with faults and without", async () => {
  await endsWith(stuck as never, "DEADLOCK");
});

test("a part that can't be sent is told of", async () => {
  await endsWith(unsendable as never, "CANNOT_TRAVEL");
});

test("an operator whose replay differs is found, with NONDETERMINISTIC", async () => {
  const { codes } = await ends(fickle as never, 150, ["kill"]);
  assert.equal([...codes.keys()].toSorted(), ["NONDETERMINISTIC", "done"]);
});

test("without a store, a lost slot ends the execution", async () => {
  const found = new Set<string>();
  for (let seed = 1; seed <= 30; seed++) {
    const options = { seed, limits, faults: ["kill", "drop", "lapse"], faultsWithinMs: 10, store: "none" } as const;
    // oxlint-disable-next-line no-await-in-loop -- one world at a time
    const { error } = await simulate(stuck as never, {}, options);
    found.add(error instanceof QStreamError ? error.code : String(error));
  }
  assert.equal([...found].toSorted(), ["DEADLOCK", "SLOT_LOST"]);
});

test.run();
