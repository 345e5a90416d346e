import { createHash, timingSafeEqual } from "node:crypto";
import { QStreamError } from "../../lib/core/errors.ts";

/*
 * The first bytes on a socket, from the slot that dialled: 32 bits magic, 16 bits version, 16 bits length of the slot's name,
 * 16 bits length of the token, all little-endian; then the name and the token in UTF-8.
 */
const magic = 0x48545351;
const version = 1;
const preambleBytes = 10;
const helloBytesMax = 1024;

export interface Hello {
  readonly slot: string;
  readonly token: string;
}

export function encodeHello({ slot, token }: Hello): Uint8Array {
  const name = Buffer.from(slot);
  const secret = Buffer.from(token);
  const bytes = Buffer.alloc(preambleBytes + name.byteLength + secret.byteLength);
  if (bytes.byteLength > helloBytesMax) {
    throw new QStreamError(
      "OPTION_INVALID",
      `the name of slot "${slot.slice(0, 64)}" and its session's token are too long`,
      {
        advice: `Together they may have ${helloBytesMax - preambleBytes} bytes.`,
      },
    );
  }
  bytes.writeUInt32LE(magic, 0);
  bytes.writeUInt16LE(version, 4);
  bytes.writeUInt16LE(name.byteLength, 6);
  bytes.writeUInt16LE(secret.byteLength, 8);
  name.copy(bytes, preambleBytes);
  secret.copy(bytes, preambleBytes + name.byteLength);
  return bytes;
}

/** Reads a hello from a stream's first chunks. */
export class HelloReader {
  #bytes: Buffer = Buffer.alloc(0);

  /**
   * Returns the hello once it's complete, with the bytes that follow it.
   *
   * @throws QStreamError FRAME_INVALID
   */
  push(chunk: Uint8Array): { readonly hello: Hello; readonly rest: Uint8Array } | undefined {
    const bytes = this.#bytes.byteLength === 0 ? Buffer.from(chunk) : Buffer.concat([this.#bytes, chunk]);
    this.#bytes = bytes;
    if (bytes.byteLength < preambleBytes) return undefined;
    if (bytes.readUInt32LE(0) !== magic || bytes.readUInt16LE(4) !== version) {
      throw new QStreamError("FRAME_INVALID", "a socket was opened by something that isn't this version of QStream");
    }
    const nameEnd = preambleBytes + bytes.readUInt16LE(6);
    const end = nameEnd + bytes.readUInt16LE(8);
    if (end > helloBytesMax)
      throw new QStreamError("FRAME_INVALID", `a hello has ${end} bytes, more than ${helloBytesMax}`);
    if (bytes.byteLength < end) return undefined;
    const hello = { slot: bytes.toString("utf8", preambleBytes, nameEnd), token: bytes.toString("utf8", nameEnd, end) };
    return { hello, rest: bytes.subarray(end) };
  }
}

/** Compares two tokens in a time that says nothing about where they differ. */
export function sameToken(first: string, second: string): boolean {
  return timingSafeEqual(createHash("sha256").update(first).digest(), createHash("sha256").update(second).digest());
}
