// What of a loop's channels is kept: checkpoints that fit together, and older ones that do, in case one is damaged.
import * as assert from "uvu/assert";
import { Retention } from "../../../actors/lineage/retention.ts";
import type { CheckpointHead } from "../../../lib/core/contracts/lineage.ts";
import { planOf } from "../../kit/plans.ts";
import { loopAt } from "../../kit/loop-plans.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("freeing what a loop has logged");
const plan = loopAt(planOf([{ id: "loop", channels: 2 }], []), 0);

/** Where both links of the feedback edge stood, in and out. */
function at(consumed: number, made: number): CheckpointHead {
  const positions = (seq: number): CheckpointHead["made"] => [0, 1].map((other) => ({ edge: 0, other, seq }));
  return { consumed: positions(consumed), made: positions(made) };
}

test("nothing is freed before there are two lines of checkpoints that fit together", () => {
  const retention = new Retention(plan);
  assert.equal(retention.add(0, 10, at(8, 8)), []);
  assert.equal(retention.add(1, 11, at(8, 8)), []);
  assert.equal(retention.add(0, 20, at(18, 18)), []);
  const freed = retention.add(1, 21, at(18, 18));
  assert.equal(
    freed.map(({ number, recordsThrough }) => [number, recordsThrough]),
    [
      [0, 10],
      [1, 11],
    ],
  );
});

test("checkpoints that don't fit together free nothing, however many there are", () => {
  const retention = new Retention(plan);
  for (let seq = 10; seq < 100; seq += 10) {
    // Each has sent more than the other one has taken.
    assert.equal(retention.add(0, seq, at(seq - 5, seq)), []);
    assert.equal(retention.add(1, seq, at(seq - 5, seq)), []);
  }
});

test("with a damaged checkpoint, the line before is there", () => {
  const retention = new Retention(plan);
  for (const [seq, through] of [
    [10, 8],
    [20, 18],
    [30, 28],
  ] as const) {
    retention.add(0, seq, at(through, through));
    retention.add(1, seq, at(through, through));
  }
  retention.forget(0, 30);
  assert.equal(
    [0, 1].map((number) => retention.checkpoints(number).map(({ seq }) => seq)),
    [[20], [20, 30]],
  );
});

test("how much is looked at grows with the links of a loop, not with more", () => {
  const looks = [8, 32].map((channels) => lookedAt(channels) / channels ** 3);
  // Each of its channels saves, and each time all links may be looked at.
  assert.ok((looks[1] ?? 0) < 2 * (looks[0] ?? 0), `${looks.join(" and ")} a link and checkpoint`);
});

test.run();

/** How often positions of links are read while the channels of a reader, a loop and what is behind it save their states. */
function lookedAt(channels: number): number {
  const [source, loop, out] = [0, 1, 2];
  const steps = ["source", "loop", "out"].map((id) => ({ id, channels }));
  const edges = [
    { from: source, to: loop },
    { from: loop, to: out },
  ];
  const wide = loopAt(planOf(steps, edges), loop);
  const retention = new Retention(wide);
  let reads = 0;
  const positions = (edge: number, seq: number) =>
    Array.from({ length: channels }, (_, other) => ({ edge, other, seq }));
  const counted = (list: CheckpointHead["made"]): CheckpointHead["made"] =>
    new Proxy(list, {
      get(target, key, receiver): unknown {
        reads++;
        return Reflect.get(target, key, receiver);
      },
    });
  let freed = 0;
  for (let round = 1; round <= 4; round++) {
    const seq = round * 10;
    for (const [step, from, to] of [
      [source, [], [0]],
      [loop, [0, 2], [1, 2]],
      [out, [1], []],
    ] as const) {
      for (let channel = 0; channel < channels; channel++) {
        const consumed = counted(from.flatMap((edge) => positions(edge, seq - 2)));
        const made = counted(to.flatMap((edge) => positions(edge, seq - 2)));
        freed += retention.add(step * channels + channel, seq, { consumed, made }).length;
      }
    }
  }
  assert.ok(freed > 3 * channels, `${freed} times something was freed`);
  return reads;
}
