import fc from "fast-check";
import * as assert from "uvu/assert";
import { edgeSizes, placeAgain, placePlan } from "../../../lib/placement/index.ts";
import type { Plan } from "../../../lib/core/plan.ts";
import type { SlotPlace } from "../../../lib/core/placement-strategy.ts";
import { suite } from "../../kit/suite.ts";
import { bytesBetween, planOf, slotsOf } from "./plans.ts";

const test = suite("placement by measured sizes");

interface Case {
  readonly plan: Plan;
  readonly sizes: readonly number[];
  readonly slots: readonly SlotPlace[];
}

/** Small enough that all placements can be tried. */
const cases = fc
  .record({
    channels: fc.array(fc.integer({ min: 1, max: 2 }), { minLength: 2, maxLength: 4 }),
    machines: fc.array(fc.integer({ min: 1, max: 2 }), { minLength: 2, maxLength: 2 }),
    wires: fc.array(fc.record({ from: fc.nat(3), to: fc.nat(3), bytes: fc.integer({ min: 1, max: 1000 }) }), {
      minLength: 1,
      maxLength: 5,
    }),
  })
  .map(({ channels, machines, wires }): Case => {
    const edges = wires
      .map(({ from, to, bytes }) => ({ from: Math.min(from, to), to: Math.max(from, to), bytes }))
      .filter(({ from, to }) => from < to && to < channels.length);
    return {
      plan: planOf(
        channels.map((count) => ({ channels: count })),
        edges,
      ),
      sizes: edges.map(({ bytes }) => bytes),
      slots: slotsOf(machines),
    };
  });

function placedBy({ plan, sizes, slots }: Case, measured: boolean): string[][] {
  let next = 0;
  return placePlan(plan, { slots, client: "client", turn: () => next++, sizes: measured ? sizes : undefined });
}

/** The least bytes of any placement without more channels on a slot than an even deal brings. */
function leastBytes({ plan, sizes, slots }: Case, fixed: ReadonlyMap<number, string> = new Map()): number {
  const stepOf = plan.steps.flatMap(({ channels }, step) => new Array<number>(channels).fill(step));
  const loadMax = Math.ceil(stepOf.length / slots.length);
  const placed: string[][] = plan.steps.map(() => []);
  const counts = new Map<string, number>();
  const count = (step: number, slot: string, by: number): void => {
    for (const key of [slot, `${slot} ${step}`]) counts.set(key, (counts.get(key) ?? 0) + by);
  };
  for (const [number, slot] of fixed) count(stepOf[number] ?? 0, slot, 1);
  let least = Infinity;
  const place = (number: number): void => {
    if (number === stepOf.length) {
      least = Math.min(least, bytesBetween(plan, sizes, placed, slots));
      return;
    }
    const step = stepOf[number] ?? 0;
    const ofStepMax = Math.ceil((plan.steps[step]?.channels ?? 0) / slots.length);
    const given = fixed.get(number);
    for (const { id } of slots) {
      const hasRoom = (counts.get(id) ?? 0) < loadMax && (counts.get(`${id} ${step}`) ?? 0) < ofStepMax;
      if (given === undefined ? !hasRoom : given !== id) continue;
      placed[step]?.push(id);
      if (given === undefined) count(step, id, 1);
      place(number + 1);
      if (given === undefined) count(step, id, -1);
      placed[step]?.pop();
    }
  };
  place(0);
  return least;
}

test("never more bytes between machines than when channels are dealt in order, and no slot has too many", () => {
  fc.assert(
    fc.property(cases, (one) => {
      const placed = placedBy(one, true);
      const dealt = bytesBetween(one.plan, one.sizes, placedBy(one, false), one.slots);
      const found = bytesBetween(one.plan, one.sizes, placed, one.slots);
      assert.ok(found <= dealt + 1e-6, `${found} bytes, and ${dealt} where they are dealt in order`);
      assert.equal(
        placed.map(({ length }) => length),
        one.plan.steps.map(({ channels }) => channels),
      );
    }),
    { numRuns: 150 },
  );
});

test("of small flows nearly all are placed as well as can be", () => {
  let [best, sum, least] = [0, 0, 0];
  const some = fc.sample(cases, { numRuns: 150, seed: 7 });
  for (const one of some) {
    const found = bytesBetween(one.plan, one.sizes, placedBy(one, true), one.slots);
    const possible = leastBytes(one);
    if (found <= possible + 1e-6) best++;
    sum += found;
    least += possible;
  }
  assert.ok(best >= 0.95 * some.length, `${best} of ${some.length} as well as can be`);
  assert.ok(sum <= 1.02 * least, `${sum} bytes, and ${least} would do`);
});

test("channels that are lost go where least is exchanged, and the others stay", () => {
  let [best, count] = [0, 0];
  for (const one of fc.sample(cases, { numRuns: 150, seed: 11 })) {
    const { plan, sizes, slots } = one;
    const before = placedBy(one, false).flat();
    const [gone] = slots;
    const left = slots.filter(({ id }) => id !== gone?.id);
    const lost = before.flatMap((slot, number) => (slot === gone?.id ? [number] : []));
    const found = placeAgain({
      plan,
      slots: left,
      client: "client",
      channels: before.map((slot) => ({ slot })),
      lost,
      sizes,
    });
    assert.equal(new Set(found.keys()), new Set(lost));
    const after = before.map((slot, number) => found.get(number) ?? slot);
    let first = 0;
    const placed = plan.steps.map(({ channels }) => after.slice(first, (first += channels)));
    const fixed = new Map(before.flatMap((slot, number) => (found.has(number) ? [] : [[number, slot] as const])));
    const possible = leastBytes({ plan, sizes, slots: left }, fixed);
    // What stayed may leave no room for an even deal.
    if (possible === Infinity) continue;
    count++;
    if (bytesBetween(plan, sizes, placed, left) <= possible + 1e-6) best++;
  }
  assert.ok(count > 50 && best >= 0.95 * count, `${best} of ${count} as well as can be`);
});

test("steps that talk much are on one machine, as far as its slots go", () => {
  const plan = planOf(
    [{ channels: 1 }, { channels: 1 }, { channels: 1 }, { channels: 1 }],
    [
      { from: 0, to: 1 },
      { from: 1, to: 2 },
      { from: 2, to: 3 },
    ],
  );
  const slots = slotsOf([2, 2]);
  const placed = placedBy({ plan, sizes: [1000, 5, 800], slots }, true).map(([slot]) => slot?.[0]);
  assert.is(placed[0], placed[1]);
  assert.is(placed[2], placed[3]);
  assert.is.not(placed[1], placed[2]);
});

test("channels that parcels are passed straight between are lost together, and go together", () => {
  const channels = 4;
  const plan = planOf(
    [{ channels }, { channels }, { channels: 1 }],
    [
      { from: 0, to: 1, kind: "pass-through" },
      { from: 1, to: 2 },
    ],
  );
  const before = ["a0", "a1", "b0", "b1", "a0", "a1", "b0", "b1", "a0"].map((slot) => ({ slot }));
  const slots = slotsOf([2, 2, 2]).filter(({ machine }) => machine !== "b");
  const found = placeAgain({ plan, slots, client: "client", channels: before, lost: [2, 3, 6, 7], sizes: [10, 1] });
  assert.is(found.get(2), found.get(6));
  assert.is(found.get(3), found.get(7));
  // The machine without any channels has room for both.
  assert.equal(new Set([found.get(2), found.get(3)]), new Set(["c0", "c1"]));
});

test("a channel whose slot still lives stays there, and one that somebody chose a slot for goes there", () => {
  const plan = planOf([{ channels: 3 }], []);
  const found = placeAgain({
    plan,
    slots: slotsOf([2, 2]),
    client: "client",
    channels: ["a0", "a1", "gone"].map((slot) => ({ slot })),
    lost: [0, 1, 2],
    chosen: new Map([[1, "b1"]]),
  });
  assert.is(found.get(0), "a0");
  assert.is(found.get(1), "b1");
  assert.ok(found.get(2) === "b0" || found.get(2) === "a1", found.get(2));
});

test("sizes of edges are those of the one side that knows them", () => {
  const plan = planOf(
    [{ channels: 1 }, { channels: 1 }, { channels: 1 }, { channels: 1 }],
    [
      { from: 0, to: 1 },
      { from: 0, to: 2 },
      { from: 1, to: 3 },
      { from: 2, to: 3 },
    ],
  );
  const bytes = [
    { bytesIn: 0, bytesOut: 70 },
    { bytesIn: 50, bytesOut: 9 },
    { bytesIn: 20, bytesOut: 4 },
    { bytesIn: 13, bytesOut: 0 },
  ];
  assert.equal(edgeSizes(plan, bytes), [50, 20, 9, 4]);
  assert.is(edgeSizes(plan, []), undefined);
});

test.run();
