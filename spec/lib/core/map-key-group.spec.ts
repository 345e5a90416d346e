import * as fc from "fast-check";
import * as assert from "uvu/assert";
import type { Key } from "../../../lib/core/contracts/partition.ts";
import { channelOfGroup, channelOfHash, groupOfHash, hashKey, mapKey } from "../../../lib/core/key.ts";
import { groupOfMapKey } from "../../../lib/core/map-key-group.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("key groups of map keys");
const key: fc.Arbitrary<Key> = fc.letrec<{ key: Key }>((tie) => ({
  key: fc.oneof(
    { depthSize: "small" },
    fc.string({ unit: "binary" }),
    fc.double(),
    fc.integer(),
    fc.bigInt(),
    fc.boolean(),
    fc.constantFrom(null, undefined, "\u0000", "\u0001a", "", "\u0001", -0, 2n ** 63n, 2n ** 63n + 1n),
    fc.date(),
    fc.uint8Array({ maxLength: 9 }),
    fc.array(tie("key"), { maxLength: 3 }),
  ),
})).key;

test("what stands for a key in a Map has the key's group", () => {
  fc.assert(
    fc.property(key, (each) => {
      assert.is(groupOfMapKey(mapKey(each)), groupOfHash(hashKey(each)));
    }),
    { numRuns: 2000 },
  );
});

test("a group's channel is that of its hashes", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 1, max: 1024 }), (hash, channels) => {
      assert.is(channelOfGroup(groupOfHash(hash), channels), channelOfHash(hash, channels));
    }),
  );
});

test.run();
