// specs: waits
// specs: timeout 120 s
// Where channels are, and why: strategies that wait for machines, load that is made even, and what is drawn of it.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { cluster, type ClusterSession } from "../../lib/index.ts";
import { LoopbackCluster } from "../../lib/testing/index.ts";
import { failure } from "../kit/failure.ts";
import { hasRedisServer, startRedisServer } from "../kit/redis-server.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { qstream } from "../lib/cli/command.ts";
import { sumsOf } from "./flows.ts";
import { happens } from "./happens.ts";
import { gatedSums, nearLines, taggedSums } from "./placed-flows.ts";

const test = suite("placement on clusters");

type Sums = readonly { readonly key: number; readonly value: number }[];
const sorted = (found: { readonly sums: Sums }): Sums => found.sums.toSorted((left, right) => left.key - right.key);

const flow = fileURLToPath(new URL("./placed-flows.js", import.meta.url));
const timeoutMs = 60_000;
const someArguments = ["--arg", "count=1", "--arg", "gate=none"];

if (!inSlot && (await hasRedisServer())) {
  const folder = mkdtempSync(join(tmpdir(), "qstream-placement-"));
  const redis = await startRedisServer();
  const machines = await LoopbackCluster.start({ store: redis.url, machines: 1, slots: 2, leaseMs: 20_000 });

  /** Waits until the head knows a machine. */
  const known = async (session: ClusterSession, machine: string): Promise<void> => {
    while (!(await session.list()).machines.some(({ id }) => id === machine)) await wait(20);
  };

  test(
    "a machine that comes takes channels when somebody asks for it, with the same outputs",
    async () => {
      await using session = await cluster({ url: machines.url });
      const [count, gate] = [4000, join(folder, "moved")];
      const execution = await gatedSums.start({ count, gate }, { on: session });
      await happens(execution, "started");
      assert.equal(await session.rebalance(execution.id), [], "one machine has all of it, evenly");
      const added = await machines.addMachine();
      await known(session, added.id);
      const moves = await session.rebalance(execution.id);
      assert.ok(moves.length > 0 && moves.every(({ slot }) => slot.startsWith(`${added.id}/`)), JSON.stringify(moves));
      const { channels } = await happens(execution, "recovered");
      assert.equal(
        new Set(channels.map(({ step, channel, slot }) => `${step} ${channel} ${slot}`)),
        new Set(moves.map(({ step, channel, slot }) => `${step} ${channel} ${slot}`)),
      );
      assert.equal(await session.rebalance(execution.id), [], "a second time nothing is gained");
      const drawn = await qstream(["explain", flow, "--cluster", machines.url, ...someArguments]);
      assert.is(drawn.code, 0, drawn.stderr);
      assert.match(drawn.stdout, `${added.id}/slot-0: `);
      assert.match(drawn.stdout, /because: /);
      writeFileSync(gate, "");
      assert.equal(sorted(await execution.outputs), sumsOf(count));
      assert.ok(execution.metrics?.channels.some(({ slot }) => slot.startsWith(`${added.id}/`)));
    },
    timeoutMs,
  );

  test(
    "a strategy waits for a machine that joins later, and for another one when that goes",
    async () => {
      await using session = await cluster({ url: machines.url });
      const [count, gate] = [2000, join(folder, "lost")];
      const execution = await taggedSums.start({ count, gate, waitMs: 30_000 }, { on: session });
      const { missing } = await happens(execution, "waiting");
      assert.is(missing, '1 machine with the tag "gpu"');
      const tagged = await machines.addMachine(["--tag", "gpu"]);
      const { placement } = await happens(execution, "placed");
      const placed = placement.filter(({ step }) => step === "sum");
      assert.ok(placed.length === 2 && placed.every(({ slot }) => slot.startsWith(`${tagged.id}/`)));
      await happens(execution, "started");
      const drained = session.drain(tagged.id);
      const another = await machines.addMachine(["--tag", "gpu"]);
      await drained;
      const { channels } = await happens(execution, "recovered");
      assert.ok(channels.filter(({ step }) => step === "sum").every(({ slot }) => slot.startsWith(`${another.id}/`)));
      writeFileSync(gate, "");
      assert.equal(sorted(await execution.outputs), sumsOf(count));
      await session.drain(another.id);
    },
    timeoutMs,
  );

  test(
    "one that isn't met in time fails, and says what there is",
    async () => {
      await using session = await cluster({ url: machines.url });
      const args = { count: 10, gate: folder, waitMs: 1 };
      const error = await failure(() => taggedSums.run(args, { on: session }), "PLACEMENT_IMPOSSIBLE");
      assert.match(error.message, /it wants 1 machine with the tag "gpu". There are 2 machines, with no tags/);
      const execution = await taggedSums.start({ ...args, waitMs: 60_000 }, { on: session });
      await happens(execution, "waiting");
      execution.cancel();
      await failure(() => execution.outputs, "ABORTED");
    },
    timeoutMs,
  );

  test(
    "a reader is where its files are, and a step that keeps away from it isn't",
    async () => {
      await using session = await cluster({ url: machines.url });
      writeFileSync(join(folder, "a.txt"), "one\ntwo\nthree\n");
      const path = join(folder, "*.txt");
      const error = await failure(() => nearLines.run({ path }, { on: session }), "PLACEMENT_IMPOSSIBLE");
      assert.match(error.message, `it wants a machine with files:${folder}`);
      const near = await machines.addMachine(["--has", folder]);
      await known(session, near.id);
      const execution = await nearLines.start({ path }, { on: session });
      const { placement } = await happens(execution, "placed");
      for (const { step, slot } of placement) {
        if (step === "lines") assert.ok(slot.startsWith(`${near.id}/`), slot);
        if (step === "count") assert.not.ok(slot.startsWith(`${near.id}/`), slot);
      }
      assert.is((await execution.outputs).count.length, 2);
    },
    timeoutMs,
  );

  test(
    "the commands say what moves, what is drawn, and what there is not",
    async () => {
      const at = ["--cluster", machines.url];
      const none = await qstream(["rebalance", ...at]);
      assert.is(none.code, 0, none.stderr);
      assert.is(none.stdout, "nothing runs\n");
      const nobody = await qstream(["rebalance", "run-nobody", ...at]);
      assert.is(nobody.code, 1);
      assert.match(nobody.stderr, "run-nobody");
      const drawn = await qstream(["explain", flow, ...at, "--as", "mermaid", ...someArguments]);
      assert.is(drawn.code, 0, drawn.stderr);
      assert.match(drawn.stdout, /^flowchart LR\n/);
      assert.match(drawn.stdout, /subgraph m0 \["[\w.-]+"\]/);
      assert.match(drawn.stdout, /dealt to the slots, near #quot;\w+#quot;: [\d.]+ \w+ were measured/);
      const missing = await qstream(["explain", `${flow}#taggedSums`, ...at]);
      assert.is(missing.code, 1);
      assert.match(missing.stderr, /it wants 1 machine with the tag "gpu"/);
      const rescaled = await qstream(["run", flow, ...at, "--resume", "run-nobody", "--rescale", "sum=2"]);
      assert.is(rescaled.code, 1);
      assert.match(rescaled.stderr, /\[EXECUTION_UNKNOWN\].*run-nobody/);
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
