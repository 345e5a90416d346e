import * as fc from "fast-check";
import * as assert from "uvu/assert";
import type { CheckpointHead } from "../../../lib/core/contracts/lineage.ts";
import { packCheckpoint, unpackCheckpoint } from "../../../actors/lineage/checkpoint-bytes.ts";
import { Retention, type Freed } from "../../../actors/lineage/retention.ts";
import { lineOf } from "../../kit/plans.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("what can be freed");

// Channels by number: reader 0, 1; operator 2, 3; sink 4.
const plan = lineOf([2, 2, 1]);
const consumed = (edge: number, ...seqs: readonly number[]): { edge: number; other: number; seq: number }[] =>
  seqs.map((seq, other) => ({ edge, other, seq }));

const freed = (number: number, seq: number, checkpointsBefore = seq): Freed => ({
  number,
  recordsThrough: seq,
  checkpointsBefore,
});

test("nothing is freed before every consumer has two checkpoints that cover it", () => {
  const retention = new Retention(plan);
  assert.equal(retention.add(0, 10, { consumed: [], made: consumed(0, 10, 10) }), []);
  assert.equal(retention.add(0, 20, { consumed: [], made: consumed(0, 20, 20) }), []);
  assert.equal(retention.add(2, 5, { consumed: consumed(0, 20, 20), made: [] }), []);
  assert.equal(retention.add(2, 9, { consumed: consumed(0, 25, 25), made: [] }), [freed(2, 5)]);
  // The other consumer may still ask for everything.
  assert.equal(retention.checkpoints(0).length, 3);
  assert.equal(retention.add(3, 5, { consumed: consumed(0, 21, 21), made: [] }), []);
  assert.equal(retention.add(3, 7, { consumed: consumed(0, 22, 22), made: [] }), [freed(3, 5), freed(0, 10)]);
  assert.equal(
    retention.checkpoints(0).map(({ seq }) => seq),
    [10, 20],
  );
});

test("what a consumer without checkpoints takes is kept from the start", () => {
  const retention = new Retention(plan);
  for (const seq of [5, 10, 15]) {
    const made = consumed(1, seq);
    assert.equal(retention.add(2, seq, { consumed: consumed(0, seq, seq), made }), []);
  }
  assert.equal(retention.checkpoints(2).length, 4);
});

test("a damaged checkpoint is forgotten, and the one before it is there", () => {
  const retention = new Retention(plan);
  for (const seq of [5, 10, 15]) retention.add(2, seq, { consumed: consumed(0, seq, seq), made: [] });
  assert.equal(
    retention.checkpoints(2).map(({ seq }) => seq),
    [10, 15],
  );
  retention.forget(2, 15);
  assert.equal(
    retention.checkpoints(2).map(({ seq }) => seq),
    [10],
  );
});

test("whatever is freed, every channel can start where all that its consumers may ask for is made again", () => {
  const step = fc.record({ number: fc.nat(4), tasks: fc.integer({ min: 1, max: 5 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const retention = new Retention(plan);
      // A line in which every task takes all that was made, and makes one parcel for each consumer.
      const seqs = [0, 0, 0, 0, 0].map(() => -1);
      for (const { number, tasks } of steps) {
        seqs[number] = (seqs[number] ?? -1) + tasks;
        const seq = seqs[number] ?? -1;
        const producers =
          number < 2 ? [] : number < 4 ? [seqs[0] ?? -1, seqs[1] ?? -1] : [seqs[2] ?? -1, seqs[3] ?? -1];
        const edge = number < 4 ? 0 : 1;
        const made = number < 2 ? consumed(0, seq, seq) : number < 4 ? consumed(1, seq) : [];
        retention.add(number, seq, { consumed: consumed(edge, ...producers).filter((p) => p.seq >= 0), made });
      }
      for (const [producers, consumers, edge] of [
        [[0, 1], [2, 3], 0],
        [[2, 3], [4], 1],
      ] as const) {
        for (const [from, producer] of producers.entries()) {
          for (const consumer of consumers) {
            const oldest = retention.checkpoints(consumer)[0];
            const after = oldest?.consumed.find((p) => p.edge === edge && p.other === from)?.seq ?? -1;
            const start = retention.checkpoints(producer)[0];
            const made = start?.made.find((p) => p.edge === edge)?.seq ?? -1;
            assert.ok(
              made <= after,
              `channel ${producer} starts behind ${made}, channel ${consumer} wants what follows ${after}`,
            );
          }
        }
      }
    }),
    { numRuns: 300 },
  );
});

const all = { consumed: [], made: [] };
const since = (base: number, previous: number): CheckpointHead => ({ ...all, changes: { base, previous } });
const seqsOf = (retention: Retention, number: number): number[] => retention.checkpoints(number).map(({ seq }) => seq);

test("what a checkpoint with changes stands on is kept, and one before it that has nothing to do with it", () => {
  const retention = new Retention(plan);
  assert.equal(retention.add(4, 10, all), []);
  assert.equal(retention.add(4, 20, since(10, 10)), []);
  assert.equal(retention.add(4, 30, since(10, 20)), []);
  assert.equal(seqsOf(retention, 4), [-1, 10, 20, 30]);
  // From here on the log isn't needed before 30; what that stands on is.
  assert.equal(retention.add(4, 40, all), [freed(4, 30, 10)]);
  assert.equal(seqsOf(retention, 4), [30, 40]);
  assert.ok(retention.has(4, 10) && retention.has(4, 20));
  assert.equal(retention.add(4, 50, since(40, 40)), []);
  assert.equal(retention.add(4, 60, all), [freed(4, 50, 40)]);
  assert.equal(retention.add(4, 70, all), [freed(4, 60)]);
});

test("with a damaged checkpoint those that stand on it are forgotten, and no more are added", () => {
  const retention = new Retention(plan);
  for (const [seq, head] of [
    [10, all],
    [20, all],
    [30, since(20, 20)],
    [40, since(20, 30)],
  ] as const) {
    retention.add(4, seq, head);
  }
  assert.equal(seqsOf(retention, 4), [10, 20, 30, 40]);
  retention.forget(4, 30);
  assert.equal(seqsOf(retention, 4), [10, 20]);
  assert.is(retention.membersOf(4, since(20, 40)), undefined);
  assert.equal(retention.add(4, 50, since(20, 40)), []);
  assert.equal(seqsOf(retention, 4), [10, 20]);
  assert.is(retention.membersOf(4, since(10, 20)), undefined, "of another base");
  assert.is(retention.membersOf(4, since(-1, -1)), undefined, "on no checkpoint");
  assert.equal(retention.add(4, 50, all), [freed(4, 20)]);
});

test("of what an earlier process saved, only that counts which the log reaches back to", () => {
  const retention = new Retention(plan);
  for (const [seq, head] of [
    [10, all],
    [20, since(10, 10)],
    [30, since(10, 20)],
    [40, since(35, 35)],
  ] as const) {
    retention.find(4, seq, head);
  }
  assert.equal(seqsOf(retention, 4), [-1, 10, 20, 30]);
  retention.cutLog(4, 21);
  assert.equal(seqsOf(retention, 4), [20, 30]);
  retention.cutLog(4, 31);
  assert.equal(retention.checkpoints(4), [{ seq: 30, members: [10, 20], ...all }]);
  retention.forget(4, 10);
  assert.equal(retention.checkpoints(4), []);
});

test("whatever is damaged of a channel that nobody reads from, another checkpoint is left", () => {
  const step = fc.record({ whole: fc.boolean(), tasks: fc.integer({ min: 1, max: 3 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), fc.nat(), (steps, damaged) => {
      const retention = new Retention(plan);
      const stored = new Set<number>();
      let [seq, base, previous] = [-1, -1, -1];
      for (const { whole, tasks } of steps) {
        seq += tasks;
        if (whole || previous < 0) base = seq;
        const known = retention.add(4, seq, base === seq ? all : since(base, previous));
        stored.add(seq);
        previous = seq;
        for (const { checkpointsBefore } of known) {
          for (const one of stored) if (one < checkpointsBefore) stored.delete(one);
        }
        for (const { seq: kept, members } of retention.checkpoints(4)) {
          for (const one of [...members, kept]) assert.ok(one < 0 || stored.has(one), `${kept} stands on ${one}`);
        }
      }
      const seqs = [...stored];
      retention.forget(4, seqs[damaged % Math.max(1, seqs.length)] ?? 0);
      assert.ok(retention.checkpoints(4).length > 0);
    }),
    { numRuns: 300 },
  );
});

test("a checkpoint's bytes give back head and state, and short ones are refused", () => {
  const head = { consumed: consumed(3, 7, 9), made: consumed(4, 1), changes: undefined };
  const write = (room: number): Uint8Array => Uint8Array.of(...new Uint8Array(room), 1, 2, 3);
  const bytes = packCheckpoint(head, write);
  const unpacked = unpackCheckpoint(bytes);
  assert.equal(unpacked.head, head);
  assert.equal([...unpacked.state], [1, 2, 3]);
  const changes = { base: 7, previous: 9 };
  assert.equal(unpackCheckpoint(packCheckpoint({ ...head, changes }, write)).head, { ...head, changes });
  assert.throws(() => unpackCheckpoint(bytes.subarray(0, 8)), /shorter/u);
  assert.throws(() => unpackCheckpoint(new Uint8Array(2)), /shorter/u);
});

test.run();
