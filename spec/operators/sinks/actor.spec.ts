import { setImmediate as turn } from "node:timers/promises";
import * as assert from "uvu/assert";
import { actorHome } from "../../../lib/core/actor-home.ts";
import {
  actorSink,
  defineFlow,
  entitiesSink,
  numbers,
  QStreamError,
  type AnyReference,
  type Context,
  type EntityKind,
  type OutputSink,
  type SinkChannel,
} from "../../../lib/index.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("the sink that asks actors");

interface Asked {
  readonly payload: unknown;
  readonly answer: () => void;
  readonly refuse: (error: Error) => void;
}

/** A reference whose questions wait until they are answered. */
class Patient {
  readonly label = "patient";
  readonly [actorHome] = { system: "here", reach: "slots" };
  readonly asked: Asked[] = [];

  ask(_name: string, payload: unknown, { signal }: { signal: AbortSignal }): Promise<unknown> {
    return new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(new QStreamError("ABORTED", "given up")));
      this.asked.push({ payload, answer: () => resolve(undefined), refuse: reject });
    });
  }
}

const stopped = new AbortController();
const at = (seq: number): Context =>
  ({ execution: "run", step: "sent", channel: 0, seq, signal: stopped.signal }) as unknown as Context;

function sinkFor(options: object): { readonly to: Patient; readonly sink: OutputSink<unknown, unknown> } {
  const to = new Patient();
  return { to, sink: actorSink(to as unknown as AnyReference, "put", options) };
}

async function openFor(options: object): Promise<{ readonly to: Patient; readonly channel: SinkChannel<unknown> }> {
  const { to, sink } = sinkFor(options);
  return { to, channel: await sink.open(at(-1)) };
}

test("a task is done when all its messages are answered, and no more wait than may", async () => {
  const { to, channel } = await openFor({ inFlight: 2 });
  let isDone = false;
  const written = Promise.resolve(channel.write([1, 2, 3, 4, 5], at(0))).then(() => (isDone = true));
  for (let answered = 0; answered < 5; answered++) {
    await turn();
    assert.is(to.asked.length, Math.min(5, answered + 2));
    assert.is(isDone, false);
    to.asked[answered]?.answer();
  }
  await written;
  assert.equal(
    to.asked.map(({ payload }) => payload),
    [1, 2, 3, 4, 5],
  );
  assert.is(await channel.done?.(at(1)), 5);
});

test("the first message that fails ends the task, and gives up the others", async () => {
  const { to, channel } = await openFor({ inFlight: 3 });
  const written = failure(() => channel.write([1, 2, 3, 4], at(0)), "STEP_FAILED");
  await turn();
  to.asked[1]?.refuse(new Error("no twos"));
  assert.match((await written).message, /patient failed at "put" with 2: no twos/u);
  await turn();
  assert.is(to.asked.length, 3);
});

test("a delivery leaves when the log has its task, and not before", async () => {
  const { to, channel } = await openFor({ numbered: true, batches: 2 });
  await channel.write(["a", "b", "c"], at(0));
  await channel.write(["d"], at(3));
  await turn();
  assert.is(to.asked.length, 0);
  void channel.committed?.(0);
  void channel.committed?.(1);
  for (let answered = 0; answered < 2; answered++) {
    await turn();
    assert.is(to.asked.length, answered + 1);
    to.asked[answered]?.answer();
  }
  await turn();
  assert.is(to.asked.length, 2);
  const over = channel.committed?.(3);
  await turn();
  to.asked[2]?.answer();
  await over;
  const from = "run/sent/0";
  assert.equal(
    to.asked.map(({ payload }) => payload),
    [
      { from, objects: ["a", "b"], numbers: [0, 1] },
      { from, objects: ["c"], numbers: [2] },
      { from, objects: ["d"], numbers: [3] },
    ],
  );
});

test("a state is saved when all that came before is delivered, and numbers go on from there", async () => {
  const { to, channel } = await openFor({ numbered: true });
  await channel.write(["a", "b"], at(0));
  let saved: unknown;
  const saving = Promise.resolve(channel.snapshot?.()).then((state) => (saved = state));
  void channel.committed?.(0);
  await turn();
  assert.is(saved, undefined);
  to.asked[0]?.answer();
  await saving;
  const { to: later, channel: next } = await openFor({ numbered: true });
  await next.restore?.(saved as never);
  await next.write(["c"], at(1));
  void next.committed?.(1);
  await turn();
  assert.equal(later.asked[0]?.payload, { from: "run/sent/0", objects: ["c"], numbers: [2] });
  later.asked[0]?.answer();
  assert.is(await next.done?.(at(2)), 3);
});

test("a delivery that fails is told, and nothing is written after it", async () => {
  const { to, channel } = await openFor({ numbered: true });
  await channel.write(["a"], at(0));
  const told = failure(() => channel.committed?.(0), "STEP_FAILED");
  await turn();
  to.asked[0]?.refuse(new Error("no"));
  await told;
  await failure(() => channel.write(["b"], at(1)), "STEP_FAILED");
  await failure(() => channel.done?.(at(1)), "STEP_FAILED");
});

test("tasks that aren't delivered hold the stream back", async () => {
  const { channel } = await openFor({ numbered: true });
  let written = 0;
  void (async () => {
    for (let seq = 0; seq < 100; seq++) {
      // oxlint-disable-next-line no-await-in-loop -- one task after the other
      await channel.write([seq], at(seq));
      written++;
    }
  })();
  for (let turns = 0; turns < 30; turns++) await turn();
  assert.is(written, 8);
});

const keys: readonly (readonly [key: unknown, shown: string])[] = [
  [0, "0"],
  [undefined, "undefined"],
  [null, "null"],
  [{ id: 7 }, "{ id: 7 }"],
];

for (const numbered of [false, true]) {
  for (const [key, shown] of keys) {
    test(`a key that is no string is refused, and shown as it is: ${shown}, numbered: ${numbered}`, async () => {
      const to = new Patient();
      const kind = { [actorHome]: to[actorHome], of: () => to } as unknown as EntityKind<object>;
      const sink = entitiesSink<unknown, object>(kind, (() => key) as never, "put" as never, { numbered });
      const channel = await sink.open(at(-1));
      const error = await failure(async () => {
        await channel.write([{ owner: "ann" }], at(0));
        await channel.committed?.(0);
      }, "OPTION_INVALID");
      assert.ok(error.message.includes(`toEntities() got ${shown} as the key of { owner: 'ann' }`), error.message);
      assert.match(error.message, /A key is a string/u);
      assert.is(to.asked.length, 0);
    });
  }
}

test("exactlyOnce is told what makes messages to actors count once", async () => {
  const flow = defineFlow(import.meta.url, (q) => ({
    put: q.read("numbers", numbers(0, 3)).to(sinkFor({}).sink),
  }));
  const options = { isolation: "none", slots: 1, exactlyOnce: true } as const;
  const error = await failure(() => flow.run({}, options), "OPTION_INVALID", { step: "put" });
  assert.match(error.message, /numbered: true/u);
  assert.match(error.message, /takeOnce/u);
});

test.run();
