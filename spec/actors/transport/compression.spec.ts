import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { openCompression, Packer, unpack, unpackBytes, type Parcel } from "../../../actors/transport/compression.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import { seededRandom } from "../../../lib/core/seam/random.ts";
import { parcelOf } from "../../contract/transport.ts";
import { suite } from "../../kit/suite.ts";
import { evenParcelOf, packedParcelOf, packedWith } from "./packed.ts";

const test = suite("compression");
const lz4 = openCompression();

/** Bytes of which many repeat others before them, near and far, in runs of all lengths. */
const repetitive = fc
  .array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.nat(600), fc.nat(70_000)), { maxLength: 30 })
  .map((parts) => {
    const all: number[] = [];
    for (const [fresh, length, back] of parts) {
      all.push(...fresh);
      const from = Math.max(0, all.length - 1 - back);
      for (let index = 0; index < length; index++) all.push(all[from + index] ?? 0);
    }
    return Uint8Array.from(all);
  });

function pack(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(lz4.compressSync(Buffer.from(bytes))).buffer;
}

test("what was packed is the same again, with the library and without", () => {
  const property = fc.property(repetitive, (bytes) => {
    const packed = pack(bytes);
    for (const by of [lz4, null]) {
      assert.is(Buffer.compare(new Uint8Array(unpackBytes(packed, bytes.byteLength, by)), bytes), 0);
    }
  });
  fc.assert(property, { numRuns: 200 });
});

test("damaged bytes unpack to as many as they should, or are refused; both ways agree on which", () => {
  const random = seededRandom(5);
  const whole = (below: number): number => Math.floor(random() * below);
  const sound = new Uint8Array(packedParcelOf(1, 16_384).payload.bytes);
  let refused = 0;
  const read = (bytes: ArrayBuffer, by: typeof lz4 | null): Uint8Array | undefined => {
    try {
      return new Uint8Array(unpackBytes(bytes, 16_384, by));
    } catch (error) {
      if (!(error instanceof QStreamError && error.code === "FRAME_INVALID")) throw error;
      return undefined;
    }
  };
  for (let turn = 0; turn < 3000; turn++) {
    const damaged = sound.slice(0, turn % 4 === 0 ? whole(sound.byteLength) : sound.byteLength);
    for (let change = 0; change <= whole(4); change++) damaged[4 + whole(damaged.byteLength)] = whole(256);
    const [native, own] = [read(damaged.buffer, lz4), read(damaged.buffer, null)];
    if (native === undefined) refused++;
    // What follows the last sequence is where the two differ: the format doesn't say.
    if (native !== undefined && own !== undefined) assert.is(Buffer.compare(native, own), 0, `turn ${turn}`);
    for (const bytes of [native, own]) assert.ok(bytes === undefined || bytes.byteLength === 16_384);
  }
  assert.ok(refused > 1000 && refused < 3000, `${refused} were refused`);
});

test("a parcel that says that it unpacks to another size than its bytes do is refused before anything is allocated", () => {
  const parcel = packedParcelOf(1, 100_000);
  const { bytes } = parcel.payload;
  const saying = (says: number, unpackedBytes: number): Parcel => {
    const own = bytes.slice(0);
    new DataView(own).setUint32(0, says, true);
    return { ...parcel, payload: { ...parcel.payload, bytes: own, unpackedBytes } };
  };
  const refused = (error: unknown): boolean => error instanceof QStreamError && error.code === "FRAME_INVALID";
  for (const size of [99_999, 100_001, 2 ** 28]) assert.throws(() => unpack(saying(size, size)), refused);
  assert.throws(() => unpack(saying(2 ** 32 - 1, 100_000)), refused);
  assert.throws(() => unpackBytes(new ArrayBuffer(3), 10, null), refused);
  assert.is((unpack(saying(100_000, 100_000)) as Parcel).payload.bytes.byteLength, 100_000);
});

test("what isn't packed stays the message that it is, and a packed one comes back without a trace", () => {
  const parcel = evenParcelOf(4, 40_000);
  assert.is(unpack(parcel), parcel);
  const packed = packedWith(parcel, new Packer().pack(parcel));
  assert.ok(packed.payload.bytes.byteLength < 20_000);
  assert.equal(unpack(packed), parcel);
});

test("only large parcels are packed, and those of an edge that don't get smaller are tried now and then", () => {
  const packer = new Packer();
  assert.is(packer.pack(evenParcelOf(1, 16_376)), undefined);
  assert.ok(packer.pack(evenParcelOf(1, 16_384)));
  const random = { ...(parcelOf(1, 20_000) as Parcel), edge: 7 };
  assert.is(packer.pack(random), undefined);
  const even = { ...evenParcelOf(1, 20_000), edge: 7 };
  for (let parcel = 0; parcel < 15; parcel++) assert.is(packer.pack(even), undefined);
  assert.ok(packer.pack(evenParcelOf(1, 20_000)), "another edge isn't held back by it");
  assert.ok(packer.pack(even));
  assert.ok(packer.pack(even), "and it goes on");
});

test.run();
