import { QStreamError } from "../errors.ts";
import { FlatBytes, type FlatTable } from "./flat-bytes.ts";
import { verifyBatch } from "./ipc-columns.ts";
import { type IpcField, readSchema } from "./ipc-schema.ts";

export interface VerifyIpcOptions {
  /** Name of the file, for errors. */
  readonly file?: string;
  /** True to accept a stream that ends without its end mark, as one does that was cut between two batches. Default false. */
  readonly missingEnd?: boolean;
}

/** What verified bytes hold. */
export interface VerifiedIpc {
  readonly format: "stream" | "file";
  readonly rows: number;
  readonly batches: number;
  /** True where buffers are compressed: their contents weren't checked, and apache-arrow can't read them by itself. */
  readonly compressed: boolean;
}

const headerTypes = { schema: 1, dictionaryBatch: 2, recordBatch: 3 } as const;
const fileMagic = "ARROW1";
const continuation = 0xffffffff;

/**
 * Checks the structure of Arrow IPC bytes, of the stream or the file format, before a library decodes them: broken ones can
 * abort Polars and exhaust the heap of apache-arrow. Flipped bits within values can't be found.
 *
 * @param bytes - the whole stream or file
 * @returns what the bytes hold
 * @throws QStreamError BAD_INPUT with file, batch and column, saying what is wrong
 * @example
 * const { rows } = verifyIpc(bytes, { file: "flights.arrow" });
 * const table = tableFromIPC(bytes);
 */
export function verifyIpc(bytes: Uint8Array, options: VerifyIpcOptions = {}): VerifiedIpc {
  const verifier = new IpcVerifier(bytes, options);
  return textAt(bytes, 0) === fileMagic ? verifier.file() : verifier.stream();
}

function textAt(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + fileMagic.length));
}

interface IpcMessage {
  readonly flat: FlatBytes;
  readonly type: number;
  readonly header: FlatTable;
  readonly version: number;
  readonly body: Uint8Array;
  readonly end: number;
}

class IpcVerifier {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #options: VerifyIpcOptions;
  readonly #dictionaries = new Map<number, number>();
  #fields: readonly IpcField[] | undefined;
  #dictionaryFields = new Map<number, IpcField>();
  #place = "";
  #rows = 0;
  #batches = 0;
  #compressed = false;

  constructor(bytes: Uint8Array, options: VerifyIpcOptions) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#options = options;
  }

  stream(): VerifiedIpc {
    let at = 0;
    for (let index = 0; ; index++) {
      this.#place = `message ${index + 1} at byte ${at}: `;
      if (at === this.#bytes.byteLength && index > 0) {
        if (this.#options.missingEnd !== true)
          this.#fail("the stream ends without its end mark, so it may have been cut off");
        break;
      }
      const message = this.#message(at, this.#bytes.byteLength);
      if (message === undefined) break;
      if (message.type === headerTypes.schema) this.#schema(message.flat, message.header);
      else this.#content(message);
      at = message.end;
    }
    if (this.#fields === undefined) this.#fail("there is no schema");
    return this.#verified("stream");
  }

  file(): VerifiedIpc {
    const { byteLength } = this.#bytes;
    this.#place = "footer: ";
    if (byteLength < 24 || textAt(this.#bytes, byteLength - 6) !== fileMagic) this.#fail("the file was cut off");
    const length = this.#view.getInt32(byteLength - 10, true);
    const start = byteLength - 10 - length;
    if (length <= 0 || start < 8) this.#fail(`its length is ${length}`);
    const flat = new FlatBytes(this.#bytes.subarray(start, byteLength - 10), this.#fail);
    const footer = flat.root();
    this.#schema(flat, footer.table(1) ?? this.#fail("there is no schema"));
    for (const [number, type] of [
      [2, headerTypes.dictionaryBatch],
      [3, headerTypes.recordBatch],
    ] as const) {
      const blocks = footer.vector(number, 24);
      for (let index = 0; index < blocks.length; index++) this.#block(flat, blocks.at + index * 24, type, start);
    }
    return this.#verified("file");
  }

  #block(flat: FlatBytes, at: number, type: number, end: number): void {
    const offset = flat.size(at);
    this.#place = `block at byte ${offset}: `;
    const metadataLength = flat.view.getInt32(at + 8, true);
    const bodyLength = flat.size(at + 16);
    if (offset < 8 || offset % 8 !== 0 || offset > end) this.#fail("it lies outside of the file");
    const message = this.#message(offset, end) ?? this.#fail("it is empty");
    if (message.type !== type) this.#fail("it isn't what the footer says");
    const bodyAt = message.end - message.body.byteLength;
    if (offset + metadataLength !== bodyAt || message.body.byteLength !== bodyLength) {
      this.#fail("its lengths aren't what the footer says");
    }
    this.#content(message);
  }

  readonly #fail = (what: string): never => {
    const { file } = this.#options;
    throw new QStreamError("BAD_INPUT", `Arrow data is damaged: ${this.#place}${what}`, {
      ...(file === undefined ? {} : { file }),
      advice: "Write it again, or fetch it again if it was cut off on its way.",
    });
  };

  /** The message at a position, with its body; undefined for the end mark. */
  #message(at: number, limit: number): IpcMessage | undefined {
    const word = (position: number): number => {
      if (position + 4 > limit) this.#fail("it is cut off");
      return this.#view.getUint32(position, true);
    };
    const marked = word(at) === continuation;
    const length = word(marked ? at + 4 : at);
    if (length === 0) return undefined;
    const start = at + (marked ? 8 : 4);
    if (start + length > limit) this.#fail(`its metadata of ${length} bytes is cut off`);
    const flat = new FlatBytes(this.#bytes.subarray(start, start + length), this.#fail);
    const root = flat.root();
    const bodyLength = root.size(3);
    const bodyAt = start + length;
    if (bodyAt + bodyLength > limit) this.#fail(`its body of ${bodyLength} bytes is cut off`);
    for (const entry of root.tables(4)) {
      entry.text(0);
      entry.text(1);
    }
    const version = root.int16(0, 0);
    if (version < 3 || version > 4) this.#fail(`its version is ${version}`);
    return {
      flat,
      version,
      type: root.byte(1, 0),
      header: root.table(2) ?? this.#fail("it has no content"),
      body: this.#bytes.subarray(bodyAt, bodyAt + bodyLength),
      end: bodyAt + bodyLength,
    };
  }

  #schema(flat: FlatBytes, schema: FlatTable): void {
    if (this.#fields !== undefined) this.#fail("there is a second schema");
    this.#fields = readSchema(flat, schema);
    this.#collectDictionaries(this.#fields);
  }

  #collectDictionaries(fields: readonly IpcField[]): void {
    for (const field of fields) {
      if (field.dictionary !== undefined) {
        this.#dictionaryFields.set(field.dictionary.id, { ...field, dictionary: undefined });
      }
      this.#collectDictionaries(field.children);
    }
  }

  #content({ flat, type, header, body, version }: IpcMessage): void {
    const fields = this.#fields ?? this.#fail("it comes before the schema");
    const legacy = version < 4;
    if (type === headerTypes.recordBatch) {
      const { rows, compressed } = verifyBatch(flat, header, body, fields, this.#dictionaries, legacy);
      this.#rows += rows;
      this.#batches += 1;
      this.#compressed ||= compressed;
    } else if (type === headerTypes.dictionaryBatch) {
      const id = header.size(0);
      const field = this.#dictionaryFields.get(id) ?? this.#fail(`no column has the dictionary ${id}`);
      const data = header.table(1) ?? this.#fail("a dictionary has no entries");
      const { rows, compressed } = verifyBatch(flat, data, body, [field], this.#dictionaries, legacy);
      const isDelta = header.byte(2, 0) !== 0;
      this.#dictionaries.set(id, isDelta ? (this.#dictionaries.get(id) ?? 0) + rows : rows);
      this.#compressed ||= compressed;
    } else {
      this.#fail(`its kind (${type}) isn't one of tables`);
    }
  }

  #verified(format: VerifiedIpc["format"]): VerifiedIpc {
    return { format, rows: this.#rows, batches: this.#batches, compressed: this.#compressed };
  }
}
