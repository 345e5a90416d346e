import { connect, type Socket, type TcpNetConnectOpts } from "node:net";
import type { WebSocket } from "ws";

// A read takes as much as has come, up to this. Payloads up to the second figure are cut out of what was read; into the memory of
// larger ones the system reads itself, so that nobody copies them.
const readBytes = 256 * 1024;
const largeBytes = 32 * 1024;
// What is read behind a large payload, where another one is likely: its head, and little that would have to be copied.
const headReadBytes = 4096;

const opcodes = { continuation: 0, text: 1, binary: 2, firstOfControl: 8 } as const;

interface Large {
  readonly bytes: Uint8Array;
  readonly last: boolean;
  filled: number;
}

export interface BulkLimits {
  /** Bytes that a message may have. */
  readonly bytesMax: number;
  readonly fragmentsMax: number;
}

/**
 * Reads a WebSocket's messages at its client's end in place of ws, which gets every 64 KiB by itself, and then puts them together:
 * for parcels of a megabyte that takes longer than all the rest. Messages are emitted as ws does, in fragments; they may lie in
 * memory that is used again, so that whoever listens to them copies what is to stay, unless it has a buffer of its own. Frames
 * other than data are left to ws, and what isn't right ends the connection.
 */
export class BulkReader {
  readonly #limits: BulkLimits;
  readonly #read = Buffer.allocUnsafeSlow(readBytes);
  #from = 0;
  #to = 0;
  #large: Large | undefined;
  #readBytes = readBytes;
  /** Of the message that has begun. */
  #fragments: Uint8Array[] = [];
  #bytes = 0;
  #begun = false;
  #socket: WebSocket | undefined;
  /** Takes what is for ws. */
  #others: (bytes: Uint8Array) => void = () => {};
  #failed = false;

  constructor(limits: BulkLimits) {
    this.#limits = limits;
  }

  /** Opens the stream that is to be read. Until a WebSocket was opened on it, all that comes is for others. */
  connect(options: TcpNetConnectOpts): Socket {
    // The next read's place is asked for behind each one: what the reader is given by hand before it would be in its way.
    const early = Buffer.allocUnsafeSlow(headReadBytes);
    let direct = false;
    const stream: Socket = connect({
      ...options,
      onread: {
        buffer: () => (direct ? this.#place() : early),
        callback: (count: number) => {
          if (this.#socket === undefined) return stream.push(Buffer.from(early.subarray(0, count)));
          if (direct) this.#came(count);
          else this.take(early.subarray(0, count));
          direct = true;
          return true;
        },
      },
    });
    return stream;
  }

  /** The WebSocket is open, and paused. */
  attach(socket: WebSocket, stream: Socket): void {
    const listeners = stream.listeners("data") as ((bytes: Uint8Array) => void)[];
    stream.removeAllListeners("data");
    this.#others = (bytes) => {
      for (const listener of listeners) listener.call(stream, bytes);
    };
    // What came together with the answer to the handshake.
    stream.on("data", (bytes: Uint8Array) => this.take(bytes));
    this.#socket = socket;
  }

  /** Takes bytes that were read already. */
  take(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.byteLength;) {
      const place = this.#place();
      const count = Math.min(place.byteLength, bytes.byteLength - at);
      place.set(bytes.subarray(at, at + count));
      at += count;
      this.#came(count);
    }
  }

  /** Where the next bytes are to be. */
  #place(): Uint8Array {
    return this.#large === undefined
      ? this.#read.subarray(this.#to, this.#to + this.#readBytes)
      : this.#large.bytes.subarray(this.#large.filled);
  }

  #came(count: number): void {
    if (this.#failed) return;
    const large = this.#large;
    if (large === undefined) {
      this.#to += count;
      this.#cut();
      return;
    }
    large.filled += count;
    if (large.filled < large.bytes.byteLength) return;
    this.#large = undefined;
    this.#readBytes = headReadBytes;
    this.#add(large.bytes, large.last);
  }

  /** Cuts what was read into frames. What is left of it goes to the front. */
  #cut(): void {
    while (!this.#failed && this.#frame());
    if (this.#from === this.#to) {
      this.#from = 0;
      this.#to = 0;
    } else if (this.#from > 0) {
      this.#read.copyWithin(0, this.#from, this.#to);
      this.#to -= this.#from;
      this.#from = 0;
    }
  }

  /** False where a frame's end is still to come. */
  #frame(): boolean {
    const read = this.#read;
    const from = this.#from;
    const here = this.#to - from;
    if (here < 2) return false;
    const [first = 0, second = 0] = [read[from], read[from + 1]];
    const short = second & 0x7f;
    const headBytes = short === 127 ? 10 : short === 126 ? 4 : 2;
    if (here < headBytes) return false;
    const length =
      short === 127
        ? read.readUInt32BE(from + 2) * 2 ** 32 + read.readUInt32BE(from + 6)
        : short === 126
          ? read.readUInt16BE(from + 2)
          : short;
    const opcode = first & 0x0f;
    if (opcode >= opcodes.firstOfControl) {
      if (length > 125) return this.#fail("WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH");
      if (here < headBytes + length) return false;
      this.#from += headBytes + length;
      // It may keep them.
      this.#others(Buffer.from(read.subarray(from, from + headBytes + length)));
      return true;
    }
    const wrong = this.#wrongWith(first, second, length);
    if (wrong !== undefined) return this.#fail(wrong);
    return this.#data(from + headBytes, length, (first & 0x80) !== 0);
  }

  #wrongWith(first: number, second: number, length: number): string | undefined {
    if ((first & 0x70) !== 0) return "WS_ERR_UNEXPECTED_RSV_1";
    if ((second & 0x80) !== 0) return "WS_ERR_UNEXPECTED_MASK";
    if ((first & 0x0f) !== (this.#begun ? opcodes.continuation : opcodes.binary)) return "WS_ERR_INVALID_OPCODE";
    if (this.#bytes + length > this.#limits.bytesMax) return "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH";
    if (this.#fragments.length >= this.#limits.fragmentsMax) return "WS_ERR_TOO_MANY_BUFFERED_PARTS";
    return undefined;
  }

  #data(at: number, length: number, last: boolean): boolean {
    const end = at + length;
    if (end <= this.#to) {
      this.#from = end;
      if (last) this.#readBytes = readBytes;
      this.#add(this.#read.subarray(at, end), last);
      return true;
    }
    if (length <= largeBytes) return false;
    const bytes = Buffer.allocUnsafeSlow(length);
    bytes.set(this.#read.subarray(at, this.#to));
    this.#large = { bytes, last, filled: this.#to - at };
    this.#from = this.#to;
    return false;
  }

  #add(fragment: Uint8Array, last: boolean): void {
    this.#begun = !last;
    if (!last) {
      // By the time that the message is whole, something else may lie where it was read to.
      if (fragment.byteLength > 0)
        this.#fragments.push(fragment.buffer === this.#read.buffer ? Buffer.from(fragment) : fragment);
      this.#bytes += fragment.byteLength;
      return;
    }
    const fragments = this.#fragments;
    if (fragment.byteLength > 0) fragments.push(fragment);
    this.#fragments = [];
    this.#bytes = 0;
    this.#socket?.emit("message", fragments, true);
  }

  #fail(code: string): false {
    this.#failed = true;
    this.#socket?.emit("error", Object.assign(new RangeError(`a WebSocket frame is invalid: ${code}`), { code }));
    this.#socket?.terminate();
    return false;
  }
}
