import type { Schema } from "apache-arrow";
import { decodeSound } from "./frame.ts";
import type { ArrowLibrary } from "./libraries.ts";
import { verifyIpc } from "./verify-ipc.ts";

/** Schemas that were decoded are kept by their bytes, up to this many: batches of a stream share one. */
const keptSchemas = 64;

/** Turns schemas into bytes and back, each only once for all batches that share it. */
export class SchemaCodec {
  readonly #arrow: ArrowLibrary;
  readonly #encoded = new WeakMap<Schema, Uint8Array>();
  readonly #decoded = new Map<string, Schema>();

  constructor(arrow: ArrowLibrary) {
    this.#arrow = arrow;
  }

  encode(schema: Schema): Uint8Array {
    const known = this.#encoded.get(schema);
    if (known !== undefined) return known;
    const bytes = this.#arrow.tableToIPC(new this.#arrow.Table(schema), "stream");
    this.#encoded.set(schema, bytes);
    return bytes;
  }

  decode(bytes: Uint8Array): Schema {
    const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
    const known = this.#decoded.get(key);
    if (known !== undefined) return known;
    const schema = decodeSound(() => {
      verifyIpc(bytes);
      return this.#arrow.tableFromIPC(bytes.slice()).schema;
    });
    if (this.#decoded.size >= keptSchemas) {
      for (const oldest of this.#decoded.keys()) {
        this.#decoded.delete(oldest);
        break;
      }
    }
    this.#decoded.set(key, schema);
    this.#encoded.set(schema, Uint8Array.from(bytes));
    return schema;
  }
}
