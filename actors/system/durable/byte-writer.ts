const firstBytes = 1 << 16;
const asciiLoopMax = 24;

/**
 * Writes small values one after the other into memory that it uses again. What is cut off stays good: memory that is full is left
 * to whoever has parts of it.
 */
export class ByteWriter {
  #bytes = Buffer.allocUnsafeSlow(firstBytes);
  #from = 0;
  #at = 0;

  /** Begins something new. What wasn't cut off is written over. */
  begin(): void {
    this.#at = this.#from;
  }

  /** What was written since it was begun. */
  cut(): Uint8Array {
    const cut = this.#bytes.subarray(this.#from, this.#at);
    this.#from = this.#at;
    return cut;
  }

  /** Writes over a byte, counted from where it was begun. */
  patch(offset: number, byte: number): void {
    this.#bytes[this.#from + offset] = byte;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = value;
  }

  /** A whole number from 0 on, of up to 53 bits: seven bits a byte, the lowest first. */
  count(value: number): void {
    this.#reserve(8);
    let left = value;
    while (left >= 0x80) {
      this.#bytes[this.#at++] = (left % 0x80) | 0x80;
      left = left < 2 ** 31 ? left >>> 7 : Math.floor(left / 0x80);
    }
    this.#bytes[this.#at++] = left;
  }

  double(value: number): void {
    this.#reserve(8);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  /** Text with its length: a byte a character where all are ASCII, else two. */
  text(value: string): void {
    const { length } = value;
    this.#reserve(2 * length + 9);
    if (isAscii(value)) {
      this.count(length * 2);
      if (length > asciiLoopMax) this.#at += this.#bytes.write(value, this.#at, "latin1");
      else for (let index = 0; index < length; index++) this.#bytes[this.#at++] = value.charCodeAt(index);
    } else {
      this.count(length * 2 + 1);
      this.#at += this.#bytes.write(value, this.#at, "utf16le");
    }
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.byteLength + 9);
    this.count(value.byteLength);
    this.#bytes.set(value, this.#at);
    this.#at += value.byteLength;
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.byteLength) return;
    const begun = this.#bytes.subarray(this.#from, this.#at);
    const grown = Buffer.allocUnsafeSlow(Math.max(firstBytes, 2 * (begun.byteLength + bytes)));
    grown.set(begun);
    this.#bytes = grown;
    this.#from = 0;
    this.#at = begun.byteLength;
  }
}

function isAscii(text: string): boolean {
  if (text.length > asciiLoopMax) return /^[\0-\x7f]*$/u.test(text);
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 0x7f) return false;
  return true;
}
