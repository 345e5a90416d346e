// Flows that wait for real time, which virtual time doesn't wait for: the error says what waits, and what to do.
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import type { PrepareOrder } from "../../../../actors/slot/protocol.ts";
import { executionMark } from "../../../../actors/slot/turn-notes.ts";
import { defineFlow, numbers, QStreamError, reader, type Flow } from "../../../../lib/index.ts";
import { delay } from "../../../../lib/core/seam/clock.ts";
import { seededRandom } from "../../../../lib/core/seam/random.ts";
import { checkSeeds, simulate } from "../../../../lib/testing/simulation/index.ts";
import { VirtualClock } from "../../../../lib/testing/simulation/virtual-clock.ts";
import { WaitingCode } from "../../../../lib/testing/simulation/waiting-code.ts";
import { failure } from "../../../kit/failure.ts";
import { lineOf } from "../../../kit/plans.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("user code that waits in a simulation");
const realMs = 600;
const mark = executionMark("run");

const slowly = reader({
  splits: () => [0, 1],
  async *read(split) {
    await wait(realMs);
    yield split;
  },
});

const pacing = defineFlow(import.meta.url, (q) => ({ rows: q.read("paced", slowly, { channels: 1 }).collect() }));

const napping = defineFlow(import.meta.url, (q) => ({
  rows: q
    .read("numbers", numbers(0, 10), { channels: 1 })
    .apply("napper", () => ({
      async execute({ objects }: { readonly objects: readonly number[] }) {
        await wait(realMs);
        return objects;
      },
    }))
    .collect(),
}));

async function errorOf(flow: Flow<object, { rows: number[] }>): Promise<Error> {
  const { error } = await simulate(flow, {}, { seed: 1, finishWithinMs: 2000 });
  return error as Error;
}

for (const [flow, step] of [
  [pacing, "paced"],
  [napping, "napper"],
] as const) {
  test(`a real timer in "${step}": the error names the step, and says what to do`, async () => {
    const error = await errorOf(flow as Flow<object, { rows: number[] }>);
    assert.instance(error, QStreamError);
    assert.is((error as QStreamError).code, "UNSUPPORTED");
    assert.is((error as QStreamError).place.step, step);
    assert.match(error.message, new RegExp(`waited for promises: channel 0 of "${step}" \\d+ ms of it`));
    assert.match(error.message, /setTimeout, node:fs, fetch/);
    assert.match(error.message, /ctx\.timers/);
  });
}

test("many seeds: the run without faults says it", async () => {
  const options = { seeds: 3, finishWithinMs: 2000 };
  await failure(() => checkSeeds(pacing, {}, options), "UNSUPPORTED", { step: "paced" });
});

/** A world with a plan of one reader and an operator of two channels. */
function known(): { readonly clock: VirtualClock; readonly waiting: WaitingCode } {
  const clock: VirtualClock = new VirtualClock({
    random: seededRandom(1),
    graceMs: 20,
    stuck: (what) => waiting.explain(what),
  });
  const waiting = new WaitingCode(clock);
  const channels = [0, 1, 2].map((life) => ({
    step: life === 0 ? 0 : 1,
    channel: life === 2 ? 1 : 0,
    life,
    generation: 0,
  }));
  waiting.ordered({ kind: "prepare", execution: "run", plan: lineOf([1, 2]), channels } as unknown as PrepareOrder);
  return { clock, waiting };
}

test("a world in which nothing is left to do names who waits, longest first", async () => {
  const { clock, waiting } = known();
  waiting.began(mark, 2);
  clock.after(10, () => waiting.began(mark, 0));
  const never = new Promise(() => {});
  const stuck = async (): Promise<void> => {
    await delay(clock, 12);
    await never;
  };
  const error = await failure(() => clock.run({ settled: stuck() }), "UNSUPPORTED", { step: "step-1" });
  assert.match(
    error.message,
    "nothing is left to do at 12 ms of virtual time, and promises wait for what never happens",
  );
  assert.match(error.message, 'waited for promises: channel 1 of "step-1" 12 ms of it (step');
});

test("a channel that waited now and then, or whose life is over, isn't blamed", async () => {
  const { clock, waiting } = known();
  waiting.began(mark, 0);
  waiting.began(mark, 1);
  clock.after(30, () => waiting.ended(mark, 0));
  clock.after(40, () => {
    const channels = [{ step: 1, channel: 0, life: 7, generation: 1 }];
    waiting.ordered({ kind: "recover", execution: "run", round: 1, placed: [], channels });
    // Too late: another life goes on.
    waiting.ended(mark, 1);
  });
  clock.after(95, () => waiting.began(mark, 0));
  clock.after(100, () => {});
  await clock.run();
  assert.not.instance(waiting.explain("late"), QStreamError);
  waiting.ended(mark, 0);
  assert.is(waiting.explain("late").message, "late");
});

test.run();
