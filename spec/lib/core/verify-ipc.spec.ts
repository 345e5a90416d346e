import * as assert from "uvu/assert";
import * as arrow from "apache-arrow";
import * as fc from "fast-check";
import { createRequire } from "node:module";
import { verifyIpc } from "../../../lib/core/batch/index.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("verification of Arrow IPC bytes");
const polars = createRequire(import.meta.url)("nodejs-polars") as typeof import("nodejs-polars").default;

/** A table with every kind of layout, in two batches. */
function sampleTable(): arrow.Table {
  const rows = 40;
  const numbers = Array.from({ length: rows }, (_, index) => index);
  const some = <T>(value: (index: number) => T): (T | null)[] =>
    numbers.map((index) => (index % 7 === 3 ? null : value(index)));
  const item = (type: arrow.DataType): arrow.Field => new arrow.Field("item", type, true);
  const struct = new arrow.Struct([
    new arrow.Field("n", new arrow.Int16(), true),
    new arrow.Field("s", new arrow.Utf8(), true),
  ]);
  const table = new arrow.Table({
    int: arrow.vectorFromArray(
      some((index) => index),
      new arrow.Int32(),
    ),
    big: arrow.vectorFromArray(
      some((index) => BigInt(index)),
      new arrow.Int64(),
    ),
    float: arrow.vectorFromArray(
      some((index) => index / 3),
      new arrow.Float64(),
    ),
    flag: arrow.vectorFromArray(
      some((index) => index % 2 === 0),
      new arrow.Bool(),
    ),
    text: arrow.vectorFromArray(
      some((index) => `text ${index} é`),
      new arrow.Utf8(),
    ),
    large: arrow.vectorFromArray(
      some((index) => "x".repeat(index)),
      new arrow.LargeUtf8(),
    ),
    code: arrow.vectorFromArray(
      some((index) => `code ${index % 5}`),
      new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32()),
    ),
    at: arrow.vectorFromArray(
      some((index) => index * 1000),
      new arrow.TimestampMillisecond("UTC"),
    ),
    list: arrow.vectorFromArray(
      some((index) => numbers.slice(0, index % 4)),
      new arrow.List(item(new arrow.Int32())),
    ),
    struct: arrow.vectorFromArray(
      some((index) => ({ n: index, s: `s${index}` })),
      struct,
    ),
  } as never);
  return table.concat(table.slice(5, 20));
}

const table = sampleTable();
const stream = arrow.tableToIPC(table, "stream");
const file = arrow.tableToIPC(table, "file");

function isDamaged(part: string): (error: unknown) => boolean {
  return (error) => error instanceof QStreamError && error.code === "BAD_INPUT" && error.message.includes(part);
}

test("sound bytes of both formats, of arrow and of Polars, pass with their rows", () => {
  assert.equal(verifyIpc(stream), { format: "stream", rows: 55, batches: 2, compressed: false });
  assert.equal(verifyIpc(file), { format: "file", rows: 55, batches: 2, compressed: false });
  const frame = polars.DataFrame({ n: [1, null, 3], s: ["a", "b", null], l: [[1], [], [2, 3]] });
  const cast = frame.withColumn(polars.col("s").cast(polars.Categorical).alias("c"));
  assert.is(verifyIpc(cast.writeIPCStream()).rows, 3);
  assert.is(verifyIpc(cast.writeIPC()).format, "file");
  assert.equal(verifyIpc(cast.writeIPC({ compression: "lz4" })).compressed, true);
  assert.is(verifyIpc(arrow.tableToIPC(new arrow.Table(table.schema), "stream")).rows, 0);
});

test("errors name the file, and say where and what", () => {
  const cut = stream.subarray(0, stream.byteLength - 700);
  assert.throws(() => verifyIpc(cut, { file: "cut.arrows" }), isDamaged("(file cut.arrows)"));
  assert.throws(() => verifyIpc(cut), isDamaged("cut off"));
  assert.throws(() => verifyIpc(file.subarray(0, file.byteLength - 1)), isDamaged("the file was cut off"));
  assert.throws(() => verifyIpc(new Uint8Array(0)), isDamaged("cut off"));
  assert.throws(() => verifyIpc(new Uint8Array(1000)), isDamaged("no schema"));
  assert.throws(() => verifyIpc(new Uint8Array(1000).fill(255)), isDamaged("cut off"));
  assert.throws(() => verifyIpc(Buffer.from("origin,destination\nSFO,JFK\n")), isDamaged("cut off"));
});

test("a stream that was cut between two batches lacks its end mark", () => {
  const ends: number[] = [];
  for (let end = 8; end < stream.byteLength; end += 8) {
    try {
      verifyIpc(stream.subarray(0, end), { missingEnd: true });
      ends.push(end);
    } catch (error) {
      assert.ok(error instanceof QStreamError);
    }
  }
  assert.ok(ends.length > 1);
  for (const end of ends) assert.throws(() => verifyIpc(stream.subarray(0, end)), isDamaged("without its end mark"));
});

test("offsets that go back, values beyond their buffer, wrong indices and wrong text are found, with their column", () => {
  const one = arrow.tableFromIPC(
    arrow.tableToIPC(new arrow.Table({ text: arrow.vectorFromArray(["aa", "bb", "cc"], new arrow.Utf8()) }), "stream"),
  );
  const [{ valueOffsets, values }] = one.batches.map(({ data }) => data.children[0]) as [arrow.Data<arrow.Utf8>];
  const damagedBy = (change: () => void, undo: () => void): Uint8Array => {
    change();
    const whole = new Uint8Array(values.buffer.slice(0));
    undo();
    return whole;
  };
  const set = (target: Int32Array | Uint8Array, index: number, value: number): Uint8Array => {
    const before = target[index] as number;
    return damagedBy(
      () => void (target[index] = value),
      () => void (target[index] = before),
    );
  };
  assert.is(verifyIpc(new Uint8Array(values.buffer.slice(0))).rows, 3);
  assert.throws(() => verifyIpc(set(valueOffsets, 1, 5)), isDamaged('column "text" has offsets that go back in row 2'));
  assert.throws(() => verifyIpc(set(valueOffsets, 3, 600)), isDamaged('column "text" has values that reach beyond'));
  assert.throws(() => verifyIpc(set(valueOffsets, 0, -1)), isDamaged('column "text" has negative offsets'));
  assert.throws(() => verifyIpc(set(values, 0, 0xff)), isDamaged('column "text" has text that isn\'t UTF-8'));
  const coded = arrow.tableToIPC(
    new arrow.Table({
      code: arrow.vectorFromArray(["a", "b"], new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32())),
    }),
    "stream",
  );
  const decoded = arrow.tableFromIPC(coded).batches[0]?.data.children[0]?.values as Int32Array;
  decoded[1] = 7;
  assert.throws(
    () => verifyIpc(new Uint8Array(decoded.buffer, 0)),
    isDamaged('column "code" has the index 7 in row 1'),
  );
});

/** Reads every value: what verification lets pass must not crash there. */
function readAll(bytes: Uint8Array): void {
  const read = arrow.tableFromIPC(bytes);
  for (const row of read) row?.toJSON();
}

/** Decodes what passes. An error of a library is an error; an abort or an endless loop would end this process. */
function decodeIfSound(bytes: Uint8Array, isFile: boolean): void {
  try {
    const { rows } = verifyIpc(bytes);
    assert.ok(rows < 3_000_000);
  } catch (error) {
    assert.ok(error instanceof QStreamError && error.code === "BAD_INPUT", String(error));
    return;
  }
  for (const decode of [() => readAll(bytes), () => readPolars(bytes, isFile)]) {
    try {
      decode();
    } catch (error) {
      assert.ok(error instanceof Error);
    }
  }
}

function readPolars(bytes: Uint8Array, isFile: boolean): void {
  const buffer = Buffer.from(bytes);
  (isFile ? polars.readIPC(buffer) : polars.readIPCStream(buffer)).writeIPCStream();
}

for (const [name, sound] of [
  ["stream", stream],
  ["file", file],
] as const) {
  test(`a ${name} with flipped bits is refused or decodes without a crash`, () => {
    const flips = fc.array(fc.tuple(fc.nat({ max: sound.byteLength - 1 }), fc.nat({ max: 7 })), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(flips, (chosen) => {
        const damaged = sound.slice();
        for (const [at, bit] of chosen) damaged[at] = (damaged[at] as number) ^ (1 << bit);
        decodeIfSound(damaged, name === "file");
      }),
      { numRuns: 150 },
    );
  });

  test(`a ${name} with flipped bits in its metadata is refused or decodes without a crash`, () => {
    // The schema comes first; of a file, the footer last.
    const places = fc.oneof(
      fc.nat({ max: 1500 }),
      fc.integer({ min: sound.byteLength - 1500, max: sound.byteLength - 1 }),
    );
    fc.assert(
      fc.property(places, fc.nat({ max: 255 }), (at, value) => {
        const damaged = sound.slice();
        damaged[at] = value;
        decodeIfSound(damaged, name === "file");
      }),
      { numRuns: 150 },
    );
  });

  test(`a ${name} that is cut off is refused`, () => {
    fc.assert(
      fc.property(fc.nat({ max: sound.byteLength - 1 }), (length) => {
        // The end mark itself has eight bytes, of which the last four are zeros that say the same as none.
        if (name === "stream" && length > sound.byteLength - 8) return;
        assert.throws(() => verifyIpc(sound.subarray(0, length)), isDamaged(""));
      }),
      { numRuns: 200 },
    );
  });
}

test.run();
