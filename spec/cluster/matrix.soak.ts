// specs: waits
// specs: timeout 500 s
// Faults of a cluster of processes that no shorter spec shows: receivers that stand still, links that come and go, a Redis that is
// frozen, full or behind, code that goes astray, machines that come and go or are slow, and cancels at any time. What comes out is
// what one thread gives. QSTREAM_CASE=F14,F19 runs these only.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cluster } from "../../lib/index.ts";
import { LoopbackCluster } from "../../lib/testing/loopback-cluster.ts";
import { hasProcesses } from "../kit/faults.ts";
import { note } from "../kit/note.ts";
import { hasRedisServer, startRedisServer } from "../kit/redis-server.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { addBehindRelay } from "./behind-relay.ts";
import { cancelledAnyTime } from "./matrix-cancels.ts";
import { codeAstray } from "./matrix-code.ts";
import { comingAndGoing, flappingLinks, slowMachine, stoppedReceiver } from "./matrix-machines.ts";
import { frozenStore, fullStore, storeBehind } from "./matrix-stores.ts";
import type { MatrixWorld } from "./matrix-world.ts";

const test = suite("soak: the fault matrix on a cluster");

const leaseMs = 5000;
// Of a case, where two soaks run beside it.
const timeoutMs = 180_000;

if (!inSlot && hasProcesses() && (await hasRedisServer())) {
  const folder = mkdtempSync(join(tmpdir(), "qstream-matrix-"));
  process.env["TMPDIR"] = folder;
  const redis = await startRedisServer({ appendOnly: true });
  // Heaps are small so that one that runs over does it soon.
  const workerWords = ["--memory", "128MB"];
  const machines = await LoopbackCluster.start({ store: redis.url, machines: 0, leaseMs, workerWords });
  const relayed = await Promise.all([0, 1, 2].map(() => addBehindRelay(machines)));
  const session = await cluster({ url: machines.url, leaseMs });
  const world: MatrixWorld = { redis, machines, relayed, session, leaseMs, folder };
  const only = process.env["QSTREAM_CASE"]?.split(",");
  const cases: readonly (readonly [string, (world: MatrixWorld) => Promise<string>])[] = [
    ["F14: a receiver that stands still holds up who sends to it, whose memory stays as it is", stoppedReceiver],
    ["F19: links that come and go move no channel", flappingLinks],
    ["F27: a frozen Redis holds up what runs, and nothing comes twice", frozenStore],
    ["F28: a Redis that is full holds up what runs", fullStore],
    ["F32: code that goes astray fails its own execution, with the step", codeAstray],
    ["F35: a machine that has a tenth of its time isn't lost", slowMachine],
    ["F36: a cancel at any time leaves nothing but what can be gone on with", cancelledAnyTime],
    ["F34: machines come and go, twenty times in half a minute", comingAndGoing],
    ["F29: a Redis that has lost its last writes gives no wrong result", storeBehind],
  ];
  for (const [sentence, body] of cases) {
    if (only?.some((one) => sentence.startsWith(one)) === false) continue;
    test(
      sentence,
      async () => {
        const began = performance.now();
        note(`${sentence}: ${await body(world)}; ${Math.round((performance.now() - began) / 1000)} s`);
      },
      timeoutMs,
    );
  }

  test.after(async () => {
    await session.close();
    await machines.stop();
    await Promise.all(relayed.map(({ relay }) => relay.close()));
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  });
}

test.run();
