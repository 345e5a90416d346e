import fc from "fast-check";
import * as assert from "uvu/assert";
import { payloadAt, SharedRing, type SharedPayload } from "../../../actors/transport/shared-ring.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("shared ring");
const megabyte = 2 ** 20;

function filled(bytes: number, value: number): Uint8Array {
  return new Uint8Array(bytes).fill(value);
}

test("small payloads and very large ones aren't taken", () => {
  const ring = new SharedRing();
  assert.is(ring.put(filled(1000, 1)), undefined);
  assert.is(ring.put(filled(5 * megabyte, 1)), undefined);
  assert.ok(ring.put(filled(100_000, 1)));
});

test("a full ring takes nothing until its oldest payload is released", () => {
  const ring = new SharedRing();
  const payloads: SharedPayload[] = [];
  for (;;) {
    const place = ring.put(filled(megabyte, payloads.length));
    if (place === undefined) break;
    payloads.push(payloadAt(place));
  }
  assert.ok(payloads.length >= 30, `${payloads.length}`);
  payloads[1]?.release();
  assert.is(ring.put(filled(megabyte, 1)), undefined, "the oldest is in the way");
  payloads[0]?.release();
  assert.ok(ring.put(filled(megabyte, 1)));
  assert.ok(ring.put(filled(megabyte, 1)));
});

test("whatever is put and released in whatever order, what isn't released is as it was put", () => {
  const steps = fc.array(fc.record({ bytes: fc.integer({ min: 65_536, max: 4 * megabyte }), release: fc.nat() }), {
    minLength: 20,
    maxLength: 60,
  });
  fc.assert(
    fc.property(steps, (taken) => {
      const ring = new SharedRing();
      const held: { readonly payload: SharedPayload; readonly bytes: number; readonly value: number }[] = [];
      for (const [index, { bytes, release }] of taken.entries()) {
        const value = index % 256;
        const place = ring.put(filled(bytes, value));
        if (place === undefined || release % 3 === 0) {
          const [gone] = held.splice(release % Math.max(1, held.length), 1);
          gone?.payload.release();
        }
        if (place !== undefined) held.push({ payload: payloadAt(place), bytes, value });
        for (const { payload, bytes: length, value: first } of held) {
          assert.is(payload.bytes.byteLength, length);
          assert.ok(payload.bytes[0] === first && payload.bytes.at(-1) === first);
        }
      }
      for (const { payload } of held) payload.release();
      assert.ok(ring.put(filled(4 * megabyte, 9)), "all of it is free again");
    }),
    { numRuns: 20 },
  );
});

test.run();
