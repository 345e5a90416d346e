import { loadArrow } from "./libraries.ts";
import type { BatchSupport } from "./support.ts";

export type { BatchSupport } from "./support.ts";
export { type ArrowLibrary, loadArrow, loadPolars, type PolarsLibrary } from "./libraries.ts";
export type { ColumnarView } from "./view.ts";
export { type Representation, representationOf, rowsOfBatch } from "./representation.ts";
export { verifyIpc, type VerifiedIpc, type VerifyIpcOptions } from "./verify-ipc.ts";

let loading: Promise<BatchSupport> | undefined;
let loaded: BatchSupport | undefined;

/** Loads what columnar batches need (80 ms the first time). @throws PACKAGE_MISSING */
export function loadBatches(): Promise<BatchSupport> {
  // Our own part is loaded late too: most flows hold no batch, and every slot would parse it.
  loading ??= Promise.all([loadArrow(), import("./support.ts")]).then(
    ([arrow, { createBatchSupport }]) => (loaded = createBatchSupport(arrow)),
    (error: unknown) => {
      loading = undefined;
      throw error;
    },
  );
  return loading;
}

/** The support for columnar batches, or undefined before `loadBatches` has ended. */
export function loadedBatches(): BatchSupport | undefined {
  return loaded;
}
