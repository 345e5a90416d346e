import { QStreamError } from "../../../lib/core/errors.ts";

/** Reads what a `ByteWriter` wrote. All bounds are checked: FRAME_INVALID for bytes that are cut or damaged. */
export class ByteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.byteLength;
  }

  byte(): number {
    const value = this.#bytes[this.#at++];
    if (value === undefined) throw cut();
    return value;
  }

  count(): number {
    let value = 0;
    for (let unit = 1; unit < 2 ** 53; unit *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) return value;
    }
    throw cut();
  }

  double(): number {
    const from = this.#skip(8);
    return this.#bytes.readDoubleLE(from);
  }

  text(): string {
    const head = this.count();
    const length = Math.floor(head / 2);
    if (head % 2 === 0) {
      const from = this.#skip(length);
      return this.#bytes.toString("latin1", from, from + length);
    }
    const from = this.#skip(2 * length);
    return this.#bytes.toString("utf16le", from, from + 2 * length);
  }

  /** A view, and no copy. */
  bytes(): Uint8Array {
    const length = this.count();
    const from = this.#skip(length);
    return this.#bytes.subarray(from, from + length);
  }

  #skip(bytes: number): number {
    const from = this.#at;
    if (bytes > this.#bytes.byteLength - from) throw cut();
    this.#at += bytes;
    return from;
  }
}

function cut(): QStreamError {
  return new QStreamError("FRAME_INVALID", "the record of a durable actor's transition is cut or damaged");
}
