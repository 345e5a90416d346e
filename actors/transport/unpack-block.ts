// Longer runs are copied by the engine at once; shorter ones byte by byte, which is faster.
const copiedAtOnce = 24;
const shortestMatch = 4;

/**
 * Unpacks a block of LZ4, for platforms that have no library for it: https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
 *
 * @returns undefined for what is no block of exactly so many bytes
 */
export function unpackBlock(block: Uint8Array, size: number): ArrayBuffer | undefined {
  const bytes = new Uint8Array(size);
  const end = block.byteLength;
  let [at, to] = [0, 0];
  while (at < end) {
    const token = block[at++] ?? 0;
    let literals = token >>> 4;
    if (literals === 15) [literals, at] = longer(block, literals, at);
    if (literals > end - at || literals > size - to) return undefined;
    if (literals > copiedAtOnce) bytes.set(block.subarray(at, at + literals), to);
    else for (let index = 0; index < literals; index++) bytes[to + index] = block[at + index] ?? 0;
    at += literals;
    to += literals;
    // The last sequence has literals only.
    if (at === end) return to === size ? bytes.buffer : undefined;
    const back = (block[at] ?? 0) + (block[at + 1] ?? 0) * 256;
    let length = token & 15;
    at += 2;
    if (length === 15) [length, at] = longer(block, length, at);
    length += shortestMatch;
    if (back === 0 || back > to || length > size - to) return undefined;
    if (length > copiedAtOnce && back >= length) bytes.copyWithin(to, to - back, to - back + length);
    else for (let index = 0; index < length; index++) bytes[to + index] = bytes[to + index - back] ?? 0;
    to += length;
  }
  return undefined;
}

/** A length that goes on in more bytes, and where they end. */
function longer(block: Uint8Array, begun: number, from: number): [length: number, at: number] {
  let [length, at] = [begun, from];
  for (;;) {
    const more = block[at++] ?? 0;
    length += more;
    if (more < 255) return [length, at];
  }
}
