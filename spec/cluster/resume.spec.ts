// specs: waits
// specs: timeout 240 s
// Executions of a cluster that ended before they were done are gone on with: as they were, or with other channels.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { cluster, type ClusterSession, type Execution } from "../../lib/index.ts";
import { LoopbackCluster } from "../../lib/testing/index.ts";
import { failure } from "../kit/failure.ts";
import { hasRedisServer, startRedisServer } from "../kit/redis-server.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { qstream } from "../lib/cli/command.ts";
import { sumsOf } from "./flows.ts";
import { gatedSums, taggedSums } from "./placed-flows.ts";
import { failingSums, pacedSums } from "./resume-flows.ts";

const test = suite("going on with executions of clusters");

type Sums = readonly { readonly key: number; readonly value: number }[];
const sorted = (found: { readonly sums: Sums }): Sums => found.sums.toSorted((left, right) => left.key - right.key);
const channelsOf = ({ metrics }: Execution<unknown>, step: string): number | undefined =>
  metrics?.steps.find((one) => one.step === step)?.channels;

/** Waits until an execution has read something. */
async function reads(execution: Execution<unknown>): Promise<void> {
  for await (const event of execution.events()) if ("metrics" in event && event.metrics.rowsRead > 0) return;
}

const flow = fileURLToPath(new URL("./resume-flows.js", import.meta.url));
const timeoutMs = 60_000;
const count = 4000;

/** A module of a flow whose numbers are `added` too large. */
const changing = (gate: string, added: number): string => `
import { existsSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { defineFlow, reader, run } from "qstream";

const paced = reader({
  kind: "paced",
  options: {},
  splits: () => [0],
  async *read(_split: number, _context: unknown, behind?: { readonly after: unknown }) {
    for (let n = behind === undefined ? 0 : Number(behind.after); n < 1000; n++) {
      if (!existsSync(${JSON.stringify(gate)})) await wait(100);
      yield run([n], n + 1);
    }
  },
});

export default defineFlow(import.meta.url, (q) => ({
  sums: q
    .read("numbers", paced)
    .map("plus", (n) => n + ${added})
    .reduceByKey("sum", () => "all", () => 0, (sum, n) => sum + n)
    .collect(),
}));
`;

if (!inSlot && (await hasRedisServer())) {
  const folder = mkdtempSync(join(tmpdir(), "qstream-cluster-resume-"));
  const redis = await startRedisServer();
  const machines = await LoopbackCluster.start({ store: redis.url, slots: 2, leaseMs: 20_000 });
  const statusOf = async (session: ClusterSession, execution: string): Promise<string | undefined> =>
    (await session.list()).executions.find((one) => one.execution === execution)?.status;
  const at = ["--cluster", machines.url];

  test(
    "one that was cancelled gets other channels, twice, and gives what one thread gives",
    async () => {
      await using session = await cluster({ url: machines.url });
      const gate = join(folder, "cancelled");
      const first = await pacedSums.start({ count, gate }, { on: session });
      await reads(first);
      await failure(() => pacedSums.resume(first.id, { on: session }), "EXECUTION_TAKEN");
      first.cancel();
      await failure(() => first.outputs, "ABORTED");
      assert.is(await statusOf(session, first.id), "cancelled");

      const second = await pacedSums.resume(first.id, { on: session, rescale: { sum: 2 } });
      assert.is(second.id, `${first.id}-r1`);
      assert.is(await statusOf(session, second.id), "running");
      assert.is(await statusOf(session, first.id), undefined);
      for (const name of [first.id, second.id]) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        const taken = await failure(() => pacedSums.resume(name, { on: session }), "EXECUTION_TAKEN");
        assert.match(taken.message, /it runs\. qstream ps/);
      }
      await reads(second);
      assert.is(channelsOf(second, "sum"), 2);
      await session.cancel(second.id);
      await failure(() => second.outputs, "ABORTED");

      const gone = await failure(() => pacedSums.resume(first.id, { on: session }), "EXECUTION_UNKNOWN");
      assert.match(gone.message, first.id);
      const third = await pacedSums.resume(second.id, { on: session, rescale: { sum: 7, numbers: 3 } });
      assert.is(third.id, `${first.id}-r2`);
      writeFileSync(gate, "");
      assert.equal(sorted(await third.outputs), sumsOf(count));
      const alone = await pacedSums.run({ count, gate }, { isolation: "none" });
      assert.equal(sorted(await third.outputs), sorted(alone));
      assert.is(channelsOf(third, "sum"), 7);
      assert.is(channelsOf(third, "numbers"), 3);
      assert.is(third.metrics?.resumed, true);
      assert.is(await statusOf(session, third.id), "done");
      const followed = await session.follow(third.id);
      assert.equal(sorted((await followed.outputs) as { readonly sums: Sums }), sumsOf(count));
      await failure(() => pacedSums.resume(third.id, { on: session }), "EXECUTION_UNKNOWN");
    },
    timeoutMs,
  );

  test(
    "one that failed goes on when what it failed of is put right, as it was, under its name",
    async () => {
      await using session = await cluster({ url: machines.url });
      const [gate, cure, out] = [join(folder, "failed-gate"), join(folder, "cure"), join(folder, "out")];
      const first = await failingSums.start({ count, gate, cure, out }, { on: session });
      await reads(first);
      writeFileSync(gate, "");
      await failure(() => first.outputs, "STEP_FAILED");
      const again = await failingSums.resume(first.id, { on: session });
      assert.is(again.id, first.id);
      const error = await failure(() => again.outputs, "STEP_FAILED");
      assert.match(error.message, "there is no cure");
      writeFileSync(cure, "");
      const second = await failingSums.resume(first.id, { on: session, rescale: true });
      assert.equal(sorted(await second.outputs), sumsOf(count));
      const numbers = readdirSync(out).flatMap((name) => readFileSync(join(out, name), "utf8").trim().split("\n"));
      assert.equal(
        numbers.map(Number).toSorted((left, right) => left - right),
        Array.from({ length: count }, (_, n) => n),
      );
    },
    timeoutMs,
  );

  test(
    "what can't be gone on with is refused, and stays as it was",
    async () => {
      await using session = await cluster({ url: machines.url });
      const [gate, cure] = [join(folder, "refused"), join(folder, "no-cure")];
      const first = await pacedSums.start({ count, gate }, { on: session });
      await reads(first);
      first.cancel();
      await failure(() => first.outputs, "ABORTED");
      const { id } = first;
      await failure(() => pacedSums.resume("run-nobody", { on: session }), "EXECUTION_UNKNOWN");
      const other = await failure(() => gatedSums.resume(id, { on: session }), "FINGERPRINT_CHANGED");
      assert.match(other.message, /is of flow ".+" \(\w+\), and this is flow ".+" \(\w+\)/);
      await failure(() => pacedSums.resume(id, { on: session, rescale: { nothing: 2 } }), "OPTION_INVALID");
      assert.is(await statusOf(session, id), "failed", "of that its driver was the judge");
      await using without = await cluster({ url: machines.url, store: "none" });
      await failure(() => pacedSums.resume(id, { on: without }), "OPTION_INVALID");
      const unlogged = await failingSums.start({ count, gate, cure, out: join(folder, "nothing") }, { on: without });
      unlogged.cancel();
      await failure(() => unlogged.outputs, "ABORTED");
      await failure(() => failingSums.resume(unlogged.id, { on: session }), "EXECUTION_UNKNOWN");
      const abort = new AbortController();
      abort.abort("not at all");
      await failure(() => pacedSums.resume(id, { on: session, signal: abort.signal }), "ABORTED");
      // One that hadn't begun left nothing.
      const waiting = await taggedSums.start({ count, gate, waitMs: 60_000 }, { on: session });
      waiting.cancel();
      await failure(() => waiting.outputs, "ABORTED");
      await failure(() => taggedSums.resume(waiting.id, { on: session }), "EXECUTION_UNKNOWN");

      const listed = await qstream(["executions", "--store", redis.url]);
      assert.match(listed.stdout, new RegExp(`${id} .*cancelled|${id} .*failed`, "u"), listed.stdout);
      const removed = await qstream(["executions", "remove", id, "--store", redis.url]);
      assert.is(removed.code, 0, removed.stderr);
      await failure(() => pacedSums.resume(id, { on: session }), "EXECUTION_UNKNOWN");
    },
    timeoutMs,
  );

  test(
    "on the command line, with code that has changed",
    async () => {
      const [gate, path] = [join(folder, "command-line"), join(folder, "changing.ts")];
      writeFileSync(path, changing(gate, 0));
      const run = ["run", path, ...at];
      const first = await qstream(run, { signal: "SIGINT", sayUntil: "rows read" });
      assert.is(first.code, 130, first.stderr);
      const [, command, id = ""] =
        /To go on with it: (npx qstream run \S+ --resume (\S+) --cluster \S+)$/mu.exec(first.stderr) ?? [];
      assert.is(command, `npx qstream run ${path} --resume ${id} --cluster ${machines.url}`, first.stderr);

      writeFileSync(path, changing(gate, 1));
      const changed = await qstream([...run, "--resume", id]);
      assert.is(changed.code, 1);
      assert.match(changed.stderr, /\[CODE_CHANGED\]/);
      assert.is(new Set(changed.stderr.match(/\b[0-9a-f]{24}\b/gu)).size, 2, `both hashes: ${changed.stderr}`);
      writeFileSync(gate, "");
      const upgraded = await qstream([...run, "--resume", id, "--upgrade", "--rescale", "sum=2", "--json", "-"]);
      assert.is(upgraded.code, 0, upgraded.stderr);
      const { execution, outputs } = JSON.parse(upgraded.stdout) as {
        readonly execution: string;
        readonly outputs: { readonly sums: readonly { readonly value: number }[] };
      };
      assert.is(execution, `${id}-r1`);
      const sum = outputs.sums[0]?.value ?? 0;
      assert.ok(sum >= 499_500 && sum <= 500_500, `${sum}: what was read before was summed by the code before`);
      const done = await qstream([...run, "--resume", execution]);
      assert.is(done.code, 1);
      assert.match(done.stderr, /\[EXECUTION_UNKNOWN\].*it is done/);
      const nonsense = await qstream(["run", flow, ...at, "--rescale", "sum=2"]);
      assert.is(nonsense.code, 2);
      assert.match(nonsense.stderr, /--rescale says with how many channels --resume goes on/);
    },
    timeoutMs,
  );

  test(
    "with another head the one that got other channels goes on",
    async () => {
      await machines.addHead();
      const [leader, follower] = machines.heads;
      await using session = await cluster({ url: [leader?.url, follower?.url].join(",") });
      const gate = join(folder, "head");
      const first = await pacedSums.start({ count, gate }, { on: session });
      await reads(first);
      first.cancel();
      await failure(() => first.outputs, "ABORTED");
      const second = await pacedSums.resume(first.id, { on: session, rescale: { sum: 3 } });
      await reads(second);
      await leader?.end();
      while ((await statusOf(session, second.id).catch(() => undefined)) !== "running") await wait(50);
      writeFileSync(gate, "");
      assert.equal(sorted(await second.outputs), sumsOf(count));
      assert.is(channelsOf(second, "sum"), 3);
      assert.is(await statusOf(session, second.id), "done");
    },
    timeoutMs,
  );

  test.after(async () => {
    await machines.stop();
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  });
}

test.run();
