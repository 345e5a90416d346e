import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { packCheckpoint, unpackCheckpoint } from "../../../actors/lineage/checkpoint-bytes.ts";
import { Retention } from "../../../actors/lineage/retention.ts";
import { lineOf } from "../../kit/plans.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("what can be freed");

// Channels by number: reader 0, 1; operator 2, 3; sink 4.
const plan = lineOf([2, 2, 1]);
const consumed = (edge: number, ...seqs: readonly number[]): { edge: number; other: number; seq: number }[] =>
  seqs.map((seq, other) => ({ edge, other, seq }));

test("nothing is freed before every consumer has two checkpoints that cover it", () => {
  const retention = new Retention(plan);
  assert.equal(retention.add(0, { seq: 10, consumed: [], made: [...consumed(0, 10, 10)] }), []);
  assert.equal(retention.add(0, { seq: 20, consumed: [], made: [...consumed(0, 20, 20)] }), []);
  assert.equal(retention.add(2, { seq: 5, consumed: consumed(0, 20, 20), made: [] }), []);
  assert.equal(retention.add(2, { seq: 9, consumed: consumed(0, 25, 25), made: [] }), [{ number: 2, before: 5 }]);
  // The other consumer may still ask for everything.
  assert.equal(retention.checkpoints(0).length, 3);
  assert.equal(retention.add(3, { seq: 5, consumed: consumed(0, 21, 21), made: [] }), []);
  assert.equal(retention.add(3, { seq: 7, consumed: consumed(0, 22, 22), made: [] }), [
    { number: 3, before: 5 },
    { number: 0, before: 10 },
  ]);
  assert.equal(
    retention.checkpoints(0).map(({ seq }) => seq),
    [10, 20],
  );
});

test("what a consumer without checkpoints takes is kept from the start", () => {
  const retention = new Retention(plan);
  for (const seq of [5, 10, 15]) {
    const made = consumed(1, seq);
    assert.equal(retention.add(2, { seq, consumed: consumed(0, seq, seq), made }), []);
  }
  assert.equal(retention.checkpoints(2).length, 4);
});

test("a damaged checkpoint is forgotten, and the one before it is there", () => {
  const retention = new Retention(plan);
  for (const seq of [5, 10, 15]) retention.add(2, { seq, consumed: consumed(0, seq, seq), made: [] });
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
        retention.add(number, { seq, consumed: consumed(edge, ...producers).filter((p) => p.seq >= 0), made });
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

test("a checkpoint's bytes give back positions and state, and short ones are refused", () => {
  const positions = { consumed: consumed(3, 7, 9), made: consumed(4, 1) };
  const bytes = packCheckpoint(positions, Uint8Array.of(1, 2, 3));
  const unpacked = unpackCheckpoint(bytes);
  assert.equal(unpacked.positions, positions);
  assert.equal([...unpacked.state], [1, 2, 3]);
  assert.throws(() => unpackCheckpoint(bytes.subarray(0, 8)), /shorter/u);
  assert.throws(() => unpackCheckpoint(new Uint8Array(2)), /shorter/u);
});

test.run();
