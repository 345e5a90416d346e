import type { LineageStore } from "../core/contracts/lineage-store.ts";
import { QStreamError } from "../core/errors.ts";
import { nextName } from "../flow/rescaled-name.ts";
import type { KnownExecution } from "./known-execution.ts";

/**
 * Refuses to go on with an execution of which the cluster knows better.
 *
 * @param known - what the head knows of it; undefined where that is nothing (any more)
 * @throws QStreamError EXECUTION_TAKEN where it runs, EXECUTION_UNKNOWN where it is done
 */
export function refuseResuming(execution: string, known: KnownExecution | undefined): void {
  if (known !== undefined && known.end === undefined) {
    throw new QStreamError("EXECUTION_TAKEN", `execution ${execution} can't be gone on with: it runs`, {
      advice: "qstream ps shows it; qstream follow gives its outputs, qstream cancel ends it",
    });
  }
  if (known?.status === "done") {
    throw new QStreamError("EXECUTION_UNKNOWN", `execution ${execution} can't be gone on with: it is done`, {
      advice: "qstream follow gives its outputs; what is done isn't kept",
    });
  }
}

/** What a store keeps of an execution, so that its client can see whether it is one of his flow. @throws QStreamError EXECUTION_UNKNOWN */
export async function descriptionOf(store: LineageStore | undefined, execution: string): Promise<Uint8Array> {
  const found = await store?.find(execution);
  if (found !== undefined) return found.description;
  throw new QStreamError("EXECUTION_UNKNOWN", `the cluster's store has no execution ${execution}`, {
    advice:
      "qstream executions --store with the URL of that store lists what it has; what is done, had no lineage or hadn't begun isn't kept",
  });
}

/** Leaves of the lineage of an execution that has ended what somebody needs to go on with it: of one that is done, nothing. */
export async function settleLineage(store: LineageStore, { name, status }: KnownExecution): Promise<void> {
  if (status === "failed" || status === "cancelled") {
    await store.setStatus(name, status).catch((error: unknown) => {
      // Nothing was written of it, or somebody has removed that.
      if (!(error instanceof QStreamError) || error.code !== "EXECUTION_UNKNOWN") throw error;
    });
    return;
  }
  // Of a change of channels that came half way there may be something, which would look whole without this one.
  await store.drop(nextName(name));
  await store.drop(name);
}
