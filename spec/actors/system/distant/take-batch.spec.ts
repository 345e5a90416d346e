import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { decodeBatch } from "../../../../actors/system/distant/decode-batch.ts";
import { rowKind, type MessageRows } from "../../../../actors/system/distant/message-rows.ts";
import { creditBytes, creditRows, Outgoing } from "../../../../actors/system/distant/outgoing.ts";
import type { BatchBytes, RowEvents } from "../../../../actors/system/distant/take-batch.ts";
import type { QStreamError } from "../../../../lib/core/errors.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("sizes of batches between nodes");

const nowhere = undefined as never;
const small: BatchBytes = { wanted: 1 << 12, most: 1 << 14, travels: 1 << 16 };
// What a batch has beside what its messages carry.
const aside = 512;

interface Sent {
  /** Rows and bytes of each batch. */
  readonly batches: readonly { readonly rows: number; readonly bytes: number }[];
  /** What arrived, by the numbers that messages carry. */
  readonly arrived: readonly number[];
  readonly refused: readonly string[];
}

/** What one node sends to another that takes all at once. */
function sent(out: Outgoing): Sent {
  const batches: { rows: number; bytes: number }[] = [];
  const arrived: number[] = [];
  const refused: string[] = [];
  const events: RowEvents = {
    actors: () => 0,
    refused: (_rows, _row, error) => void refused.push((error as QStreamError).code),
    lost: () => assert.unreachable(),
    kept: () => {
      throw new Error("nothing is kept");
    },
  };
  const numberOf = (payload: unknown): void => {
    if (payload !== undefined) arrived.push((payload as { readonly number: number }).number);
  };
  while (out.bulk.size > 0) {
    for (const { payload } of out.batches(events)) {
      batches.push({ rows: payload.rows, bytes: payload.bytes.byteLength });
      decodeBatch(payload.bytes, nowhere, (row) => numberOf(row.payload));
      out.granted(payload.rows, payload.bytes.byteLength);
    }
  }
  return { batches, arrived, refused };
}

function push(rows: MessageRows, payload: unknown): void {
  rows.push(rowKind.tell, "take", 1, undefined, payload, undefined, 0);
}

test("batches are bounded, and what is larger than a message may be is refused; all else arrives in its order", () => {
  const size = fc.oneof(
    { weight: 30, arbitrary: fc.nat({ max: 100 }) },
    { weight: 5, arbitrary: fc.nat({ max: 20_000 }) },
    { weight: 1, arbitrary: fc.nat({ max: 2 * small.travels }) },
  );
  const repeated = fc
    .tuple(fc.array(size, { minLength: 1, maxLength: 12 }), fc.nat({ max: 30 }))
    .map(([sizes, times]) => Array.from({ length: times + 1 }, () => sizes).flat());
  fc.assert(
    fc.property(repeated, fc.boolean(), (sizes, isDeep) => {
      const out = new Outgoing(1, true, small);
      sizes.forEach((bytes, number) => {
        const carried = new Uint8Array(bytes);
        push(out.bulk, isDeep ? { number, deep: new Map([["deeper", carried]]) } : { number, carried });
      });
      const { batches, arrived, refused } = sent(out);
      for (const { rows, bytes } of batches) assert.ok(bytes <= (rows > 1 ? small.most : small.travels), `${bytes}`);
      const arriving = new Set(arrived);
      assert.equal(
        arrived,
        [...arriving].toSorted((left, right) => left - right),
      );
      sizes.forEach((bytes, number) => {
        if (bytes < small.travels - aside) assert.ok(arriving.has(number), `${bytes} bytes travel`);
        if (bytes > small.travels) assert.ok(!arriving.has(number), `${bytes} bytes don't travel`);
      });
      assert.is(arrived.length + refused.length, sizes.length);
      assert.ok(refused.every((code) => code === "CANNOT_TRAVEL"));
    }),
    { numRuns: 100 },
  );
});

test("many large messages of one turn are many batches, and credit is overrun by one of them at most", () => {
  const out = new Outgoing(1, true);
  const page = new Uint8Array(100_000);
  for (let number = 0; number < 400; number++) push(out.bulk, { number, page });
  const events: RowEvents = { actors: () => 0, refused: () => {}, lost: () => {}, kept: () => false };
  const sizes = Array.from(out.batches(events), ({ payload }) => payload.bytes.byteLength);
  assert.ok(Math.max(...sizes) <= 4 << 20, `${Math.max(...sizes)} bytes at once`);
  const sum = sizes.reduce((left, right) => left + right, 0);
  assert.ok(sum < creditBytes + (4 << 20), `${sum} bytes are on their way`);
  assert.ok(sum > creditBytes / 2);
});

test("large messages between small ones don't make one batch of all", () => {
  for (const period of [2, 3, 4, 8, 16, 64]) {
    const out = new Outgoing(1, true);
    const page = new Uint8Array(1 << 20);
    for (let number = 0; number < 128; number++) push(out.bulk, { number, page: number % period === 1 ? page : null });
    const { batches, arrived } = sent(out);
    assert.is(arrived.length, 128);
    assert.ok(batches.every(({ rows, bytes }) => rows === 1 || bytes <= 4 << 20));
    assert.ok(batches.length < 128 || period < 4, `${batches.length} batches with every ${period}th`);
  }
});

test("one large message behind many small ones is encoded a few times, and not with each batch before it", () => {
  const out = new Outgoing(1, true);
  let encoded = 0;
  const large = {
    get text(): string {
      encoded++;
      return "x".repeat(8 << 20);
    },
  };
  for (let number = 0; number < 8192; number++) push(out.bulk, number === 8190 ? { number, large } : { number });
  const { batches, arrived } = sent(out);
  assert.is(arrived.length, 8192);
  assert.ok(encoded <= 30, `${encoded} times, of ${batches.length} batches`);
});

test("small messages go by the thousand", () => {
  const out = new Outgoing(1, true);
  for (let number = 0; number < creditRows; number++) push(out.bulk, { number, price: 1.5, name: "ann" });
  const { batches } = sent(out);
  assert.equal(
    batches.map(({ rows }) => rows),
    [8192, 8192, 8192, 8192],
  );
});

test("what can't travel is refused once, also where its batch is encoded again", () => {
  const out = new Outgoing(1, true, small);
  // As what has more bytes than a buffer does.
  const endless = {
    get length(): number {
      throw new RangeError("Invalid array buffer length");
    },
  };
  for (let number = 0; number < 60; number++) {
    // Where their sizes aren't seen before.
    const carried = new Map([[number, new Uint8Array(2000)]]);
    if (number === 7) push(out.bulk, { number, carried: () => {} });
    else push(out.bulk, { number, carried: number === 50 ? endless : carried });
  }
  const { batches, arrived, refused } = sent(out);
  assert.equal(refused, ["CANNOT_TRAVEL", "LIMIT_EXCEEDED"]);
  assert.is(arrived.length, 58);
  assert.ok(batches.length > 6 && batches.every(({ bytes }) => bytes <= small.most));
});

test.run();
