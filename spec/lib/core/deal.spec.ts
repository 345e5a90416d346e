import * as fc from "fast-check";
import * as assert from "uvu/assert";
import type { Deal } from "../../../lib/core/contracts/operator.ts";
import { dealState, dealTimers } from "../../../lib/core/deal.ts";
import { channelOfHash, hashKey } from "../../../lib/core/key.ts";
import { dealStates } from "../../../lib/testing/index.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("dealing states");

interface State {
  readonly keys: readonly number[];
  readonly rest: readonly string[];
}

/** States of keys, and of what belongs to none. */
const definition = {
  kind: "kept",
  deal: (states: readonly State[], { takes, takesRest }: Deal): State => ({
    keys: states.flatMap(({ keys }) => keys.filter((key) => takes(key))),
    rest: takesRest ? states.flatMap(({ rest }) => rest) : [],
  }),
};

const keys = Array.from({ length: 3000 }, (_, key) => key);
const channelOf = (key: number, channels: number): number => channelOfHash(hashKey(key), channels);

function statesOf(channels: number): State[] {
  return Array.from({ length: channels }, (_, channel) => ({
    keys: keys.filter((key) => channelOf(key, channels) === channel),
    rest: [`of ${channel}`],
  }));
}

const counts = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(100, 1024));

test("each key comes to the channel where hash sends it, and what has no key to one channel", async () => {
  await fc.assert(
    fc.asyncProperty(counts, counts, async (before, channels) => {
      const dealt = await dealStates(definition, statesOf(before), channels);
      for (const [channel, state] of dealt.entries()) {
        const wanted = keys.filter((key) => channelOf(key, channels) === channel);
        assert.equal(
          (state?.keys ?? []).toSorted((a, b) => a - b),
          wanted,
        );
      }
      const rest = dealt.flatMap((state) => state?.rest ?? []);
      assert.equal(
        rest,
        statesOf(before).flatMap((state) => state.rest),
      );
    }),
    { numRuns: 25 },
  );
});

test("only the states are loaded of which the channel takes a part", async () => {
  const loaded: number[] = [];
  const states = statesOf(8);
  const load = (channel: number): State => {
    loaded.push(channel);
    return states[channel] as State;
  };
  await dealState(definition, load, { before: 8, channels: 4, channel: 1 });
  assert.equal(loaded, [2, 3]);
});

test("more channels than key groups: those without any begin with no state", async () => {
  const dealt = await dealStates(definition, statesOf(2), 1500);
  assert.is(dealt.filter((state) => (state?.keys.length ?? 0) > 0).length > 900, true);
  assert.ok(dealt.includes(undefined));
});

test("states whose keys came by something else than hash are refused", async () => {
  const byRemainder = [0, 1].map((channel) => ({ keys: keys.filter((key) => key % 2 === channel), rest: [] }));
  const refused = await failure(() => dealStates(definition, byRemainder, 3), "UNSUPPORTED");
  assert.match(refused.message, /channel \d of 2 of kept holds keys that hash\(\) would have sent to another one/);
});

test("each timer that is named by a key goes with it, others where a part of their state goes, each name once", () => {
  const dealTimer = (name: string, { takes }: Deal): boolean => name === "flush" || takes(Number(name));
  const timersOf = (from: number): (readonly [string, number])[] => [
    ["flush", 100 - from],
    ...keys.flatMap((key) => (channelOf(key, 3) === from ? [[String(key), key] as const] : [])),
  ];
  const timers = new Map([0, 1, 2].map((from) => [from, timersOf(from)]));
  // Of three channels two: the one in the middle goes to both.
  for (const channel of [0, 1]) {
    const shared = new Map([...timers].filter(([from]) => from !== 2 - 2 * channel));
    const dealt = dealTimers({ kind: "kept", dealTimer }, shared, { before: 3, channels: 2, channel });
    const wanted = keys.filter((key) => channelOf(key, 2) === channel);
    const byKey = dealt.filter(([name]) => name !== "flush");
    assert.equal(
      byKey,
      wanted.map((key) => [String(key), key]),
    );
    assert.equal(
      dealt.find(([name]) => name === "flush"),
      ["flush", channel === 0 ? 99 : 98],
    );
  }
});

test("timers of an operator that doesn't say where they go are refused, if there are any", async () => {
  const dealing = { before: 1, channels: 2, channel: 0 };
  assert.equal(dealTimers({ kind: "other" }, new Map([[0, []]]), dealing), []);
  const refused = await failure(
    () => dealTimers({ kind: "other" }, new Map([[0, [["x", 1]]]]), dealing),
    "UNSUPPORTED",
  );
  assert.match(refused.message, /timers of other are pending, "x" for one, .*dealTimer/);
});

test("an operator that doesn't say how is refused", async () => {
  const refused = await failure(() => dealStates({ kind: "other" }, [1, 2], 3), "UNSUPPORTED");
  assert.match(refused.message, /the state of other can't be dealt/);
});

test.run();
