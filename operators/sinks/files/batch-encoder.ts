import { type BatchSupport, loadBatches } from "../../../lib/core/batch/index.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import { sampledBytes } from "../../held-bytes.ts";
import { oneBatch } from "../one-batch.ts";
import type { PartEncoder } from "./format.ts";
import { support } from "./batch-support.ts";
import { isCollection } from "./collection.ts";
import { columnNestedTooDeep } from "./nested-too-deep.ts";

/** What makes a file's bytes of all its rows as one batch. */
export type WriteBatch = (batch: unknown, batches: BatchSupport) => Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** An encoder of columnar formats: keeps a file's rows, and writes them at once; types are inferred from all of its objects. */
export function batchEncoder(what: string, write: WriteBatch): PartEncoder {
  let objects: unknown[] = [];
  let kept: unknown[] = [];
  let bytes = 0;
  return {
    objects: (given) => {
      for (const object of given) objects.push(object);
      bytes += sampledBytes(given);
      return undefined;
    },
    batch: (batch) => {
      kept.push(batch);
      bytes += support().bytes(batch);
      return undefined;
    },
    get heldBytes() {
      return bytes;
    },
    held: {
      get objects() {
        return objects;
      },
      get batches() {
        return kept;
      },
      restore: (givenObjects, givenBatches, givenBytes) => {
        objects = [...givenObjects];
        kept = [...givenBatches];
        bytes = givenBytes;
      },
    },
    end: async function* () {
      const batches = await loadBatches();
      if (objects.length > 0 && kept.length > 0) throw mixed(what);
      const batch = objects.length > 0 ? fromObjects(what, objects, batches) : oneBatch(kept, batches);
      objects = [];
      kept = [];
      bytes = 0;
      yield* write(batch, batches);
    },
  };
}

function fromObjects(format: string, objects: readonly unknown[], batches: BatchSupport): unknown {
  for (const object of objects) {
    if (typeof object === "object" && object !== null && !Array.isArray(object) && !isCollection(object)) continue;
    const what = isCollection(object) ? `a ${object.constructor.name}` : `a ${typeof object}`;
    throw new QStreamError("BAD_INPUT", `${format}: ${Array.isArray(object) ? "an array" : what} has no columns`, {
      advice: "Map the stream to plain objects first: { value: object }.",
    });
  }
  try {
    return batches.fromObjects(objects as Record<string, unknown>[], "arrow");
  } catch (error) {
    // Only a failure is worth the walk: types are inferred recursively, and what is circular exhausts the stack.
    const column = error instanceof RangeError ? columnNestedTooDeep(objects) : undefined;
    if (column === undefined) throw error;
    throw new QStreamError("BAD_INPUT", `${format}: an object is circular or nested too deep`, {
      column,
      advice: "Map it to null, text, numbers, arrays or plain objects first.",
      cause: error,
    });
  }
}

function mixed(what: string): QStreamError {
  return new QStreamError("MIXED_REPRESENTATION", `${what}: one stream has objects and columnar batches`, {
    advice: "Convert the stream to one of them first.",
  });
}
