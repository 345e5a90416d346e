import { execFileSync } from "node:child_process";
import { EventEmitter } from "node:events";
import { Readable } from "node:stream";
import { isDeepStrictEqual } from "node:util";
import { runInNewContext } from "node:vm";
import * as fc from "fast-check";
import * as assert from "uvu/assert";
import {
  assertTravels,
  decodeObjects,
  encodeObjects,
  estimateBytes,
  registerCodec,
} from "../../../lib/core/codec/index.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("object codec");
const roundTrip = (objects: readonly unknown[]): unknown[] => decodeObjects(encodeObjects(objects));

function same(objects: readonly unknown[], format?: "columns" | "clone"): void {
  const payload = encodeObjects(objects);
  if (format !== undefined) assert.is(payload.format, format);
  assert.is(payload.rows, objects.length);
  const decoded = decodeObjects(payload);
  if (!isDeepStrictEqual(decoded, [...objects])) assert.equal(decoded, objects);
}

function refused(object: unknown, pattern: RegExp): void {
  for (const act of [() => encodeObjects([object]), () => assertTravels(object)]) {
    assert.throws(
      act,
      (error: unknown) =>
        error instanceof QStreamError && error.code === "CANNOT_TRAVEL" && pattern.test(error.message),
    );
  }
}

test("objects of one shape travel as columns, with every kind of value", () => {
  for (const rows of [1, 2, 300, 1000]) {
    const objects = Array.from({ length: rows }, (_, row) => ({
      id: row,
      value: row / 3,
      minusZero: row % 2 === 0 ? -0 : 0,
      name: `name ${row}`,
      wide: `ñ€😀${row}\ud800`,
      long: "x".repeat(row % 200),
      flag: row % 3 === 0,
      big: BigInt(row) - 5n,
      huge: 2n ** 70n + BigInt(row),
      when: new Date(row * 1e6),
      maybe: row % 4 === 0 ? null : row % 4 === 1 ? undefined : row,
      mixed: [1, "a", true, null, 2n, new Date(0), Buffer.from("b"), { nested: row }][row % 8],
      bytes: new Uint8Array([row, row + 1]),
      floats: Float32Array.of(row, 0.5),
      nested: { a: [row, { b: new Set([row]) }] },
    }));
    same(objects, "columns");
  }
});

test("plain values travel as one column", () => {
  same([], "columns");
  same([1, 2, 3], "columns");
  same([1.5, Number.NaN, -0, Number.POSITIVE_INFINITY], "columns");
  same(["a", "", "\ud800", "z".repeat(1000)], "columns");
  same([1n, -(2n ** 63n), 2n ** 63n], "columns");
  same([null, undefined, true], "columns");
  same([new Uint8Array([1]), new Uint8Array()], "columns");
  same([Buffer.from("x"), new ArrayBuffer(3), new DataView(new ArrayBuffer(2)), new BigInt64Array(2)], "columns");
  same([new Date(5), new Date(-1)], "columns");
  assert.ok(Number.isNaN((roundTrip([new Date(Number.NaN)])[0] as Date).getTime()));
  same([{}, {}], "columns");
  same([new Map([[1, 2]])], "clone");
});

test("byte values come back with their own class and their own bytes", () => {
  const whole = new Uint8Array([1, 2, 3, 4]);
  const [part, buffer, nested] = roundTrip([
    whole.subarray(1, 3),
    Buffer.from("b"),
    { inside: [whole.subarray(2)] },
  ]) as [Uint8Array, Buffer, { inside: [Uint8Array] }];
  assert.equal([...part], [2, 3]);
  assert.is(part.buffer.byteLength, 2);
  assert.ok(Buffer.isBuffer(buffer));
  assert.equal([...nested.inside[0]], [3, 4]);
  assert.is(nested.inside[0].buffer.byteLength, 2);
});

test("what anything is made of travels unchanged, whatever the shapes and batches", () => {
  const value = fc.anything({
    withBigInt: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
    withSparseArray: true,
    withUnicodeString: true,
  });
  const record = fc.record(
    {
      a: fc.oneof(fc.integer(), fc.double()),
      b: fc.string({ unit: "binary" }),
      c: fc.option(fc.date({ noInvalidDate: true })),
      ["__proto__"]: value,
      7: value,
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(value, record), { maxLength: 8 }), (objects) => same(objects)),
    { numRuns: 400 },
  );
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 8 }), (objects) => same(objects)),
    { numRuns: 200 },
  );
});

test("objects of differing shapes, key orders and prototypes keep them", () => {
  same(
    [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
    "clone",
  );
  assert.equal(
    Object.keys(
      roundTrip([
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ])[1] as object,
    ),
    ["b", "a"],
  );
  same([{ a: 1 }, { a: 1, b: 2 }, { a: 3 }], "clone");
  same([{ a: 1 }, 5, null, "x"], "clone");
  same([{ a: 1 }, { a: "x" }, { a: null }], "columns");
  const own = JSON.parse(`{"__proto__": 5, "constructor": 1, "a\\"b": 2}`) as object;
  for (const rows of [1, 600]) {
    const decoded = roundTrip(Array.from({ length: rows }, () => own));
    assert.equal(Object.keys(decoded[rows - 1] as object), ["__proto__", "constructor", 'a"b']);
    assert.is(Object.getPrototypeOf(decoded[rows - 1]), Object.prototype);
  }
  const foreign = runInNewContext("({ list: [1, new Map([[1, 2]])] })") as { list: unknown[] };
  assert.equal(roundTrip([foreign]), [{ list: [1, new Map([[1, 2]])] }]);
});

test("getters are read, sparse arrays stay sparse, wide objects and huge strings pass", () => {
  const getter = {
    get now() {
      return 5;
    },
  };
  assert.equal(roundTrip([getter]), [{ now: 5 }]);
  const sparse: number[] = [];
  sparse[1_000_000] = 1;
  const [decoded] = roundTrip([{ sparse }]) as [{ sparse: number[] }];
  assert.is(decoded.sparse.length, 1_000_001);
  assert.not.ok(0 in decoded.sparse);
  same([Object.fromEntries(Array.from({ length: 1500 }, (_, place) => [`k${place}`, place]))]);
  same([{ text: "ab".repeat(3_000_000) }, { text: "ñ".repeat(100_000) }], "columns");
});

test("cycles and shared objects stay what they are", () => {
  const self: { name: string; self?: unknown; list: unknown[] } = { name: "loop", list: [] };
  self.self = self;
  self.list.push(self);
  const [decoded] = roundTrip([self]) as [typeof self];
  assert.is(decoded.self, decoded);
  assert.is(decoded.list[0], decoded);
  const shared = { x: 1 };
  const [twice] = roundTrip([{ a: shared, b: shared }]) as [{ a: object; b: object }];
  assert.is(twice.a, twice.b);
  const columns = encodeObjects([{ a: { x: 1 }, b: { x: 1 } }]);
  assert.is(columns.format, "columns");
});

class Money {
  readonly cents: number;
  constructor(cents: number) {
    this.cents = cents;
  }
}
class Basket {
  readonly items: ReadonlyMap<string, Money>;
  constructor(items: ReadonlyMap<string, Money>) {
    this.items = items;
  }
}
class Point {
  readonly x: number;
  readonly label: string;
  constructor(x: number, label: string) {
    this.x = x;
    this.label = label;
  }
}
class Loop {
  child: { parent?: Loop } = {};
}
registerCodec(Money, { name: "spec:money", encode: (money) => money.cents, decode: (cents) => new Money(cents) });
registerCodec(Basket, { name: "spec:basket", encode: (basket) => basket.items, decode: (items) => new Basket(items) });
registerCodec(Point, {
  name: "spec:point",
  encode: ({ x, label }) => ({ x, label }),
  decode: ({ x, label }) => new Point(x, label),
});
registerCodec(Loop, {
  name: "spec:loop",
  encode: ({ child }) => ({ child }),
  decode: ({ child }) => Object.assign(new Loop(), { child }),
});

test("objects of registered classes travel at the top and inside of others", () => {
  same(
    Array.from({ length: 400 }, (_, row) => new Point(row, `p${row}`)),
    "columns",
  );
  same([new Money(1), new Money(2)], "columns");
  same([new Money(1), new Point(2, "b"), 3], "clone");
  const money = new Money(7);
  const objects = [
    { a: money, b: [money], c: new Map([["m", new Basket(new Map([["x", money]]))]]), d: new Set([money]) },
  ];
  same(objects);
  const [decoded] = roundTrip(objects) as [{ a: Money; b: Money[] }];
  assert.is(decoded.a, decoded.b[0]);
  assert.instance(decoded.a, Money);
  const loop = new Loop();
  loop.child.parent = loop;
  assert.throws(() => encodeObjects([[loop]]), /holds itself/);
});

test("errors keep class, stack, cause and their own properties", () => {
  const cause = new TypeError("inner");
  const error = Object.assign(new RangeError("outer", { cause }), { code: "E", list: [new Money(1)] });
  const [decoded] = roundTrip([{ error }]) as [{ error: typeof error }];
  assert.instance(decoded.error, RangeError);
  assert.is(decoded.error.message, "outer");
  assert.is(decoded.error.stack, error.stack);
  assert.instance(decoded.error.cause, TypeError);
  assert.is(decoded.error.code, "E");
  assert.instance(decoded.error.list[0], Money);
  const [own] = roundTrip([new QStreamError("BAD_INPUT", "bad", { line: 3 })]) as [QStreamError];
  assert.instance(own, QStreamError);
  assert.is(own.code, "BAD_INPUT");
  assert.equal(own.place, { line: 3 });
});

test("what can't travel is refused with its path and advice", () => {
  class Custom {
    readonly own = 1;
  }
  class OwnMap extends Map {}
  class SubMoney extends Money {}
  refused({ handlers: [1, 2, () => 1] }, /a function.*at \.handlers\[2\] of the object.*registerCodec/);
  refused({ "odd name": Symbol("s") }, /a symbol.*\["odd name"\]/);
  refused({ a: { b: new Custom() } }, /class Custom.*at \.a\.b of/);
  refused(new Custom(), /class Custom can't/);
  refused({ m: new Map([["k", Promise.resolve()]]) }, /class Promise.*\.m\.get\("k"\)/);
  refused({ s: new Set([new WeakMap()]) }, /WeakMap/);
  refused({ stream: Readable.from([]) }, /class Readable/);
  refused({ emitter: new EventEmitter() }, /EventEmitter/);
  refused([new OwnMap()], /class OwnMap.*\[0\]/);
  refused([new SubMoney(1)], /class SubMoney/);
  refused({ p: new Proxy({}, {}) }, /Proxy/);
  refused({ s: new SharedArrayBuffer(8) }, /SharedArrayBuffer/);
  refused({ map: Object.assign(new Map(), { extra: 1 }) }, /property of its own \("extra"\)/);
  refused(() => 1, /a function/);
  refused({ e: Object.assign(new Error("x"), { socket: new Custom() }) }, /class Custom/);
  let deep: unknown = 1;
  for (let level = 0; level < 5000; level += 1) deep = { deep };
  refused({ deep }, /deeper/);
  assert.throws(
    () => encodeObjects([...Array.from({ length: 500 }, (_, a) => ({ a })), { a: () => 1 }]),
    /at \.a of the object/,
  );
});

test("codecs' names are unique, and a missing or failing codec says so", () => {
  class Other {
    readonly other = true;
  }
  assert.throws(
    () => registerCodec(Other, { name: "spec:money", encode: () => 0, decode: () => new Other() }),
    /two classes/,
  );
  registerCodec(Other, {
    name: "spec:other",
    encode: () => {
      throw new Error("no");
    },
    decode: () => new Other(),
  });
  refused([new Other()], /"spec:other" failed to encode/);
  const payload = encodeObjects([new Money(1)]);
  const bytes = Buffer.from(payload.bytes.slice(0));
  bytes.write("spec:monex", bytes.indexOf("spec:money"));
  assert.throws(() => decodeObjects({ ...payload, bytes: bytes.buffer }), /doesn't have this codec/);
});

test("equal objects give equal bytes, whatever was encoded before", () => {
  const objects = Array.from({ length: 10 }, (_, row) => ({ a: row, b: `x${row}`, c: row % 2 === 0 ? null : row }));
  const before = Buffer.from(encodeObjects(objects).bytes);
  encodeObjects(Array.from({ length: 1000 }, (_, row) => ({ text: "ÿ".repeat(50), row })));
  assert.ok(before.equals(Buffer.from(encodeObjects(objects).bytes)));
});

test("damaged frames are refused, or decode to as many objects, and never read out of bounds", () => {
  const objects = Array.from({ length: 20 }, (_, row) => ({
    a: row,
    b: `text ${row}`,
    c: row % 2 === 0 ? null : row / 3,
    d: new Uint8Array(row),
    e: [row],
  }));
  const payload = encodeObjects(objects);
  for (let length = 0; length < payload.bytes.byteLength; length += 8) {
    assert.throws(
      () => decodeObjects({ ...payload, bytes: payload.bytes.slice(0, length) }),
      (error: unknown) => error instanceof QStreamError && error.code === "FRAME_INVALID",
    );
  }
  fc.assert(
    fc.property(fc.nat({ max: payload.bytes.byteLength - 1 }), fc.integer({ min: 0, max: 7 }), (place, bit) => {
      const bytes = payload.bytes.slice(0);
      const view = new Uint8Array(bytes);
      view[place] = (view[place] ?? 0) ^ (1 << bit);
      try {
        assert.is(decodeObjects({ ...payload, bytes }).length, objects.length);
      } catch (error) {
        assert.ok(error instanceof QStreamError && error.code === "FRAME_INVALID", String(error));
      }
    }),
    { numRuns: 2000 },
  );
  assert.throws(() => decodeObjects({ ...payload, rows: 19 }), /20 rows instead of 19/);
  assert.throws(() => decodeObjects({ format: "batch", rows: 0, bytes: new ArrayBuffer(0) }), /columnar batch/);
});

test("a codec may encode in turn, and memory is not shared between the two", () => {
  class Packed {
    readonly inner: readonly unknown[];
    constructor(inner: readonly unknown[]) {
      this.inner = inner;
    }
  }
  registerCodec(Packed, {
    name: "spec:packed",
    encode: ({ inner }) => encodeObjects(inner),
    decode: (payload) => new Packed(decodeObjects(payload)),
  });
  same(Array.from({ length: 5 }, (_, id) => ({ id, packed: new Packed([{ id: id * 2 }, { id: 0.5 }]) })));
});

test("where code can't be generated from strings, objects of one shape travel all the same", () => {
  const codec = new URL("../../../lib/core/codec/index.js", import.meta.url).href;
  const key = new URL("../../../lib/core/key.js", import.meta.url).href;
  const program = `
    import { decodeObjects, encodeObjects } from ${JSON.stringify(codec)};
    import { keyFunction } from ${JSON.stringify(key)};
    const objects = Array.from({ length: 2000 }, (_, a) => JSON.parse('{"a":' + a + ',"__proto__":[1],"b":"x"}'));
    console.log(JSON.stringify(decodeObjects(encodeObjects(objects))) === JSON.stringify(objects), keyFunction(["a"])(objects[7]), keyFunction(["a", "b"])(objects[7]).join());`;
  const options = ["--disallow-code-generation-from-strings", "--input-type=module", "--eval", program];
  assert.is(execFileSync(process.execPath, options, { encoding: "utf8" }).trim(), "true 7 7,x");
});

test("estimates grow with what objects hold, and end for any object", () => {
  assert.ok(estimateBytes("x".repeat(1000)) >= 1000);
  assert.ok(estimateBytes(new Float64Array(1000)) >= 8000);
  assert.ok(estimateBytes(Array.from({ length: 10_000 }, () => "ten chars!")) > 200_000);
  assert.ok(estimateBytes({ a: 1, b: "two" }) < 200);
  const self: { self?: unknown } = {};
  self.self = self;
  assert.ok(estimateBytes(self) > 0);
});

test("a long path is cut in the middle", () => {
  let object: unknown = () => 1;
  for (let level = 0; level < 100; level += 1) object = { [`level${level}`]: object };
  refused(object, /it is at (?=\S{80} of)\S*\.level99\S*\.\.\.\S*\.level0 of the object/);
});

test("it says where structured clone is in the bytes: those of equal objects may differ", () => {
  assert.is(encodeObjects([{ a: 1, b: "x", c: new Date(0) }]).cloned, undefined);
  assert.is(encodeObjects([1, "x", null]).cloned, undefined);
  assert.is(encodeObjects([{ a: 1, b: [1, 2] }]).cloned, true);
  assert.is(encodeObjects([{ a: new Map([[1, 2]]) }, { a: 1, b: 2 }]).cloned, true);
  assert.is(encodeObjects([new Set([1])]).cloned, true);
});

test.run();
