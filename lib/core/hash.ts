/**
 * The hash of keys, 32 bits, by the steps of MurmurHash3 (Austin Appleby). The rules make equal keys hash equal in every
 * representation: integers by their int64 value, other numbers by their float64 bits, text by its UTF-8 bytes. Batches hash
 * whole columns with these same functions.
 */

const seed = 0x51f7e4a3;

/** Hash of null and undefined. */
export const hashNull = 0x3c6ef372;

function mixBlock(hash: number, block: number): number {
  let k = Math.imul(block, 0xcc9e2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  const mixed = hash ^ k;
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

function finish(hash: number): number {
  let h = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Hash of an integer by the low and the high 32 bits of its int64 value; signed or unsigned halves give the same. */
export function hashInt64(lo: number, hi: number): number {
  return finish(mixBlock(mixBlock(seed, lo), hi));
}

/** Hash of a whole number from -2^31 to 2^31-1: the same as that of its int64 value. */
export function hashInt32(value: number): number {
  return finish(mixBlock(mixBlock(seed, value), value >> 31));
}

const float = new Float64Array(1);
const floatBits = new Int32Array(float.buffer);
const int64Limit = 2 ** 63;

/** Hash of a number: whole numbers within int64 by that, all others by their bits; -0 is 0, and every NaN is the same. */
export function hashFloat64(value: number): number {
  if ((value | 0) === value) return hashInt32(value | 0);
  if (Math.floor(value) === value && value >= -int64Limit && value < int64Limit) {
    return hashInt64(value | 0, Math.floor(value / 4294967296) | 0);
  }
  float[0] = value === value ? value : Number.NaN;
  return finish(mixBlock(mixBlock(~seed, floatBits[0] ?? 0), floatBits[1] ?? 0));
}

/** Hash of a bigint: within int64 by that; beyond, as the number it equals if there is one, else by its digits. */
export function hashBigint(value: bigint): number {
  if (BigInt.asIntN(64, value) === value) {
    return hashInt64(Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
  }
  const number = Number(value);
  if (Number.isFinite(number) && BigInt(number) === value) return hashFloat64(number);
  return hashString(value.toString());
}

export function hashBoolean(value: boolean): number {
  return value ? 0x9e3779b9 : 0x7f4a7c15;
}

/** Hash of two keys in order, from their hashes; several columns are combined from the left. */
export function combineHashes(first: number, second: number): number {
  return finish(mixBlock(mixBlock(seed, first), second));
}

/** Hash of bytes from `start` to before `end`: that of the string whose UTF-8 they are. */
export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = seed;
  let at = start;
  for (const blocksEnd = start + ((end - start) & ~3); at < blocksEnd; at += 4) {
    hash = mixBlock(
      hash,
      (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24),
    );
  }
  return finishTail(
    hash,
    end - start,
    at < end ? (bytes[at] ?? 0) : 0,
    at + 1 < end ? (bytes[at + 1] ?? 0) : 0,
    at + 2 < end ? (bytes[at + 2] ?? 0) : 0,
  );
}

function finishTail(hash: number, length: number, first: number, second: number, third: number): number {
  const mixed = (length & 3) === 0 ? hash : mixBlock(hash, first | (second << 8) | (third << 16));
  return finish(mixed ^ length);
}

/** Hash of a string over its UTF-8 bytes, which are never made; a lone surrogate counts as U+FFFD. */
export function hashString(text: string): number {
  const length = text.length;
  let hash = seed;
  let at = 0;
  for (const blocksEnd = length & ~3; at < blocksEnd; at += 4) {
    const first = text.charCodeAt(at);
    const second = text.charCodeAt(at + 1);
    const third = text.charCodeAt(at + 2);
    const fourth = text.charCodeAt(at + 3);
    if ((first | second | third | fourth) > 127) return hashWide(text, at, hash);
    hash = mixBlock(hash, first | (second << 8) | (third << 16) | (fourth << 24));
  }
  const first = at < length ? text.charCodeAt(at) : 0;
  const second = at + 1 < length ? text.charCodeAt(at + 1) : 0;
  const third = at + 2 < length ? text.charCodeAt(at + 2) : 0;
  if ((first | second | third) > 127) return hashWide(text, at, hash);
  return finishTail(hash, length, first, second, third);
}

/** Goes on with `hashString` from a place before which all characters are ASCII and fill whole blocks. */
function hashWide(text: string, from: number, before: number): number {
  let hash = before;
  let block = 0;
  let bytes = from;
  const add = (byte: number): void => {
    block |= byte << ((bytes & 3) << 3);
    bytes += 1;
    if ((bytes & 3) !== 0) return;
    hash = mixBlock(hash, block);
    block = 0;
  };
  for (let at = from; at < text.length; at += 1) {
    let code = text.charCodeAt(at);
    if (code >= 0xd800 && code <= 0xdfff) {
      const next = code <= 0xdbff && at + 1 < text.length ? text.charCodeAt(at + 1) : 0;
      if (next >= 0xdc00 && next <= 0xdfff) {
        code = 0x10000 + ((code - 0xd800) << 10) + (next - 0xdc00);
        at += 1;
      } else {
        code = 0xfffd;
      }
    }
    if (code < 0x80) {
      add(code);
    } else if (code < 0x800) {
      add(0xc0 | (code >> 6));
      add(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
      add(0xe0 | (code >> 12));
      add(0x80 | ((code >> 6) & 0x3f));
      add(0x80 | (code & 0x3f));
    } else {
      add(0xf0 | (code >> 18));
      add(0x80 | ((code >> 12) & 0x3f));
      add(0x80 | ((code >> 6) & 0x3f));
      add(0x80 | (code & 0x3f));
    }
  }
  if ((bytes & 3) !== 0) hash = mixBlock(hash, block);
  return finish(hash ^ bytes);
}
