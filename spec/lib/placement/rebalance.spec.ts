import fc from "fast-check";
import * as assert from "uvu/assert";
import { imbalanceOf, planRebalance, type RebalanceInput } from "../../../lib/placement/index.ts";
import { suite } from "../../kit/suite.ts";
import { planOf, slotsOf } from "./plans.ts";

const test = suite("rebalancing");

function inputOf(parts: Partial<RebalanceInput> & Pick<RebalanceInput, "plan" | "slots" | "channels">): RebalanceInput {
  return { client: "client", busy: parts.channels.map(() => 0), done: () => false, sizes: undefined, ...parts };
}

const at = (slots: string): { readonly slot: string }[] => slots.split(" ").map((slot) => ({ slot }));

test("a machine that came takes its share, and what parcels are passed between stays together", () => {
  const channels = 4;
  const plan = planOf([{ channels }, { channels }], [{ from: 0, to: 1, kind: "pass-through" }]);
  const input = inputOf({ plan, slots: slotsOf([2, 2]), channels: at("a0 a1 a0 a1 a0 a1 a0 a1") });
  assert.is(imbalanceOf(input), 2);
  const moves = planRebalance(input);
  const after = input.channels.map(({ slot }) => slot);
  for (const { number, from, to } of moves) {
    assert.is(after[number], from);
    after[number] = to;
  }
  assert.is(moves.length, 4);
  assert.is(imbalanceOf({ ...input, channels: after.map((slot) => ({ slot })) }), 1);
  for (let index = 0; index < channels; index++) assert.is(after[index], after[channels + index]);
  // Nothing is to be gained any more.
  assert.equal(planRebalance({ ...input, channels: after.map((slot) => ({ slot })) }), []);
});

test("what is busy weighs more, and what is done doesn't move", () => {
  const plan = planOf([{ channels: 4 }], []);
  const slots = slotsOf([1, 1]);
  const input = inputOf({ plan, slots, channels: at("a0 a0 a0 b0"), busy: [100, 1, 1, 100] });
  const [move, ...others] = planRebalance(input);
  assert.equal(others, []);
  assert.ok(move === undefined || (move.to === "b0" && move.number !== 0), JSON.stringify(move));
  assert.equal(planRebalance({ ...input, channels: at("a0 a0 a0 a0"), done: (number) => number > 0 }), []);
});

test("channels go only where their strategy lets them", () => {
  const plan = planOf(
    [
      { channels: 4, placement: { kind: "tagged", tag: "gpu", channels: 2 } },
      { channels: 2, placement: { kind: "client" } },
      { channels: 2, placement: { kind: "apart", from: [], by: "machine", channels: 2 } },
    ],
    [],
  );
  const slots = slotsOf([1, 1, 1], [["gpu"], [], ["gpu"]]);
  const moves = planRebalance(inputOf({ plan, slots, channels: at("a0 a0 a0 a0 client client a0 b0") }));
  assert.ok(moves.length > 0);
  assert.ok(
    moves.every(({ number, to }) => number < 4 && to === "c0"),
    JSON.stringify(moves),
  );
});

test("whatever is where, moves make the load more even, and a second look finds nothing more", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(5), { minLength: 1, maxLength: 24 }),
      fc.array(fc.nat(100), { minLength: 24, maxLength: 24 }),
      (places, busy) => {
        const slots = slotsOf([2, 2, 2]);
        const channels = places.map((place) => ({ slot: slots[place]?.id ?? "" }));
        const plan = planOf(
          [{ channels: channels.length, placement: { kind: "spread", channels: channels.length } }],
          [],
        );
        const input = inputOf({ plan, slots, channels, busy: busy.slice(0, channels.length) });
        const moves = planRebalance(input);
        const after = channels.map(({ slot }, number) => ({
          slot: moves.find((move) => move.number === number)?.to ?? slot,
        }));
        const before = imbalanceOf(input);
        assert.ok(imbalanceOf({ ...input, channels: after }) <= before + 1e-9);
        // Each of them moves once at most.
        assert.is(new Set(moves.map(({ number }) => number)).size, moves.length);
        assert.ok(moves.every(({ from, to }) => from !== to));
      },
    ),
    { numRuns: 200 },
  );
});

test.run();
