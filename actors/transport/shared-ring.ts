// Smaller payloads are nothing to collect; larger ones are few.
const sharedFromBytes = 64 * 1024;
const sharedToBytes = 4 * 2 ** 20;
const ringBytes = 32 * 2 ** 20;
// Of each place, which begins with its length and whether it is free, as 32 bits each.
const alignment = 64;
const headBytes = 8;
const taken = 0;
const free = 1;

/** Where a payload is in memory that two threads share. */
export interface SharedPlace {
  readonly memory: SharedArrayBuffer;
  readonly at: number;
  readonly bytes: number;
}

/**
 * A payload that is somewhere else than in its message, and whose place is somebody's to use again once `release` was called.
 */
export interface SharedPayload {
  readonly bytes: Uint8Array;
  readonly release: () => void;
}

/**
 * Memory through which a slot's thread hands payloads to the thread that has the sockets, which writes them from there. A buffer that
 * changes hands would be pressure on the other thread's heap for as long as the other machine hasn't acknowledged it: the
 * engine would look through all of that again and again. Places are taken in turn, and are free again in any order.
 */
export class SharedRing {
  #memory: SharedArrayBuffer | undefined;
  #words: Int32Array = new Int32Array(0);
  #bytes: Uint8Array = new Uint8Array(0);
  #head = 0;
  #tail = 0;
  #used = 0;

  /** Copies a payload into the ring. Undefined for one that is too small or too large for that, and while the ring is full. */
  put(payload: Uint8Array): SharedPlace | undefined {
    const bytes = payload.byteLength;
    if (bytes < sharedFromBytes || bytes > sharedToBytes) return undefined;
    const memory = this.#open();
    this.#reclaim();
    const needed = Math.ceil((headBytes + bytes) / alignment) * alignment;
    const toEnd = ringBytes - this.#head;
    if (needed > toEnd) {
      if (this.#used + toEnd + needed > ringBytes) return undefined;
      this.#take(toEnd, free);
    } else if (this.#used + needed > ringBytes) {
      return undefined;
    }
    const at = this.#head;
    this.#take(needed, taken);
    this.#bytes.set(payload, at + headBytes);
    return { memory, at, bytes };
  }

  #open(): SharedArrayBuffer {
    if (this.#memory !== undefined) return this.#memory;
    this.#memory = new SharedArrayBuffer(ringBytes);
    this.#words = new Int32Array(this.#memory);
    this.#bytes = new Uint8Array(this.#memory);
    return this.#memory;
  }

  #take(bytes: number, state: number): void {
    const word = this.#head / 4;
    this.#words[word] = bytes;
    Atomics.store(this.#words, word + 1, state);
    this.#used += bytes;
    this.#head = (this.#head + bytes) % ringBytes;
  }

  #reclaim(): void {
    while (this.#used > 0 && Atomics.load(this.#words, this.#tail / 4 + 1) === free) {
      const bytes = this.#words[this.#tail / 4] ?? 0;
      this.#used -= bytes;
      this.#tail = (this.#tail + bytes) % ringBytes;
    }
  }
}

/** The payload in a place, for whoever was handed it. */
export function payloadAt({ memory, at, bytes }: SharedPlace): SharedPayload {
  return {
    bytes: new Uint8Array(memory, at + headBytes, bytes),
    release: () => void Atomics.store(new Int32Array(memory, at, 2), 1, free),
  };
}
