import { support } from "./batch-support.ts";
import type { PartEncoder } from "./format.ts";

const utf8 = new TextEncoder();

/**
 * An encoder of line formats: text for each run of objects; batches are taken apart into objects.
 *
 * @param state - what the text of later rows depends on, for formats where that is anything
 */
export function textEncoder(textOf: (objects: readonly unknown[]) => string, state?: () => unknown): PartEncoder {
  return {
    objects: (objects) => utf8.encode(textOf(objects)),
    batch: (batch) => utf8.encode(textOf(support().toObjects(batch))),
    heldBytes: 0,
    end: () => [],
    ...(state === undefined ? {} : { state }),
  };
}
