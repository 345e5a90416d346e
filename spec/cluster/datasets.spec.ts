// specs: waits
// specs: timeout 120 s
// Datasets that stay in the memory of a cluster's machines.
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { cluster, type Dataset } from "../../lib/index.ts";
import { LoopbackCluster } from "../../lib/testing/index.ts";
import { failure } from "../kit/failure.ts";
import { hasRedisServer, startRedisServer } from "../kit/redis-server.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { digits, kept } from "./dataset-flows.ts";

const test = suite("datasets on clusters");
const timeoutMs = 60_000;
const mebibyte = 2 ** 20;

if (!inSlot && (await hasRedisServer())) {
  const redis = await startRedisServer();
  const workerWords = ["--datasets", "16777216"];
  const machines = await LoopbackCluster.start({ store: redis.url, leaseMs: 20_000, workerWords });

  test(
    "what an execution keeps is read by the next where it is, and until it is released",
    async () => {
      await using session = await cluster({ url: machines.url });
      // The head hears of them a moment after they say that they have joined.
      while ((await session.list()).machines.length < 2) await wait(20);
      const upTo = 1000;
      const keep = async (): Promise<Dataset<number>> => {
        const { squares: made } = await kept.run({ upTo, bytesMax: mebibyte }, { on: session });
        if (new Set(made.parts.map(({ slot }) => slot.split("/")[0])).size === 2) return made;
        // A machine that doesn't answer within two seconds is done without.
        made.release();
        return keep();
      };
      const squares = await keep();
      assert.is(squares.rows, upTo);
      const execution = await digits.start({ squares }, { on: session });
      const counts = (await execution.outputs).digits.toSorted((left, right) => left.key - right.key);
      assert.equal(
        counts.map(({ key, value }) => [key, value]),
        [
          [0, 100],
          [1, 200],
          [4, 200],
          [5, 100],
          [6, 200],
          [9, 200],
        ],
      );
      for await (const event of execution.events()) {
        if (event.kind !== "placed") continue;
        const slots = event.placement.flatMap(({ step, slot }) => (step === "squares" ? [slot] : []));
        assert.equal(slots.toSorted(), squares.parts.map(({ slot }) => slot).toSorted());
      }
      const objects = await squares.objects();
      assert.is(objects.length, upTo);
      assert.is(Math.max(...objects), (upTo - 1) ** 2);
      squares.release();
      const gone = await failure(async () => {
        // Machines hear of it by way of the head.
        for (let turn = 0; turn < 50; turn++) {
          await digits.run({ squares }, { on: session });
          await wait(100);
        }
      }, "DATASET_RELEASED");
      assert.match(gone.message, "isn't here any more");
    },
    timeoutMs,
  );

  test(
    "a session that closes releases what it has made, and slots keep no more than they may",
    async () => {
      const upTo = 3_000_000;
      const run = async (): Promise<void> => {
        await using session = await cluster({ url: machines.url });
        const { squares } = await kept.run({ upTo, bytesMax: 64 * mebibyte }, { on: session });
        assert.ok(squares.bytes > 16 * mebibyte && squares.bytes < 32 * mebibyte, String(squares.bytes));
        // There isn't room for as much again.
        const full = await failure(
          () => kept.run({ upTo, bytesMax: 64 * mebibyte }, { on: session }),
          "LIMIT_EXCEEDED",
        );
        assert.match(full.message, /has room for \d+ more bytes of datasets, of 16777216/);
      };
      await run();
      await run();
    },
    timeoutMs,
  );

  test.after(async () => {
    await machines.stop();
    await redis.stop();
  });
}

test.run();
