// specs: waits
// specs: timeout 120 s
// Damage to an LMDB store: a checkpoint that isn't what was written is never used, and a full disk is waited for.

import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { defineFlow, local, type ExecutionEvent } from "../../lib/index.ts";
import { failure } from "../kit/failure.ts";
import {
  assertNothingLeft,
  digestOf,
  hasProcesses,
  makeSpecFolder,
  runWithFaults,
  type Faults,
} from "../kit/faults.ts";
import { fillDisk, freeDisk, mountSmallDisk } from "../kit/small-disk.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { ticking, type Pace } from "./flows.ts";

const test = suite("faults: LMDB store");
const folder = inSlot ? { path: "", remove: () => {} } : makeSpecFolder("lmdb-faults");
// Time for several checkpoints of each channel.
const pace: Pace = { count: 16_000, everyMs: 60, trickles: true };

let unmount = (): void => {};

test.after(async () => {
  unmount();
  folder.remove();
  await assertNothingLeft();
});

/** A state too large to be kept in the database itself: its checkpoints are files. */
const largeState = defineFlow(import.meta.url, (q, args: Pace) => ({
  rows: q
    .read("numbers", ticking(args))
    .reduceByKey(
      "keep",
      (n) => n % 9001,
      (key) => ({ texts: `key ${key}`.padEnd(30, "."), sum: 0 }),
      ({ texts, sum }, n) => ({ texts, sum: sum + n }),
    )
    .collect(),
}));

interface CheckpointFile {
  readonly path: string;
  readonly channel: number;
  readonly seq: number;
}

function checkpointFiles(store: string): CheckpointFile[] {
  let entries: string[] = [];
  try {
    entries = readdirSync(join(store, "checkpoints"), { recursive: true }).map(String);
  } catch {
    // There is none yet, or one goes while this looks.
  }
  return entries
    .filter((name) => /\/\d+-\d+-\d+-[0-9a-f]+$/.test(name))
    .map((name) => {
      const [channel = -1, seq = -1] = (name.split("/").at(-1) ?? "").split("-").map(Number);
      return { path: join(store, "checkpoints", name), channel, seq };
    });
}

/** The checkpoint that a channel has last gone on from; -1 for its beginning. Channels are numbered over all steps. */
function startedFrom(events: readonly ExecutionEvent[], number: number): number {
  const done = events.findLast((event) => event.kind === "done");
  const { step, channel } = (done?.kind === "done" ? done.metrics.channels[number] : undefined) ?? {};
  const found = events.flatMap((event) =>
    event.kind === "recovered" ? event.channels.filter((one) => one.step === step && one.channel === channel) : [],
  );
  return found.at(-1)?.checkpoint ?? Number.NaN;
}

/** The newest one of each channel that has at least two. */
function newestOf(files: readonly CheckpointFile[]): CheckpointFile[] {
  const channels = [...new Set(files.map(({ channel }) => channel))];
  return channels.flatMap((channel) => {
    const own = files.filter((file) => file.channel === channel).toSorted((a, b) => b.seq - a.seq);
    return own.length < 2 ? [] : own.slice(0, 1);
  });
}

const damages: Readonly<Record<string, (path: string) => void>> = {
  "cut short": (path) => truncateSync(path, 1000),
  "one bit is another": (path) => {
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 16;
    writeFileSync(path, bytes);
  },
  gone: (path) => rmSync(path),
};

if (!inSlot && hasProcesses()) {
  for (const [what, damage] of Object.entries(damages)) {
    test(`a checkpoint is damaged (${what}): an older one is used`, async () => {
      const store = join(folder.path, what.replaceAll(" ", "-"));
      let damaged: readonly CheckpointFile[] = [];
      const script = async (faults: Faults): Promise<void> => {
        while (newestOf(checkpointFiles(store)).length === 0) {
          // oxlint-disable-next-line no-await-in-loop -- looks again and again
          if (!(await faults.after(5))) return;
        }
        // Nobody saves another one meanwhile; what was on its way is there in a moment.
        faults.hit("all", "SIGSTOP");
        await faults.after(200);
        damaged = newestOf(checkpointFiles(store));
        for (const { path } of damaged) damage(path);
        faults.hit("all");
      };
      await using session = await local({
        slots: 2,
        isolation: "process",
        store: `lmdb:${store}`,
        checkpointEveryMs: 60,
      });
      const gate = join(folder.path, `gate-${what.replaceAll(" ", "-")}`);
      const { outputs, events } = await runWithFaults(
        largeState,
        { ...pace, gate },
        { on: session, seed: 0, gate },
        script,
      );
      assert.is(digestOf(outputs.rows), expected());
      assert.ok(damaged.length > 0, "nothing was damaged");
      for (const { channel, seq } of damaged) {
        const from = startedFrom(events, channel);
        assert.ok(
          from >= 0 && from < seq,
          `channel ${channel} went on from checkpoint ${from}, and ${seq} was damaged`,
        );
      }
    }, 60_000);
  }

  fullDisk();
}

function fullDisk(): void {
  const disk = mountSmallDisk(join(folder.path, "small-disk"));
  if (disk === undefined) return;
  ({ unmount } = disk);

  test("a full disk is waited for, until there is space", async () => {
    const store = join(disk.path, "store");
    await using session = await local({ slots: 2, store: `lmdb:${store}`, checkpointEveryMs: 60 });
    const gate = join(folder.path, "gate-of-full-disk");
    const options = { on: session, seed: 0, gate };
    const { outputs, elapsedMs } = await runWithFaults(largeState, { ...pace, gate }, options, async (faults) => {
      await faults.read(2000);
      fillDisk(disk.path);
      await faults.after(1500);
      freeDisk(disk.path);
    });
    assert.is(digestOf(outputs.rows), expected());
    assert.ok(elapsedMs > 1500, `${elapsedMs} ms: it didn't wait`);
  }, 60_000);

  test("a disk that stays full fails the execution after storeWaitMs, and says so", async () => {
    const store = join(disk.path, "other-store");
    const run = async (): Promise<void> => {
      await using session = await local({ slots: 2, store: `lmdb:${store}`, checkpointEveryMs: 60, storeWaitMs: 500 });
      const gate = join(folder.path, "gate-of-a-disk-that-stays-full");
      await runWithFaults(largeState, { ...pace, gate }, { on: session, seed: 0, gate }, async (faults) => {
        await faults.read(2000);
        fillDisk(disk.path);
      });
    };
    const error = await failure(run, "STORE_UNAVAILABLE");
    assert.match(error.message, /space/i, error.message);
    freeDisk(disk.path);
  }, 60_000);
}

function expected(): string {
  const sums = new Map<number, number>();
  for (let n = 0; n < pace.count; n++) sums.set(n % 9001, (sums.get(n % 9001) ?? 0) + n);
  return digestOf([...sums].map(([key, sum]) => ({ key, value: { texts: `key ${key}`.padEnd(30, "."), sum } })));
}

test.run();
