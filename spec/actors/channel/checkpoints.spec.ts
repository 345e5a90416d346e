import * as assert from "uvu/assert";
import { encodeSnapshot } from "../../../actors/channel/channel-snapshot.ts";
import { Checkpoints, type WholePolicy } from "../../../actors/channel/checkpoints.ts";
import { OperatorWork } from "../../../actors/channel/work.ts";
import { unpackCheckpoint } from "../../../actors/lineage/checkpoint-bytes.ts";
import type { ChannelLog, CheckpointHead } from "../../../lib/core/contracts/lineage.ts";
import { delay } from "../../../lib/core/seam/clock.ts";
import { VirtualClock } from "../../../lib/testing/simulation/virtual-clock.ts";
import { seededRandom } from "../../../lib/core/seam/random.ts";
import { failure } from "../../kit/failure.ts";
import { MemoryLineage } from "../../kit/memory-lineage.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("checkpoints of a channel");

class Saving extends MemoryLineage {
  readonly saved: { readonly seq: number; readonly head: CheckpointHead }[] = [];
  usable = true;

  override saveCheckpoint(
    _log?: ChannelLog,
    seq?: number,
    bytes?: Uint8Array,
    head?: CheckpointHead,
  ): Promise<boolean> {
    const stored = unpackCheckpoint(bytes ?? new Uint8Array(0)).head;
    assert.equal(stored, { ...head });
    this.saved.push({ seq: seq ?? -1, head: stored });
    return Promise.resolve(this.usable);
  }
}

/** Saves checkpoints of given sizes, with changes wherever they are taken; says what each one stood on. */
async function saveAll(whole: WholePolicy | undefined, sizes: readonly number[], unusableAt = -1): Promise<string> {
  const lineage = new Saving();
  const clock = new VirtualClock({ random: seededRandom(1) });
  const log = { execution: "run", number: 0, generation: 0 };
  const failed = (error: unknown): never => {
    throw error;
  };
  const policy = { everyMs: 0, workMs: 0, whole };
  const checkpoints = new Checkpoints({ policy, clock, lineage, log, failed });
  for (const [seq, size] of sizes.entries()) {
    assert.ok(checkpoints.due(seq, 0));
    lineage.usable = seq !== unusableAt;
    const snapshot = { seq, inputs: [], outputs: [], reading: undefined, state: new Uint8Array(size), counters: {} };
    void checkpoints.save(snapshot, { consumed: [], made: [] }, 0, checkpoints.takesChanges);
    assert.not.ok(checkpoints.due(seq + 1, 0), "one at a time");
    // oxlint-disable-next-line no-await-in-loop -- one at a time
    await Promise.resolve();
  }
  return lineage.saved
    .map(({ head: { changes } }) => (changes === undefined ? "whole" : `${changes.previous}(${changes.base})`))
    .join(" ");
}

test("the first checkpoint of a life may come earlier than those that follow", async () => {
  const clock = new VirtualClock({ random: seededRandom(1) });
  const log = { execution: "run", number: 0, generation: 0 };
  const policy = { everyMs: 100, firstMs: 25, workMs: Infinity };
  const checkpoints = new Checkpoints({ policy, clock, lineage: new Saving(), log, failed: () => {} });
  const dueAt: number[] = [];
  const looking = async (): Promise<void> => {
    for (let seq = 0; seq < 260; seq++) {
      // oxlint-disable-next-line no-await-in-loop -- time passes
      await delay(clock, 1);
      if (!checkpoints.due(seq, 0)) continue;
      dueAt.push(Math.round(clock.monotonic()));
      const snapshot = { seq, inputs: [], outputs: [], reading: undefined, state: 1, counters: {} };
      void checkpoints.save(snapshot, { consumed: [], made: [] }, 0, false);
    }
  };
  await clock.run({ settled: looking() });
  assert.equal(dueAt, [25, 125, 225]);
});

test("what has to be saved at once is saved behind what is being saved", async () => {
  const answers: ((usable: boolean) => void)[] = [];
  const saved: number[] = [];
  class Slow extends Saving {
    override saveCheckpoint(_log?: ChannelLog, seq = -1): Promise<boolean> {
      saved.push(seq);
      return new Promise((resolve) => answers.push(resolve));
    }
  }
  const clock = new VirtualClock({ random: seededRandom(1) });
  const log = { execution: "run", number: 0, generation: 0 };
  const policy = { everyMs: 0, workMs: 0 };
  const checkpoints = new Checkpoints({ policy, clock, lineage: new Slow(), log, failed: () => {} });
  const save = (seq: number): Promise<boolean> => {
    const snapshot = { seq, inputs: [], outputs: [], reading: undefined, state: seq, counters: {} };
    return checkpoints.save(snapshot, { consumed: [], made: [] }, 0, false);
  };
  const first = save(3);
  const last = save(4);
  assert.equal(saved, [3], "else the older one could come behind the newer one");
  answers.shift()?.(false);
  assert.is(await first, false);
  await Promise.resolve();
  assert.equal(saved, [3, 4]);
  answers.shift()?.(true);
  assert.is(await last, true);
});

test("a state that was taken while its channel was ended isn't saved: its inputs are empty, and its files left", async () => {
  const lineage = new Saving();
  const clock = new VirtualClock({ random: seededRandom(1) });
  const log = { execution: "run", number: 0, generation: 0 };
  const policy = { everyMs: 0, workMs: 0 };
  const checkpoints = new Checkpoints({ policy, clock, lineage, log, failed: () => {} });
  checkpoints.stop();
  const snapshot = { seq: 3, inputs: [], outputs: [], reading: undefined, state: 1, counters: {} };
  assert.is(await checkpoints.save(snapshot, { consumed: [], made: [] }, 0, false), false);
  assert.equal(lineage.saved, []);
});

test("changes stand on what was saved before, until there are too many", async () => {
  const often = { belowBytes: 0, changesShare: 100, changesMost: 2 };
  assert.is(await saveAll(often, [10, 10, 10, 10, 10]), "whole 0(0) 1(0) whole 3(3)");
  const share = { belowBytes: 0, changesShare: 0.5, changesMost: 100 };
  assert.is(await saveAll(share, [100_000, 40_000, 20_000, 10, 10]), "whole 0(0) 1(0) whole 3(3)");
  const large = { belowBytes: 50_000, changesShare: 100, changesMost: 100 };
  assert.is(await saveAll(large, [40_000, 60_000, 10, 10]), "whole whole 1(1) 2(1)");
});

test("what settings there are without any", async () => {
  const small = Array.from({ length: 36 }, () => 100);
  assert.is(await saveAll(undefined, [60_000, ...small]), Array.from({ length: 37 }, () => "whole").join(" "));
  const parts = (await saveAll(undefined, [100_000, ...small])).split(" ");
  assert.is(parts.indexOf("whole", 1), 33);
  assert.is(await saveAll(undefined, [100_000, 51_000, 0]), "whole 0(0) whole");
});

test("after one that can't be used the next is whole", async () => {
  const often = { belowBytes: 0, changesShare: 100, changesMost: 10 };
  assert.is(await saveAll(often, [10, 10, 10, 10], 1), "whole 0(0) whole 2(2)");
});

test("an operator that tells changes but can't take them is refused, and so is the other half", async () => {
  const methods = { execute: (): void => {}, snapshot: (): number => 0, restore: (): void => {} };
  const changes = (): number => 1;
  const apply = (): void => {};
  const made = (operator: object): OperatorWork => new OperatorWork(() => operator as never, false);
  for (const [operator, what] of [
    [{ ...methods, changes }, /changes without apply/],
    [{ ...methods, apply }, /apply without changes/],
    [{ execute: methods.execute, changes, apply }, /changes without snapshot/],
  ] as const) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { message } = await failure(() => made(operator), "OPTION_INVALID");
    assert.match(message, what);
  }
  const work = made({ ...methods, changes, apply });
  assert.is(work.changes?.(), 1);
  assert.is(made(methods).changes, undefined);
  assert.is(made(methods).apply, undefined);
});

test("a state that isn't data is refused by what made it", async () => {
  class Tower {
    readonly flights = 7;
  }
  const state = { towers: [new Tower()] };
  const snapshot = { seq: 0, inputs: [], outputs: [], reading: undefined, state, counters: {} };
  const error = await failure(() => encodeSnapshot(snapshot), "CANNOT_TRAVEL");
  assert.match(error.message, /^what snapshot\(\) returned can't be saved: .*Tower.*\. Return plain data/u);
});

test.run();
