import type { PartEncoder } from "./format.ts";
import { support } from "./batch-support.ts";

const utf8 = new TextEncoder();

/** An encoder of line formats: text for each run of objects; batches are taken apart into objects. */
export function textEncoder(
  textOf: (objects: readonly unknown[]) => string,
  batchText?: (objects: readonly unknown[]) => string,
): PartEncoder {
  const fromBatch = batchText ?? textOf;
  return {
    objects: (objects) => utf8.encode(textOf(objects)),
    batch: (batch) => utf8.encode(fromBatch(support().toObjects(batch))),
    heldBytes: 0,
    end: () => [],
  };
}
