import * as fc from "fast-check";
import * as assert from "uvu/assert";
import type { Key } from "../../../lib/core/contracts/partition.ts";
import { hashBytes, hashFloat64, hashInt64, hashString } from "../../../lib/core/hash.ts";
import { channelOfHash, groupOfHash, hashKey, keyFunction, keyGroups, mapKey } from "../../../lib/core/key.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("keys");
const key: fc.Arbitrary<Key> = fc.letrec<{ key: Key }>((tie) => ({
  key: fc.oneof(
    { depthSize: "small" },
    fc.string({ unit: "binary" }),
    fc.double(),
    fc.integer(),
    fc.bigInt(),
    fc.boolean(),
    fc.constantFrom(null, undefined, "\u0000", "\u0001a", ""),
    fc.date(),
    fc.uint8Array({ maxLength: 9 }),
    fc.array(tie("key"), { maxLength: 3 }),
  ),
})).key;

test("integers hash by their int64 value in every representation", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
      const expected = hashInt64(Number(BigInt.asIntN(32, value)), Number(value >> 32n));
      assert.is(hashKey(value), expected);
      assert.is(hashInt64(Number(BigInt.asUintN(32, value)), Number(BigInt.asUintN(32, value >> 32n))), expected);
      const number = Number(value);
      if (BigInt(number) === value) assert.is(hashKey(number), expected);
    }),
  );
  for (const value of [0, 5, -1, 2 ** 31, -(2 ** 31), 2 ** 53, -(2 ** 53), 2 ** 62, -(2 ** 63), 2 ** 63, 1e300]) {
    assert.is(hashKey(value), hashKey(BigInt(value)), String(value));
    assert.is(mapKey(value), mapKey(BigInt(value)), String(value));
  }
  assert.is.not(hashKey(2 ** 60), hashKey(2n ** 60n + 1n));
});

test("-0 is 0, every NaN is one key, and fractions differ from whole numbers", () => {
  assert.is(hashKey(-0), hashKey(0));
  const [otherNaN = 0] = new Float64Array(new Uint32Array([1, 0xfff80000]).buffer);
  assert.is(hashFloat64(otherNaN), hashKey(Number.NaN));
  assert.is.not(hashKey(1.5), hashKey(1));
  assert.is.not(hashKey(Number.POSITIVE_INFINITY), hashKey(Number.NEGATIVE_INFINITY));
});

test("strings hash like their UTF-8 bytes, lone surrogates as U+FFFD", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: "binary" }),
        fc.string(),
        fc.array(fc.integer({ min: 0, max: 0xffff })).map((codes) => String.fromCharCode(...codes)),
      ),
      (text) => {
        const bytes = new TextEncoder().encode(text);
        const within = new Uint8Array(bytes.length + 3);
        within.set(bytes, 3);
        assert.is(hashString(text), hashBytes(bytes, 0, bytes.length));
        assert.is(hashString(text), hashBytes(within, 3, within.length));
        assert.is(hashKey(text), hashKey(bytes));
      },
    ),
    { numRuns: 500 },
  );
});

test("a date is its milliseconds, and an array of one key is that key", () => {
  assert.is(hashKey(new Date(1234)), hashKey(1234));
  assert.is(mapKey(new Date(1234)), 1234);
  assert.is(hashKey(["a"]), hashKey("a"));
  assert.is(mapKey(["a"]), "a");
  assert.is(hashKey(null), hashKey(undefined));
  assert.is.not(hashKey(["a", "b"]), hashKey(["b", "a"]));
});

test("equal keys give the same map key and hash, and different ones never the same map key", () => {
  fc.assert(
    fc.property(fc.array(key, { minLength: 2, maxLength: 12 }), (keys) => {
      for (const one of keys) {
        const copy = structuredClone(one);
        assert.ok(Object.is(mapKey(one), mapKey(copy)) || mapKey(one) === mapKey(copy));
        for (const other of keys) {
          const same = new Set([mapKey(one), mapKey(other)]).size === 1;
          assert.is(same, plainText(one) === plainText(other));
          if (same) assert.is(hashKey(one), hashKey(other));
        }
      }
    }),
    { numRuns: 200 },
  );
});

/** The oracle: one text a key, slow and plain. */
function plainText(value: Key): string {
  if (Array.isArray(value)) {
    const keys = value as readonly Key[];
    return keys.length === 1 ? plainText(keys[0]) : JSON.stringify(keys.map(plainText));
  }
  if (value instanceof Date) return plainText(value.getTime());
  if (value instanceof Uint8Array) return `bytes ${[...value].join()}`;
  if (typeof value === "bigint") return `number ${value}`;
  if (typeof value === "number") return `number ${Number.isInteger(value) ? BigInt(value) : value}`;
  return typeof value === "string" ? `string ${JSON.stringify(value)}` : String(value);
}

test("map keys of strings never look like those of arrays", () => {
  const composite = mapKey(["a", "b"]);
  assert.is.not(mapKey(composite), composite);
  assert.is(mapKey(5n), 5);
  assert.is(mapKey("plain"), "plain");
});

test("hashes spread over key groups and channels", () => {
  const counts = new Uint32Array(7);
  const groups = new Set<number>();
  for (let index = 0; index < 70_000; index += 1) {
    const hash = hashKey(index % 2 === 0 ? index : `key ${index}`);
    groups.add(groupOfHash(hash));
    const channel = channelOfHash(hash, 7);
    counts[channel] = (counts[channel] ?? 0) + 1;
  }
  assert.is(groups.size, keyGroups);
  for (const count of counts) assert.ok(count > 9_000 && count < 11_000, String(count));
  for (let group = 0; group < keyGroups; group += 1) assert.is(channelOfHash((group << 22) >>> 0, keyGroups), group);
});

test("key functions take one property, several, or what a function says", () => {
  const object = { origin: "SFO", day: 3, __proto__: null };
  assert.is(keyFunction<typeof object>("origin")(object), "SFO");
  assert.equal(keyFunction<typeof object>(["origin", "day"])(object), ["SFO", 3]);
  assert.is(keyFunction<typeof object>(["day"])(object), 3);
  assert.is(keyFunction<typeof object>((given) => given.day)(object), 3);
  assert.is(keyFunction<Record<string, string>>(`a"b\n`)({ [`a"b\n`]: "odd" }), "odd");
  assert.throws(() => keyFunction([]), /at least one/);
  assert.throws(() => hashKey({} as unknown as Key), /can't be of type Object/);
});

test("a name that an object lacks is an error that lists its names; what is there and holds nothing is a key", async () => {
  const object = { a: undefined, b: null, c: 1 };
  assert.is(keyFunction<object>("a")(object), undefined);
  assert.equal(keyFunction<object>(["a", "b"])(object), [undefined, null]);
  assert.is(
    keyFunction<object>("size")(
      new (class {
        get size(): undefined {
          return undefined;
        }
      })(),
    ),
    undefined,
  );
  for (const selector of ["nope", ["c", "nope"]]) {
    const error = await failure(() => keyFunction<object>(selector)(object), "BAD_INPUT", { column: "nope" });
    assert.match(error.message, 'It has "a", "b", "c"');
    assert.match(error.message, '(object) => object["nope"]');
  }
  assert.match((await failure(() => keyFunction<number>("nope")(7), "BAD_INPUT")).message, "of type number");
  const many = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`n${index}`, index]));
  assert.match((await failure(() => keyFunction<object>("nope")(many), "BAD_INPUT")).message, "and 10 more");
  assert.is(keyFunction<string>("length")("four"), 4);
  assert.equal(keyFunction<object>(["c", "nope"], { optional: true })(object), [1, undefined]);
});

test.run();
