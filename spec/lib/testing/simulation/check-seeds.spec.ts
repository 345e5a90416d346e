import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { defineFlow, lines, numbers, QStreamError } from "../../../../lib/index.ts";
import { MemoryStore } from "../../../../actors/stores/memory-store.ts";
import { checkSeeds } from "../../../../lib/testing/simulation/check-seeds.ts";
import { faultKinds } from "../../../../lib/testing/simulation/faults.ts";
import { simulate } from "../../../../lib/testing/simulation/simulate.ts";
import { runShell } from "../../../kit/run-shell.ts";
import { suite } from "../../../kit/suite.ts";
import taking from "./taking-flow.ts";
import { tenChannels } from "./ten-channels.ts";

const test = suite("check seeds");

/** Keeps what comes first: the result depends on the order in which channels get on. */
const first = defineFlow(import.meta.url, (q, args: { upTo: number }) => ({
  first: q.read("numbers", numbers(0, args.upTo)).limit("first", 3).collect(),
}));

const failing = defineFlow(import.meta.url, (q) => ({
  bad: q
    .read("numbers", numbers(0, 100))
    .map("bad", (number) => {
      if (number === 77) throw new Error("77 is bad");
      return number;
    })
    .collect(),
}));

const files = defineFlow(import.meta.url, (q, args: { folder: string }) => {
  const words = q.read("lines", lines(join(args.folder, "in-*.txt"))).map("row", (word) => ({ word }));
  return { words: words.toCsv(join(args.folder, "out"), { ifExists: "overwrite" }) };
});

test("a result that depends on the order is found, with the seed", async () => {
  const { failure, seeds } = await checkSeeds(
    first,
    { upTo: 300 },
    { seeds: 50, limits: { parcelObjects: 4 }, from: 5 },
  );
  assert.ok(failure !== undefined && seeds < 50);
  if (failure === undefined) return;
  assert.match(failure.reason, `seed ${failure.seed}: its outputs differ`);
  assert.match(failure.command, `seeds: 1, from: ${failure.seed} (dist/spec/`);
  assert.match(failure.command, "check-seeds.spec.js doesn't export the flow");
  assert.ok(failure.report.trace.lines().length > 10);
  const again = await simulate(first, { upTo: 300 }, { seed: failure.seed, limits: { parcelObjects: 4 } });
  assert.equal(again.outputs, failure.report.outputs);
});

test("the command that is printed repeats the seed in a process of its own, whatever it was run with", async () => {
  const limits = { parcelObjects: 4, inputObjects: 64, spoolMemoryBytes: Infinity };
  for (const [options, words] of [
    [{}, ["--faults none", "--parcel 1024", "--checkpoint 20"]],
    [
      { limits, faults: ["kill", "pause"], slots: 4, taskMs: 3, faultsWithinMs: 30, checkpointEveryMs: 2.5 },
      ["--faults kill,pause", "--slots 4", "--parcel 4", '"inputObjects":64,"spoolMemoryBytes":1e999', "2.5"],
    ],
  ] as const) {
    const checked = await checkSeeds(taking, { upTo: 300, few: 3 }, { ...options, seeds: 100, from: 5 });
    const { failure } = checked;
    assert.ok(failure !== undefined && failure.command.startsWith("npx qstream simulate "), failure?.command);
    if (failure === undefined) continue;
    for (const word of words) assert.match(failure.command, word);
    const ended = await runShell(failure.command.replace("npx qstream", `"${process.execPath}" dist/lib/cli/main.js`));
    assert.is(ended.code, 1, ended.stderr);
    assert.match(ended.stderr, failure.reason);
    assert.is(ended.stdout.trimEnd(), failure.report.trace.toString().trimEnd());
    assert.ok(checked.faultsWithinMs > 0);
  }
});

test("where a flow's store is a function, no command can be had, and it is said what to do", async () => {
  const { failure } = await checkSeeds(taking, { upTo: 300, few: 3 }, { seeds: 100, store: () => new MemoryStore() });
  assert.match(
    failure?.command ?? "",
    /^call checkSeeds with the same options and seeds: 1, from: \d+ \(its store is/u,
  );
});

test("of several right results, any is accepted that the flow's own judge accepts", async () => {
  const { failure, seeds } = await checkSeeds(
    first,
    { upTo: 300 },
    {
      seeds: 30,
      limits: { parcelObjects: 4 },
      accept: (outputs) => outputs.first.length === 3 && new Set(outputs.first).size === 3,
    },
  );
  assert.is(failure, undefined, failure?.reason);
  assert.is(seeds, 30);
});

test("a flow that fails without faults is an error", async () => {
  const error = await checkSeeds(failing, {}, { seeds: 5 }).catch((caught: unknown) => caught);
  assert.ok(error instanceof QStreamError && error.code === "STEP_FAILED", String(error));
});

test("an execution that fails is reported with its trace", async () => {
  const { error, outputs, trace } = await simulate(failing, {}, { seed: 1 });
  assert.is(outputs, undefined);
  assert.match(String(error), "77 is bad");
  assert.match(trace.toString(), "77 is bad");
});

test("a slot that is lost fails an execution without a store, which may be accepted", async () => {
  const options = { seeds: 20, faults: ["kill"], store: "none", limits: { parcelObjects: 8 } } as const;
  const { refused, failure, faults } = await checkSeeds(
    tenChannels,
    { upTo: 200, keys: 5 },
    { ...options, acceptErrors: ["SLOT_LOST"] },
  );
  assert.is(failure, undefined, failure?.reason);
  assert.ok(refused > 5 && (faults.kill ?? 0) >= refused);
});

test("with every kind of fault, the same seed gives the same trace, events and end", async () => {
  const limits = { parcelObjects: 16, inputObjects: 64, spoolMemoryBytes: 0 };
  const resultOf = async (seed: number): Promise<unknown> => {
    const args = { upTo: 300, keys: 20 };
    const faults = { faults: faultKinds, faultsWithinMs: 30, faultsMax: 8, checkpointEveryMs: 5 };
    const { trace, error, events, virtualMs, messages } = await simulate(tenChannels, args, {
      seed,
      limits,
      ...faults,
    });
    return { trace: trace.toString(), failed: error !== undefined, events, virtualMs, messages };
  };
  for (let seed = 1; seed <= 25; seed++) assert.equal(await resultOf(seed), await resultOf(seed), `seed ${seed}`);
});

test("files are read in the real world, while virtual time stands still, and written in memory only", async () => {
  const folder = await mkdtemp(join(tmpdir(), "qstream-simulate-"));
  try {
    for (const name of ["a", "b", "c", "d"]) {
      const words = Array.from({ length: 50 }, (_, index) => `${name}${index}`);
      await writeFile(join(folder, `in-${name}.txt`), `${words.join("\n")}\n`);
    }
    const traceOf = async (seed: number): Promise<string> => {
      const { error, trace } = await simulate(files, { folder }, { seed, limits: { parcelObjects: 8 } });
      assert.is(error, undefined, String(error));
      return trace.toString();
    };
    for (const seed of [1, 2, 3]) assert.is(await traceOf(seed), await traceOf(seed));
    assert.equal((await readdir(folder)).toSorted(), ["in-a.txt", "in-b.txt", "in-c.txt", "in-d.txt"]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("a run that is killed as a whole, again and again, goes on from its store and gives the same", async () => {
  const limits = { parcelObjects: 16, inputObjects: 64, spoolMemoryBytes: 0 };
  const given = {
    seeds: 60,
    limits,
    faults: ["restart"],
    faultsWithinMs: 60,
    faultsMax: 6,
    checkpointEveryMs: 4,
  } as const;
  const checked = await checkSeeds(tenChannels, { upTo: 400, keys: 20 }, given);
  const { failure, faults, faultPhases } = checked;
  assert.is(failure, undefined, `${failure?.reason}\n${failure?.error?.stack}`);
  assert.ok((faults.restart ?? 0) > 100, `${faults.restart} restarts`);
  for (const phase of ["committing", "checkpointing", "recovering", "before-push"] as const) {
    assert.ok((faultPhases[phase] ?? 0) > 0, phase);
  }
  const without = await checkSeeds(tenChannels, { upTo: 50, keys: 5 }, { ...given, seeds: 5, store: "none" });
  assert.is(without.faults.restart, undefined, "nothing is there to go on with");
});

test("large checkpoints are kept elsewhere by seeds in which that place is slow or away, and none are left there", async () => {
  const limits = { parcelObjects: 16, inputObjects: 64, spoolMemoryBytes: 0 };
  const args = { upTo: 400, keys: 20 };
  const faults = ["blobs-slow", "blobs-away", "kill", "restart"] as const;
  let seen = 0;
  const { failure } = await checkSeeds(tenChannels, args, {
    seeds: 60,
    limits,
    faults,
    checkpointEveryMs: 4,
    onSeed: ({ files, faults: struck }) => {
      assert.is(files.size, 0, "what the engine keeps is no file of the user");
      seen += (struck["blobs-away"] ?? 0) + (struck["blobs-slow"] ?? 0);
    },
  });
  assert.is(failure, undefined, `${failure?.reason}\n${failure?.error?.stack}`);
  assert.ok(seen > 20, `${seen} faults of the place`);
});

test.run();
