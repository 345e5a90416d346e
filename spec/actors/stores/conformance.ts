import * as assert from "uvu/assert";
import type { ChannelCommit, LineageStore } from "../../../lib/core/contracts/lineage-store.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import type { Suite } from "../../kit/suite.ts";
import { testAgainstModel } from "./against-model.ts";
import { bytesOf, newExecution, records, type StoreUnderTest } from "./store-under-test.ts";

const description = Uint8Array.of(1, 2, 3);
function commitOf(channel: number, firstSeq: number, count: number, generation = 0): ChannelCommit {
  return { channel, generation, firstSeq, records: records(count, firstSeq) };
}

export async function refuses(code: QStreamError["code"], action: () => Promise<unknown>): Promise<QStreamError> {
  try {
    await action();
  } catch (error) {
    assert.instance(error, QStreamError);
    assert.is((error as QStreamError).code, code, (error as Error).message);
    return error as QStreamError;
  }
  assert.unreachable(`${code} was expected`);
  throw new Error(code);
}

/** The tests that every lineage store has to pass. */
export function testStore(test: Suite, under: StoreUnderTest): void {
  const withStore = (body: (store: LineageStore, execution: string) => Promise<void>) => async (): Promise<void> => {
    const store = await under.open();
    const execution = newExecution();
    try {
      await body(store, execution);
      await store.drop(execution);
    } finally {
      await store.close();
    }
  };
  testExecutions(test, withStore);
  testDropping(test, withStore);
  testRecords(test, withStore);
  testFreeing(test, withStore);
  testCheckpoints(test, withStore, under);
  testGenerations(test, withStore);
  testReopening(test, under);
  testAgainstModel(test, under);
}

type WithStore = (body: (store: LineageStore, execution: string) => Promise<void>) => () => Promise<void>;

function channelsOf(store: LineageStore, execution: string): Promise<void> {
  return store.create(execution, description, 3, 1234);
}

function testExecutions(test: Suite, withStore: WithStore): void {
  test(
    "an execution is made once; the same call again changes nothing, and another description is refused",
    withStore(async (store, execution) => {
      assert.is(await store.find(execution), undefined);
      await channelsOf(store, execution);
      await store.commit(execution, [commitOf(0, 0, 2)]);
      await channelsOf(store, execution);
      assert.is((await store.progress(execution, 0)).lastSeq, 1);
      await refuses("EXECUTION_EXISTS", () => store.create(execution, Uint8Array.of(9), 3, 1234));
      assert.equal(await store.find(execution), {
        execution,
        description,
        status: "running",
        createdAt: 1234,
        channels: 3,
      });
    }),
  );

  test(
    "executions are listed with their status, the oldest first, until they are dropped",
    withStore(async (store, execution) => {
      const ids = [`${execution}-b`, `${execution}-a`, `${execution}-c`];
      const own = async (): Promise<unknown[]> =>
        (await store.list()).filter((stored) => ids.includes(stored.execution)).map((s) => [s.execution, s.status]);
      for (const [index, id] of ids.entries()) await store.create(id, description, 1, 2000 + index);
      await store.setStatus(ids[1] ?? "", "failed");
      assert.equal(await own(), [
        [ids[0], "running"],
        [ids[1], "failed"],
        [ids[2], "running"],
      ]);
      for (const id of ids) await store.drop(id);
      assert.equal(await own(), []);
      await store.drop(ids[0] ?? "");
    }),
  );

  test(
    "an execution that isn't there is EXECUTION_UNKNOWN to every call but drop, find and list",
    withStore(async (store, execution) => {
      const calls: readonly (() => Promise<unknown>)[] = [
        () => store.setStatus(execution, "done"),
        () => store.commit(execution, [commitOf(0, 0, 1)]),
        () => store.read(execution, 0, -1, 10),
        () => store.saveCheckpoint(execution, 0, 0, 0, description),
        () => store.loadCheckpoint(execution, 0, 0),
        () => store.fence(execution, [0]),
        () => store.free(execution, 0, 1, 1),
        () => store.countFailure(execution, 0, 0, "a"),
        () => store.progress(execution, 0),
      ];
      for (const call of calls) await refuses("EXECUTION_UNKNOWN", call);
      await channelsOf(store, execution);
      // Nor has it channels that nobody announced.
      for (const call of [
        () => store.commit(execution, [commitOf(3, 0, 1)]),
        () => store.fence(execution, [0, 3]),
        () => store.progress(execution, 3),
      ]) {
        await refuses("INTERNAL", call);
      }
      assert.is((await store.progress(execution, 0)).generation, 0);
    }),
  );
}

function testDropping(test: Suite, withStore: WithStore): void {
  test(
    "a dropped execution leaves nothing, so that one of the same name begins anew",
    withStore(async (store, execution) => {
      await channelsOf(store, execution);
      await store.commit(execution, [commitOf(0, 0, 5)]);
      await store.saveCheckpoint(execution, 0, 0, 3, bytesOf(200_000));
      await store.countFailure(execution, 0, 5, "a");
      await store.drop(execution);
      assert.is(await store.find(execution), undefined);
      await channelsOf(store, execution);
      assert.equal(await store.read(execution, 0, -1, 10), []);
      assert.equal(await store.progress(execution, 0), { generation: 0, lastSeq: -1, checkpoint: -1 });
      assert.is(await store.loadCheckpoint(execution, 0, 3), undefined);
      assert.is(await store.countFailure(execution, 0, 5, "a"), 1);
    }),
  );

  test(
    "ids of executions are only names",
    withStore(async (store, execution) => {
      await channelsOf(store, execution);
      for (const id of ["..", "../..", "a}b{c:d", `${execution}/${execution}`, "é ☃ \u0001"]) {
        await store.create(id, description, 1, 1);
        await store.commit(id, [commitOf(0, 0, 2)]);
        await store.saveCheckpoint(id, 0, 0, 1, bytesOf(100_000));
        assert.equal(await store.loadCheckpoint(id, 0, 1), bytesOf(100_000));
        await store.drop(id);
      }
      assert.is((await store.find(execution))?.channels, 3);
    }),
  );
}

function testRecords(test: Suite, withStore: WithStore): void {
  test(
    "records are read from any seq on, in order, some at a time",
    withStore(async (store, execution) => {
      await store.create(execution, description, 12, 1);
      await store.commit(execution, [commitOf(1, 0, 3), commitOf(11, 0, 1), commitOf(1, 3, 2500)]);
      const read = await store.read(execution, 1, 99, 50);
      assert.equal(
        read.map(({ seq }) => seq),
        Array.from({ length: 50 }, (_, index) => 100 + index),
      );
      assert.equal(read[7]?.record, records(1, 107)[0]);
      assert.equal((await store.read(execution, 1, 2501, 50)).length, 1);
      assert.equal(await store.read(execution, 1, 2502, 50), []);
      assert.equal((await store.read(execution, 11, -1, 50)).length, 1);
    }),
  );

  test(
    "a commit that is repeated, or overlaps what is there, changes nothing of that",
    withStore(async (store, execution) => {
      await store.create(execution, description, 1, 1);
      assert.equal(await store.commit(execution, [commitOf(0, 0, 4)]), ["committed"]);
      const other = { channel: 0, generation: 0, firstSeq: 2, records: [...records(2, 70), ...records(2, 4)] };
      assert.equal(await store.commit(execution, [other, commitOf(0, 0, 2), commitOf(0, 3, 0)]), [
        "committed",
        "committed",
        "committed",
      ]);
      const kept = await store.read(execution, 0, -1, 10);
      assert.equal(
        kept.map(({ record }) => record[0]),
        [0, 1, 2, 3, 4, 5],
      );
    }),
  );

  test(
    "a gap is a defect of the caller, and nothing of its call is written",
    withStore(async (store, execution) => {
      await store.create(execution, description, 2, 1);
      await refuses("LINEAGE_REGRESSED", () => store.commit(execution, [commitOf(0, 0, 1), commitOf(1, 1, 1)]));
      assert.is((await store.progress(execution, 0)).lastSeq, -1);
    }),
  );

  test(
    "records may be large, and empty",
    withStore(async (store, execution) => {
      await store.create(execution, description, 1, 1);
      const large = [bytesOf(9_000_000, 1), new Uint8Array(), bytesOf(9_000_000, 2)];
      await store.commit(execution, [{ channel: 0, generation: 0, firstSeq: 0, records: large }]);
      const read: Uint8Array[] = [];
      while (read.length < 3) {
        const some = await store.read(execution, 0, read.length - 1, 10);
        assert.ok(some.length > 0);
        for (const { record } of some) read.push(record);
      }
      assert.ok(read.every((record, index) => Buffer.compare(record, large[index] ?? record) === 0));
    }),
  );
}

function testFreeing(test: Suite, withStore: WithStore): void {
  test(
    "freed records are gone, the others stay; freeing less, or again, changes nothing",
    withStore(async (store, execution) => {
      await store.create(execution, description, 1, 1);
      await store.commit(execution, [commitOf(0, 0, 10)]);
      await store.countFailure(execution, 0, 3, "a");
      await store.free(execution, 0, 5, 0);
      await store.free(execution, 0, 2, 0);
      const seqs = async (): Promise<number[]> => (await store.read(execution, 0, -1, 20)).map(({ seq }) => seq);
      assert.equal(await seqs(), [6, 7, 8, 9]);
      assert.is(await store.countFailure(execution, 0, 3, "a"), 1);
      await store.commit(execution, [commitOf(0, 4, 8)]);
      assert.equal(await seqs(), [6, 7, 8, 9, 10, 11]);
      await store.free(execution, 0, 100, 0);
      assert.equal(await seqs(), []);
      assert.is((await store.progress(execution, 0)).lastSeq, 11);
      await store.commit(execution, [commitOf(0, 12, 1)]);
      assert.equal(await seqs(), [12]);
    }),
  );

  test(
    "what is held grows with what is written, and shrinks when it is freed",
    withStore(async (store, execution) => {
      await store.create(execution, description, 1, 1);
      const before = await store.bytesHeld();
      for (let seq = 0; seq < 10; seq++) {
        const commit = { channel: 0, generation: 0, firstSeq: seq * 100, records: records(100, seq * 100, 200) };
        await store.commit(execution, [commit]);
      }
      await store.saveCheckpoint(execution, 0, 0, 999, bytesOf(500_000));
      const full = await store.bytesHeld();
      assert.ok(full - before > 600_000, `${before} to ${full}`);
      await store.free(execution, 0, 999, 1000);
      assert.ok((await store.bytesHeld()) - before < 100_000);
    }),
  );
}

function testCheckpoints(test: Suite, withStore: WithStore, { checkpointBytes }: StoreUnderTest): void {
  for (const length of checkpointBytes) {
    test(
      `a checkpoint of ${length} bytes comes back as it was, and can be replaced`,
      withStore(async (store, execution) => {
        await store.create(execution, description, 1, 1);
        await store.commit(execution, [commitOf(0, 0, 10)]);
        for (const seed of [1, 2, 2]) {
          const bytes = bytesOf(length, seed);
          assert.is(await store.saveCheckpoint(execution, 0, 0, 7, bytes), "committed");
          const loaded = await store.loadCheckpoint(execution, 0, 7);
          assert.ok(loaded !== undefined && Buffer.compare(loaded, bytes) === 0);
        }
        assert.is(await store.loadCheckpoint(execution, 0, 6), undefined);
      }),
    );
  }

  test(
    "a checkpoint stands on a task that is committed",
    withStore(async (store, execution) => {
      await store.create(execution, description, 1, 1);
      await store.commit(execution, [commitOf(0, 0, 3)]);
      await refuses("LINEAGE_REGRESSED", () => store.saveCheckpoint(execution, 0, 0, 3, description));
      assert.is((await store.progress(execution, 0)).checkpoint, -1);
    }),
  );

  test(
    "freed checkpoints are gone, and one that comes too late isn't kept",
    withStore(async (store, execution) => {
      await store.create(execution, description, 1, 1);
      await store.commit(execution, [commitOf(0, 0, 50)]);
      for (const seq of [4, 30, 9]) await store.saveCheckpoint(execution, 0, 0, seq, bytesOf(100_000, seq));
      await store.free(execution, 0, -1, 9);
      await store.free(execution, 0, -1, 2);
      assert.is(await store.saveCheckpoint(execution, 0, 0, 5, bytesOf(100_000)), "committed");
      assert.equal(await store.fence(execution, [0]), [
        { channel: 0, generation: 1, lastSeq: 49, checkpoints: [9, 30] },
      ]);
      assert.is(await store.loadCheckpoint(execution, 0, 5), undefined);
      assert.equal(await store.loadCheckpoint(execution, 0, 30), bytesOf(100_000, 30));
    }),
  );
}

function testGenerations(test: Suite, withStore: WithStore): void {
  test(
    "a fenced generation writes nothing any more",
    withStore(async (store, execution) => {
      await store.create(execution, description, 3, 1);
      await store.commit(execution, [commitOf(0, 0, 3), commitOf(1, 0, 3)]);
      assert.equal(await store.fence(execution, [0, 2]), [
        { channel: 0, generation: 1, lastSeq: 2, checkpoints: [] },
        { channel: 2, generation: 1, lastSeq: -1, checkpoints: [] },
      ]);
      // Also what would be a gap.
      assert.equal(await store.commit(execution, [commitOf(0, 3, 2), commitOf(1, 3, 2), commitOf(0, 40, 1)]), [
        "fenced",
        "committed",
        "fenced",
      ]);
      assert.is(await store.saveCheckpoint(execution, 0, 0, 1, bytesOf(200_000)), "fenced");
      assert.equal(await store.progress(execution, 0), { generation: 1, lastSeq: 2, checkpoint: -1 });
      assert.equal(await store.commit(execution, [commitOf(0, 3, 2, 1)]), ["committed"]);
      assert.is(await store.saveCheckpoint(execution, 0, 1, 4, description), "committed");
      assert.equal(await store.fence(execution, [0]), [{ channel: 0, generation: 2, lastSeq: 4, checkpoints: [4] }]);
    }),
  );

  test(
    "failures are counted by channel and cause, whatever their task; other causes of the same task by themselves",
    withStore(async (store, execution) => {
      await store.create(execution, description, 2, 1);
      assert.is(await store.countFailure(execution, 0, 7, "3:0:0"), 1);
      assert.is(await store.countFailure(execution, 0, 7, "4:0:0"), 1);
      assert.is(await store.countFailure(execution, 0, 9, "3:0:0"), 2);
      assert.is(await store.countFailure(execution, 0, 8, "3:0:0"), 3);
      assert.is(await store.countFailure(execution, 0, 7, "3:0:0+"), 1);
      assert.is(await store.countFailure(execution, 0, 7, "task 7"), 1);
      assert.is(await store.countFailure(execution, 1, 7, "3:0:0"), 1);
    }),
  );

  test(
    "failures are freed with the record of the last task that failed so, whatever their cause is called",
    withStore(async (store, execution) => {
      await store.create(execution, description, 2, 1);
      await store.commit(execution, [commitOf(0, 0, 30), commitOf(1, 0, 30)]);
      for (const cause of ["3:0:0", "3:0:9000000", "task 4"]) await store.countFailure(execution, 0, 4, cause);
      for (const seq of [4, 12, 8]) await store.countFailure(execution, 0, seq, "3:1:5");
      await store.countFailure(execution, 1, 4, "3:0:0");
      await store.free(execution, 0, 3, 0);
      assert.is(await store.countFailure(execution, 0, 4, "3:0:0"), 2);
      await store.free(execution, 0, 4, 0);
      for (const cause of ["3:0:0", "3:0:9000000", "task 4"]) {
        assert.is(await store.countFailure(execution, 0, 20, cause), 1, cause);
      }
      await store.free(execution, 0, 11, 0);
      assert.is(await store.countFailure(execution, 0, 8, "3:1:5"), 4);
      await store.free(execution, 0, 12, 0);
      assert.is(await store.countFailure(execution, 0, 20, "3:1:5"), 1);
      assert.is(await store.countFailure(execution, 1, 4, "3:0:0"), 2);
    }),
  );
}

function testReopening(test: Suite, under: StoreUnderTest): void {
  if (!under.survives) return;
  test("what was written is there when the store is opened again, and for others that have it open", async () => {
    const execution = newExecution();
    const first = await under.open();
    const second = await under.open();
    await first.create(execution, description, 2, 77);
    await first.commit(execution, [commitOf(0, 0, 5)]);
    await first.saveCheckpoint(execution, 0, 0, 3, bytesOf(100_000));
    assert.is((await second.fence(execution, [0]))[0]?.lastSeq, 4);
    assert.equal(await first.commit(execution, [commitOf(0, 5, 1)]), ["fenced"]);
    await first.countFailure(execution, 0, 5, "a");
    await first.close();
    await second.close();
    const third = await under.open();
    assert.is((await third.find(execution))?.createdAt, 77);
    assert.equal(await third.progress(execution, 0), { generation: 1, lastSeq: 4, checkpoint: 3 });
    assert.is((await third.read(execution, 0, -1, 10)).length, 5);
    assert.equal(await third.loadCheckpoint(execution, 0, 3), bytesOf(100_000));
    assert.is(await third.countFailure(execution, 0, 5, "a"), 2);
    await third.drop(execution);
    await third.close();
  });
}
