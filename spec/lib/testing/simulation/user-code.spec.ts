// specs: timeout 120 s
// Simulated executions whose user code hangs, or does something else when a task is run once more.
import * as assert from "uvu/assert";
import { defineFlow, numbers, QStreamError, type Context, type Operator, type Task } from "../../../../lib/index.ts";
import { checkSeeds, simulate } from "../../../../lib/testing/simulation/index.ts";
import { suite } from "../../../kit/suite.ts";
import type { FlowName } from "./check-flows.ts";
import { simulatedFlows } from "./flows.ts";

const test = suite("user code in simulations");
const limits = { parcelObjects: 8, inputObjects: 32 };

for (const name of ["join", "passedOver", "waited"] satisfies FlowName[]) {
  test(`user code of the flow "${name}" that hangs now and then is tried again, elsewhere`, async () => {
    const { flow, args, options } = simulatedFlows[name];
    const settings = { ...options, seeds: 25, faults: ["hang", "kill", "rebalance"], faultsMax: 6 } as const;
    const { failure, faults, refused } = await checkSeeds(flow, args as never, {
      ...settings,
      acceptErrors: ["SLOT_LOST"],
    });
    assert.ok(failure === undefined, `${failure?.reason}\n${failure?.error?.stack}`);
    assert.ok((faults.hang ?? 0) > 10 && refused < 10, `${faults.hang} hangs, ${refused} ended`);
  });
}

/** Gives more than a parcel holds, and then fails: what it gave is in the log by then. */
class Half implements Operator<{ in: number }, number> {
  *execute({ objects }: Task<{ in: number }>): Generator<number> {
    for (const value of objects) {
      for (let copy = 0; copy < 40; copy++) yield value;
      if (value === 7) throw new Error("never all of 7");
    }
  }

  snapshot(): null {
    return null;
  }

  restore(): void {}
}

const halves = defineFlow(import.meta.url, (q) => ({
  out: q
    .read("numbers", numbers(0, 20))
    .apply("half", () => new Half(), { channels: 1, onFailure: "skip" })
    .collect(),
}));

test("a task that fails behind what it has given already can't be passed over: it fails the execution", async () => {
  for (let seed = 1; seed <= 6; seed++) {
    const faults = seed <= 3 ? [] : (["kill"] as const);
    const options = { seed, limits, faults, faultsWithinMs: 20, finishWithinMs: 2000 };
    // oxlint-disable-next-line no-await-in-loop -- one world at a time
    const { error } = await simulate(halves, {}, options);
    assert.instance(error, QStreamError, `seed ${seed}`);
    assert.is((error as QStreamError).code, "STEP_FAILED", `seed ${seed}, ${error?.message}`);
    assert.match(error?.message ?? "", "never all of 7");
  }
});

let asked = 0;

const states: Readonly<Record<string, (count: number) => unknown>> = {
  number: (count) => count,
  list: (count) => [0, ...Array.from({ length: count % 3 }, () => 1)],
  map: (count) => ({ sums: new Map([["a", count]]) }),
  set: (count) => new Set([1, ...(count % 2 === 0 ? [2] : [])]),
  date: (count) => [new Date(count)],
  expression: (count) => [new RegExp(`${count}`, "u")],
  error: (count) => ({ last: new Error(`${count}`) }),
  bytes: (count) => Uint8Array.of(count % 256),
  property: (count) => (count % 2 === 0 ? { a: 1 } : { a: 1, b: 2 }),
  kind: (count) => (count % 2 === 0 ? [[]] : [{}]),
};

/** Passes on what it gets. Each time it is asked, it does one thing otherwise. */
class Fickle implements Operator<{ in: number }, number> {
  readonly #what: string;
  #state: unknown;

  constructor(what: string) {
    this.#what = what;
  }

  execute({ objects }: Task<{ in: number }>, ctx: Context): readonly number[] {
    asked++;
    this.#state = states[this.#what]?.(asked);
    switch (this.#what) {
      case "object":
        return objects.map((value) => value + asked);
      case "fewer objects":
        return objects.slice(asked % 2);
      case "throws":
        if (asked % 2 === 0) throw new Error("not twice");
        return objects;
      case "stops":
        if (asked % 2 === 0) ctx.stop();
        return objects;
      default:
        return objects;
    }
  }

  snapshot(): unknown {
    return this.#state;
  }

  restore(state: unknown): void {
    this.#state = state;
  }
}

const fickle = defineFlow(import.meta.url, (q, { what }: { what: string }) => ({
  out: q
    .read("numbers", numbers(0, 60))
    .apply("fickle", () => new Fickle(what), { channels: 1 })
    .collect(),
}));

for (const what of [...Object.keys(states), "object", "fewer objects", "throws", "stops"]) {
  test(`${what}: what differs when a task is run twice is found`, async () => {
    asked = 0;
    const { error } = await simulate(fickle, { what }, { seed: 1, limits, verifyReplay: { share: 1 }, attempts: 1 });
    assert.instance(error, QStreamError);
    assert.is((error as QStreamError).code, "NONDETERMINISTIC", error?.message);
    assert.is((error as QStreamError).place.step, "fickle");
  });
}

test.run();
