import * as assert from "uvu/assert";
import { defineFlow, local, numbers, reader, type OutputSink, type RunOptions } from "../../../lib/index.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("options of a run");
const untyped = (value: unknown): never => value as never;
const never = new Promise<never>(() => {});

const counted = defineFlow(import.meta.url, (q) => ({ out: q.read("numbers", numbers(0, 10)).collect() }));
const unlisted = defineFlow(import.meta.url, (q) => ({
  out: q.read("own", reader({ splits: () => never, *read() {} })).collect(),
}));
const unprepared = defineFlow(import.meta.url, (q) => {
  const sink: OutputSink<number, number> = {
    kind: "never",
    guarantee: "idempotent",
    placement: "client",
    prepare: () => never,
    open: () => ({ write: () => {} }),
    result: () => 0,
  };
  return { out: q.read("numbers", numbers(0, 10)).to(sink) };
});
const unequal = defineFlow(import.meta.url, (q, { value }: { value: unknown }) => ({
  out: q
    .read("numbers", numbers(0, 10))
    .map("value", (n) => [n, value])
    .collect(),
}));

const wrong: readonly unknown[] = [
  { isolation: "threads" },
  { memoryBytes: 5 },
  { signal: 5 },
  { on: 5 },
  { onEvent: 5 },
  { limits: 5 },
  { tags: "gpu" },
  { seed: "one" },
  { stdout: "nowhere" },
  { slots: "2" },
  { store: "sqlite:x" },
  { store: "redis://" },
  { checkpoints: "http://host/blobs" },
  { limits: { inputByte: 3 } },
  { limits: { parcelObjects: "3" } },
  { limits: { parcelObjects: 0 } },
  { limits: { parcelBytes: Number.NaN } },
  { limits: { stateBytes: 1.5 } },
  { limits: { lingerMs: -1 } },
];

for (const options of wrong) {
  test(`${JSON.stringify(options)} is refused`, async () => {
    await failure(() => counted.run({}, untyped(options)), "OPTION_INVALID");
  });
}

for (const options of [
  { upgrade: 1 },
  { rescale: "sums=2" },
  { rescale: 4 },
  { rescale: null },
  { rescale: [4] },
  { rescale: { numbers: 0 } },
  { rescale: { numbers: "4" } },
  { rescale: { numbers: 1.5 } },
]) {
  test(`resume: ${JSON.stringify(options)} is refused before a store is opened`, async () => {
    await failure(() => counted.resume("run-1", untyped({ ...options, isolation: "none" })), "OPTION_INVALID");
  });
}

test("an unknown limit is told the known ones; a limit of undefined is the default, lingerMs may be 0", async () => {
  const error = await failure(() => counted.run({}, { limits: untyped({ linger: 1 }) }), "OPTION_INVALID");
  assert.match(error.message, /The limits are: parcelObjects, .*lingerMs/);
  const limits = untyped({ lingerMs: 0, stateBytes: Infinity, inputBytes: undefined });
  assert.is((await counted.run({}, { slots: 1, limits })).out.length, 10);
});

const listeners: Readonly<Record<string, NonNullable<RunOptions["onEvent"]>>> = {
  "an onEvent that throws": () => {
    throw new Error("deaf");
  },
  "an onEvent that throws at the end": (event) => {
    if (event.kind === "done") throw new Error("deaf");
  },
  "an asynchronous onEvent that rejects": untyped(() => Promise.reject(new Error("deaf"))),
};

test("an onEvent that fails is an error of the execution, and the session goes on", async () => {
  await using on = await local({ slots: 1 });
  for (const [name, onEvent] of Object.entries(listeners)) {
    const error = await failure(() => counted.run({}, { on, onEvent }), "STEP_FAILED");
    assert.match(error.message, /onEvent threw: deaf/, name);
    assert.is((await counted.run({}, { on })).out.length, 10, name);
  }
});

for (const [name, flow] of Object.entries({ "splits are listed": unlisted, "sinks are prepared": unprepared })) {
  test(`a signal stops a run while ${name}, and so does the end of the session`, async () => {
    const begin = performance.now();
    await failure(() => flow.run({}, { slots: 1, signal: AbortSignal.timeout(100) }), "ABORTED");
    const session = await local({ slots: 1 });
    const running = failure(() => flow.run({}, { on: session }), "SESSION_CLOSED");
    await session.close();
    await running;
    assert.ok(performance.now() - begin < 1500, "neither of them is waited for");
  });
}

test("a signal stops a run while its processes start", async () => {
  const begin = performance.now();
  const signal = AbortSignal.timeout(1);
  await failure(() => counted.run({}, { slots: 2, isolation: "process", signal }), "ABORTED");
  assert.ok(performance.now() - begin < 200, "slots aren't waited for");
});

test("arguments that can't travel are refused before slots start", async () => {
  const begin = performance.now();
  await failure(() => unequal.run({ value: () => 1 }, { slots: 2, isolation: "process" }), "ARGUMENT_CANNOT_TRAVEL");
  assert.ok(performance.now() - begin < 100);
});

test("options that are misspelt are named, with the nearest that there is", async () => {
  const wrong = (name: string): never => ({ [name]: 2 }) as never;
  const said = async (tried: () => unknown): Promise<string> => (await failure(tried, "OPTION_INVALID")).message;
  assert.is(await said(() => counted.run({}, wrong("slost"))), 'run() has no option "slost". Did you mean "slots"?');
  assert.match(
    await said(() => counted.start({}, wrong("strickt"))),
    'run() has no option "strickt". Did you mean "strict"?',
  );
  assert.match(await said(() => counted.resume("run-1", wrong("upgrad"))), 'resume() has no option "upgrad"');
  assert.match(
    await said(() => local(wrong("isolaton"))),
    'local() has no option "isolaton". Did you mean "isolation"?',
  );
});

test("flows are named after their module", () => {
  assert.equal(
    [counted, unlisted, unprepared].map((flow) => flow.name),
    ["run-options.spec", "run-options.spec-2", "run-options.spec-3"],
  );
});

test.run();
