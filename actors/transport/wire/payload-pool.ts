// Smaller payloads are nothing to the collector; larger ones are few.
const pooledFromBytes = 64 * 1024;
const pooledToBytes = 16 * 2 ** 20;
const freeBytesMost = 32 * 2 ** 20;
// Sizes between one power of two and the next: a quarter of the memory is unused at most.
const stepsBetweenPowers = 4;

/**
 * Memory in which payloads wait until the other end has them. They come from slots' threads in buffers of their own: the engine
 * counts those as pressure on this thread's heap, and would look through all of it again and again if they lived for longer.
 */
export class PayloadPool {
  readonly #free = new Map<number, Uint8Array[]>();
  #freeBytes = 0;

  /** A copy in memory that is to be given back by `release`; the payload itself if it is too small or too large for that. */
  keep(payload: Uint8Array): Uint8Array {
    const { byteLength } = payload;
    if (byteLength < pooledFromBytes || byteLength > pooledToBytes) return payload;
    const size = sizeFor(byteLength);
    const found = this.#free.get(size)?.pop();
    if (found !== undefined) this.#freeBytes -= size;
    const memory = found ?? Buffer.allocUnsafeSlow(size);
    memory.set(payload);
    return memory.subarray(0, byteLength);
  }

  /** Nobody reads what `keep` returned any more. */
  release(kept: Uint8Array): void {
    const size = kept.buffer.byteLength;
    if (kept.byteLength < pooledFromBytes || kept.byteLength > pooledToBytes) return;
    if (this.#freeBytes + size > freeBytesMost) return;
    this.#freeBytes += size;
    const free = this.#free.get(size);
    const memory = Buffer.from(kept.buffer);
    if (free === undefined) this.#free.set(size, [memory]);
    else free.push(memory);
  }
}

function sizeFor(bytes: number): number {
  const step = 2 ** Math.floor(Math.log2(bytes)) / stepsBetweenPowers;
  return Math.ceil(bytes / step) * step;
}
