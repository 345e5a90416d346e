// Code that goes on with a saved state has to take it.
import * as assert from "uvu/assert";
import { OperatorWork, SinkWork } from "../../../actors/channel/work.ts";
import type { Context } from "../../../lib/core/contracts/context.ts";
import { defineFlow, local, reader, run, type OutputSink, type Run } from "../../../lib/index.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("the work of a channel");

const operator = (methods: object): OperatorWork =>
  new OperatorWork(() => ({ execute: () => {}, ...methods }) as never, false);

async function sink(methods: object): Promise<SinkWork> {
  const made: OutputSink<never, unknown> = {
    kind: "own",
    guarantee: "idempotent",
    placement: "client",
    open: () => ({ write: () => {}, ...methods }),
    result: () => 0,
  };
  const work = new SinkWork(made);
  await work.open({ step: "own", channel: 0 } as Context);
  return work;
}

test("a state that nothing takes is refused, and told from a checkpoint that is damaged", async () => {
  for (const work of [
    operator({}),
    operator({ snapshot: () => 1 }),
    await sink({}),
    await sink({ snapshot: () => 1 }),
  ]) {
    for (const state of [0, null, { sum: 1 }]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const error = await failure(() => work.restore(state), "NOT_RECOVERABLE");
      assert.match(error.message, /holds a state, and the (operator|sink) has no restore\(state\).*Give it restore/);
      assert.is((error.cause as { readonly code?: string }).code, "CODE_CHANGED");
    }
    // What saved nothing lacks nothing.
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await work.restore(undefined);
  }
});

test("restore is called with the state", async () => {
  const taken: unknown[] = [];
  const methods = { snapshot: () => 1, restore: (state: unknown) => void taken.push(state) };
  operator(methods).restore(7);
  await (await sink(methods)).restore(8);
  assert.equal(taken, [7, 8]);
});

/** Whether the operator is the one that saves its state, or other code that knows of none. */
let knowsStates = true;
let paceMs = 0;
/** Called whenever the operator's state is taken. */
let taken = (): void => {};

const sums = defineFlow(import.meta.url, (q) => ({
  sum: q
    .read(
      "numbers",
      reader({
        splits: () => [0],
        async *read(_split, _ctx, from): AsyncGenerator<Run<number>> {
          for (let n = typeof from?.after === "number" ? from.after : 0; n < 60; n++) {
            // oxlint-disable-next-line no-await-in-loop -- a source that takes its time
            await new Promise((resolve) => setTimeout(resolve, paceMs));
            yield run([n], n + 1);
          }
        },
      }),
      { channels: 1 },
    )
    .apply(
      "sum",
      () => {
        let sum = 0;
        const snapshot = (): number => {
          taken();
          return sum;
        };
        return {
          execute({ objects }: { readonly objects: readonly number[] }) {
            for (const n of objects) sum += n;
          },
          done: () => [sum],
          ...(knowsStates ? { snapshot, restore: (state: unknown) => void (sum = state as number) } : {}),
        };
      },
      { channels: 1 },
    )
    .collect(),
}));

test("resume with code that takes no state says so, and the code that takes it still goes on", async () => {
  await using session = await local({ isolation: "none", store: "memory", checkpointEveryMs: 5 });
  paceMs = 5;
  // When the third state is taken, the first is in the store.
  const saved = new Promise<void>((resolve) => {
    let times = 0;
    taken = () => void (++times === 3 && resolve());
  });
  const first = await sums.start({}, { on: session, limits: { lingerMs: 1, parcelObjects: 1 } });
  first.outputs.catch(() => {});
  await saved;
  first.cancel();
  await failure(() => first.outputs, "ABORTED");
  paceMs = 0;
  knowsStates = false;
  try {
    const other = await sums.resume(first.id, { on: session, upgrade: true });
    const error = await failure(() => other.outputs, "NOT_RECOVERABLE", { step: "sum", channel: 0 });
    assert.match(error.message, /no restore\(state\).*\(step "sum", channel 0, task \d+\)/);
  } finally {
    knowsStates = true;
  }
  const again = await sums.resume(first.id, { on: session, upgrade: true });
  assert.equal((await again.outputs).sum, [1770]);
});

test.run();
