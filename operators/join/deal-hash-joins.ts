import type { BatchSupport } from "../../lib/core/batch/index.ts";
import type { Deal } from "../../lib/core/contracts/operator.ts";
import { keyFunction } from "../../lib/core/key.ts";
import { groupOfMapKey } from "../../lib/core/map-key-group.ts";
import { shareOf } from "../held-bytes.ts";
import { rowsOf, takenRows } from "../taken-rows.ts";
import { type FrameState, tracksBuilt } from "./frame-hash-join.ts";
import type { HashState } from "./object-hash-join.ts";
import { type JoinPlan, type JoinSide, keyNames } from "./options.ts";

/** Deals the tables of build-probe joins of objects. */
export function dealHashStates(
  plan: JoinPlan,
  build: JoinSide,
): (states: readonly HashState[], deal: Deal) => HashState {
  const keyOf = keyFunction(plan[build]);
  return (states, { takes, takesGroup }) => {
    const entries: HashState["entries"][number][] = [];
    const keyless: unknown[] = [];
    let bytes = 0;
    for (const state of states) {
      const takenEntries = state.entries.filter(([key]) => takesGroup(groupOfMapKey(key)));
      const takenKeyless = state.keyless.filter((object) => takes(keyOf(object)));
      for (const entry of takenEntries) entries.push(entry);
      for (const object of takenKeyless) keyless.push(object);
      const part = objectsIn(takenEntries) + takenKeyless.length;
      bytes += shareOf(state.bytes, part, objectsIn(state.entries) + state.keyless.length);
    }
    return { entries, keyless, probing: states.some(({ probing }) => probing), bytes };
  };
}

/** Objects of entries. A key of which nothing else is kept counts as one. */
function objectsIn(entries: HashState["entries"]): number {
  return entries.reduce((sum, [, objects]) => sum + Math.max(1, objects.length), 0);
}

/** Deals the build rows, and the probe rows that wait, of build-probe joins of batches. */
export function dealFrameStates(
  plan: JoinPlan,
  build: JoinSide,
): (states: readonly FrameState[], deal: Deal, support: BatchSupport) => FrameState {
  const builtKeys = keyNames(plan[build]) ?? [];
  const probeKeys = keyNames(plan[build === "left" ? "right" : "left"]) ?? [];
  return (states, deal, support) => {
    const parts = states.map((state): FrameState => {
      const built = takenRows(state.built, builtKeys, deal, support);
      const pending = takenRows(state.pending, probeKeys, deal, support);
      const unmatched = state.unmatched && takenRows(state.unmatched, builtKeys, deal, support);
      const bytes = shareOf(state.bytes, rowsOf(built) + rowsOf(pending), rowsOf(state.built) + rowsOf(state.pending));
      return { ...state, built, pending, unmatched, bytes };
    });
    const matching = tracksBuilt(plan, build) && parts.some(({ unmatched }) => unmatched !== undefined);
    // In a state that has matched nothing yet, no build row has its match.
    const unmatched = parts.flatMap((part) => part.unmatched ?? part.built);
    return {
      built: parts.flatMap((part) => part.built),
      pending: parts.flatMap(({ pending }) => pending),
      unmatched: matching ? unmatched : undefined,
      probeColumns: parts.find(({ probeColumns }) => probeColumns !== undefined)?.probeColumns,
      probing: parts.some(({ probing }) => probing),
      bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  };
}
