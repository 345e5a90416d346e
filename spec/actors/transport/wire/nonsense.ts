import { crc32 } from "node:zlib";
import * as assert from "uvu/assert";
import { readMessage, readStart, encodeWireMessage } from "../../../../actors/transport/wire/wire-message.ts";
import { Refusal, Refusals } from "../../../../actors/transport/wire/refusal.ts";
import { seededRandom } from "../../../../lib/core/seam/random.ts";
import { parcelOf } from "../../../contract/transport.ts";
import { packedParcelOf } from "../packed.ts";

const startBytes = 11;
const frameHeadLeast = 20;

function samples(): readonly (readonly Uint8Array[])[] {
  return [
    encodeWireMessage(1, { kind: "dial" }),
    encodeWireMessage(2, {
      kind: "tell",
      content: { kind: "report", list: [1, "two", new Map()] } as { kind: string },
    }),
    encodeWireMessage(3, { kind: "link", to: "B/0", from: "A/0", message: parcelOf(3, 500) }),
    encodeWireMessage(3, { kind: "link", to: "B/0", from: "A/0", message: packedParcelOf(3, 20_000) }),
    encodeWireMessage(4, { kind: "link", to: "B/0", from: "A/0", message: { ...parcelOf(3, 0), kind: "cancel" } }),
  ];
}

/**
 * Reads so many damaged messages whose checksums were made anew, so that what is behind them is reached: each is refused, or it is a
 * message. Returns how many were read.
 */
export function readSealedNonsense(count: number, seed: number): number {
  const random = seededRandom(seed);
  const whole = (below: number): number => Math.floor(random() * below);
  const sound = samples();
  let read = 0;
  for (let turn = 0; turn < count; turn++) {
    const fragments = (sound[turn % sound.length] ?? []).map((bytes) => Buffer.from(bytes));
    for (let change = 0; change <= whole(3); change++) {
      const which = whole(fragments.length);
      const chosen = fragments[which] ?? Buffer.alloc(0);
      const at = whole(chosen.byteLength);
      const way = whole(10);
      if (way === 0) fragments[which] = Buffer.from(chosen.subarray(0, at));
      else if (way <= 2 && at + 4 <= chosen.byteLength) chosen.writeUInt32LE(nasty[whole(nasty.length)] ?? 0, at);
      else if (way <= 5) chosen[at] = whole(256);
      else chosen[at] = (chosen[at] ?? 0) ^ (1 << whole(8));
    }
    seal(fragments);
    try {
      readStart(fragments);
      readMessage(fragments);
      read++;
    } catch (error) {
      if (!(error instanceof Refusal)) throw new Error(`message ${turn} of seed ${seed}`, { cause: error });
    }
  }
  return read;
}

const nasty = [0, 1, 0x7f, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff];

/** Makes all checksums right, as far as there is room for them. */
function seal([first = Buffer.alloc(0), second = Buffer.alloc(0)]: readonly Buffer[]): void {
  if (first.byteLength < startBytes) return;
  let checkedTo = startBytes;
  if (first[4] === 2 && first.byteLength >= startBytes + 4) {
    first.writeUInt32LE(crc32(second), startBytes);
    checkedTo = first.byteLength;
  } else if (first[4] === 1) {
    checkedTo += 2 + (first[startBytes] ?? 0) + (first[startBytes + 1] ?? 0);
    const frame = first.subarray(checkedTo);
    if (frame.byteLength >= frameHeadLeast) {
      const headEnd = frameHeadLeast + frame.readUInt16LE(6);
      frame.writeUInt32LE(crc32(second), 12);
      frame.writeUInt32LE(crc32(frame.subarray(frameHeadLeast, headEnd), crc32(frame.subarray(0, 16))), 16);
    }
  }
  first.writeUInt32LE(crc32(first.subarray(4, checkedTo)), 0);
}

/** Reads so many damaged messages, and asserts that each is refused; returns how often for which reason. */
export function readNonsense(count: number, seed: number): Refusals {
  const random = seededRandom(seed);
  const whole = (below: number): number => Math.floor(random() * below);
  const sound = samples();
  const refusals = new Refusals();
  for (let turn = 0; turn < count; turn++) {
    const fragments = (sound[whole(sound.length)] ?? []).map((bytes) => Uint8Array.from(bytes));
    const which = whole(fragments.length);
    const chosen = fragments[which] ?? new Uint8Array(0);
    const way = whole(5);
    if (way === 0) fragments[which] = chosen.subarray(0, whole(chosen.byteLength));
    else if (way === 1) fragments.push(new Uint8Array(1 + whole(30)));
    else if (way === 2) fragments[which] = Uint8Array.from({ length: whole(200) }, () => whole(256));
    else {
      const at = whole(chosen.byteLength);
      chosen[at] = (chosen[at] ?? 0) ^ (1 << whole(8));
    }
    try {
      readStart(fragments);
      readMessage(fragments);
      assert.unreachable(`nonsense ${turn} of seed ${seed} was taken`);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refusals.count(error.reason);
    }
  }
  return refusals;
}
