import { local, type Keyed, type Session } from "qstream";
import { readCheckpoint } from "qstream/testing";
import { keyedUpdates, type CountsDigest, type UpdatesArguments } from "../flows/updates.ts";
import type { Benchmark, Measured } from "../harness/benchmark.ts";
import { contest, detailsOf, round } from "../harness/contest.ts";
import { CheckpointKeeper, type KeptCheckpoint } from "../harness/kept-checkpoints.ts";
import { outputsOf } from "../harness/links.ts";
import { StoreFolder } from "../harness/stores.ts";

const work = { keys: 5_000_000, updates: 10_000_000, perMs: 1000 };
const warmingWork = { keys: 500_000, updates: 2_000_000, perMs: 1000 };
const everyMs = 2000;
const rounds = 3;

export const benchmark: Benchmark = {
  name: "checkpoint",
  workload:
    "counts of 5 M keys on two slots, each key once and then 10 M updates by Zipf's law (1.0), 1 M/s offered; a checkpoint every 2 s, each read back and checked, against none",
  bar: { atMost: 1.25 },
  unit: "x",
  measure,
};

interface Checked {
  readonly checkpoints: number;
  /** Those that hold all of the state. */
  readonly whole: number;
  readonly bytes: number;
}

async function measure(): Promise<Measured> {
  using folder = new StoreFolder();
  await using on = await local({ slots: 2, store: folder.url, checkpointEveryMs: everyMs });
  await using off = await local({ slots: 2, store: "none" });
  for (const session of [on, off]) await count(session, { seed: 99, ...warmingWork });
  const keeper = new CheckpointKeeper(folder.path);
  const result = await contest<CountsDigest>(
    { name: "with checkpoints", run: (seed) => count(on, { seed, ...work }) },
    { name: "without checkpoints", run: (seed) => count(off, { seed, ...work }) },
    { warmups: 0, rounds },
  );
  const { checkpoints, whole, bytes } = check(keeper.stop());
  if (checkpoints < 2 * rounds) throw new Error(`only ${checkpoints} checkpoints were made`);
  return {
    value: result.oursMs / result.peerMs,
    details: {
      ...detailsOf(result, work.keys + work.updates),
      checkpoints: `${round(checkpoints / rounds)} a run, ${round(whole / rounds)} of them whole, ${round(bytes / checkpoints / 1e6)} MB each, all checked`,
    },
  };
}

async function count(session: Session, args: UpdatesArguments): Promise<CountsDigest> {
  const execution = keyedUpdates.start(args, { on: session });
  const { digests } = await outputsOf(execution, { from: "updates", to: "counts", objects: args.keys + args.updates });
  return digests.reduce((left, right) => ({
    keys: left.keys + right.keys,
    updates: left.updates + right.updates,
    digest: left.digest + right.digest,
  }));
}

/** Restores each checkpoint as a new life of its channel would, those with changes on top of others: counts only grow. */
function check(kept: readonly KeptCheckpoint[]): Checked {
  const checked = { checkpoints: kept.length, whole: 0, bytes: 0 };
  let channelBefore = "";
  let before = { seq: -1, keys: 0, updates: 0 };
  let counts = new Map<number, number>();
  for (const { execution, channel, seq, read } of kept) {
    const content = read();
    checked.bytes += content.byteLength;
    const saved = readCheckpoint(content);
    const name = `${execution} ${channel}`;
    if (name !== channelBefore) before = { seq: -1, keys: 0, updates: 0 };
    const wrong = (what: string): Error =>
      new Error(`the checkpoint of channel ${channel} after task ${seq} isn't what it should be: ${what}`);
    if (saved.seq !== seq) throw wrong(`it is the one after ${saved.seq}`);
    if (saved.previous === undefined) {
      counts = new Map();
      checked.whole++;
    } else if (saved.previous !== before.seq) throw wrong(`it stands on ${saved.previous}, after ${before.seq}`);
    for (const { key, value } of saved.state as readonly Keyed<number, number>[]) {
      if (value < (counts.get(key) ?? 0)) throw wrong(`key ${key} was ${counts.get(key)} before, and is ${value}`);
      counts.set(key, value);
    }
    const updates = [...counts.values()].reduce((sum, value) => sum + value, 0);
    if (counts.size < before.keys || updates < Math.max(counts.size, before.updates)) throw wrong("counts are missing");
    before = { seq, keys: counts.size, updates };
    channelBefore = name;
  }
  return checked;
}
