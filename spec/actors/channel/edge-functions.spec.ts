import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { emptyMetrics } from "../../../actors/channel/channel-metrics.ts";
import type { OutgoingEdge } from "../../../actors/channel/edge-functions.ts";
import { OutgoingLink } from "../../../actors/channel/outgoing-link.ts";
import { Outputs } from "../../../actors/channel/outputs.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import { channelOfHash, hashKey } from "../../../lib/core/key.ts";
import { mapping } from "../../../lib/flow/functions.ts";
import { hash } from "../../../lib/partition/index.ts";
import { testContext } from "../../../lib/testing/index.ts";
import { suite } from "../../kit/suite.ts";

// A map right before a hash by name is run by the router's own loop, if the task has enough objects.
const test = suite("edge functions that are routed in one pass");

interface Keyed {
  readonly k: string | number | null;
  readonly n: number;
}

function route(objects: readonly unknown[], make: (object: never) => unknown, channels: number): unknown[][] {
  const edge: OutgoingEdge = {
    index: 0,
    port: "out",
    before: { id: "make", kind: "map", previous: undefined, apply: mapping("make", make) },
    router: hash<Keyed>("k").router({ from: 0, producers: 1, channels }),
    links: Array.from({ length: channels }, (_, to) => {
      const target = { local: true, slot: "here", parcel: () => {}, end: () => {} };
      return new OutgoingLink(0, to, { objects: 1000, bytes: 1 << 20 }, target, undefined);
    }),
  };
  const outputs = new Outputs([edge], emptyMetrics());
  const made = outputs.applyFunctions("out", objects, testContext());
  const routed: unknown[][] = Array.from({ length: channels }, () => []);
  for (const { link, parcel } of outputs.route(made, { seq: 3, random: () => 0 })) {
    routed[link.to] = "objects" in parcel.content ? [...parcel.content.objects] : [];
  }
  return routed;
}

function thrown(run: () => unknown): QStreamError {
  try {
    run();
  } catch (error) {
    if (error instanceof QStreamError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

const many = Array.from({ length: 100 }, (_, n) => n);

test("objects go where their keys' hashes say, in their order, whatever the keys are", () => {
  const key = fc.oneof(fc.integer(), fc.nat(5000), fc.string(), fc.double(), fc.constant(null));
  fc.assert(
    fc.property(fc.array(key, { minLength: 60, maxLength: 200 }), fc.integer({ min: 2, max: 70 }), (keys, channels) => {
      const expected: Keyed[][] = Array.from({ length: channels }, () => []);
      keys.forEach((k, n) => expected[channelOfHash(hashKey(k), channels)]?.push({ k, n }));
      const numbers = keys.map((_, n) => n);
      assert.equal(
        route(numbers, (n: number) => ({ k: keys[n], n }), channels),
        expected,
      );
    }),
    { numRuns: 100 },
  );
});

test("the function is called once for each object, in order", () => {
  const seen: number[] = [];
  route(many, (n: number) => ({ k: seen.push(n), n }), 3);
  assert.equal(seen, many);
});

test("a function that throws is named, at the first object and later", () => {
  for (const bad of [0, 77]) {
    const error = thrown(() =>
      route(
        many,
        (n: number) => {
          if (n === bad) throw new RangeError("out of leaves");
          return { k: n, n };
        },
        2,
      ),
    );
    assert.is(error.code, "STEP_FAILED");
    assert.is(error.message, 'map "make" threw: out of leaves');
    assert.instance(error.cause, RangeError);
  }
});

test("a promise is refused, and an object without the key", () => {
  assert.match(thrown(() => route(many, async () => ({ k: 1 }), 2)).message, "got a promise");
  const error = thrown(() => route(many, (n: number) => (n === 80 ? { n } : { k: n, n }), 2));
  assert.is(error.code, "BAD_INPUT");
  assert.is(error.place.column, "k");
});

test.run();
