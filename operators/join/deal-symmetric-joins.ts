import type { BatchSupport } from "../../lib/core/batch/index.ts";
import type { Deal } from "../../lib/core/contracts/operator.ts";
import type { Key } from "../../lib/core/contracts/partition.ts";
import { keyFunction } from "../../lib/core/key.ts";
import { groupOfMapKey } from "../../lib/core/map-key-group.ts";
import type { Payload } from "../../lib/core/payload.ts";
import { shareOf } from "../held-bytes.ts";
import { rowsOf, takenRows } from "../taken-rows.ts";
import type { SavedArrival, SymmetricFrameState } from "./frame-symmetric-join.ts";
import type { KeptState, SymmetricState } from "./object-symmetric-join.ts";
import { type JoinPlan, type JoinSide, keyNames } from "./options.ts";

/** Deals what symmetric joins of objects keep of both sides. */
export function dealKeptObjects(plan: JoinPlan): (states: readonly SymmetricState[], deal: Deal) => SymmetricState {
  const keysOf = { left: keyFunction(plan.left), right: keyFunction(plan.right) };
  return (states, deal) => {
    const parts = states.map((state): SymmetricState => {
      const [left, right] = [takenOf(state.left, keysOf.left, deal), takenOf(state.right, keysOf.right, deal)];
      const bytes = shareOf(
        state.bytes,
        objectsIn(left) + objectsIn(right),
        objectsIn(state.left) + objectsIn(state.right),
      );
      return { left, right, bytes };
    });
    const joined = (side: JoinSide): KeptState => ({
      table: parts.flatMap((part) => part[side].table),
      keyless: parts.flatMap((part) => part[side].keyless),
    });
    return { left: joined("left"), right: joined("right"), bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0) };
  };
}

function takenOf({ table, keyless }: KeptState, keyOf: (object: unknown) => Key, deal: Deal): KeptState {
  return {
    table: table.filter(([key]) => deal.takesGroup(groupOfMapKey(key))),
    keyless: keyless.filter((object) => deal.takes(keyOf(object))),
  };
}

/** Objects that are kept. A key of which nothing else is kept counts as one. */
function objectsIn({ table, keyless }: KeptState): number {
  return table.reduce((sum, [, objects]) => sum + Math.max(1, objects.length), keyless.length);
}

/** Deals the rows of symmetric joins of batches: those that have met the other side's, and those that wait. */
export function dealKeptFrames(
  plan: JoinPlan,
): (states: readonly SymmetricFrameState[], deal: Deal, support: BatchSupport) => SymmetricFrameState {
  const keys = { left: keyNames(plan.left) ?? [], right: keyNames(plan.right) ?? [] };
  return (states, deal, support) => {
    const takenPart = (side: JoinSide, payloads: readonly Payload[]): Payload[] =>
      takenRows(payloads, keys[side], deal, support);
    const parts = states.map((state): SymmetricFrameState => {
      const kept = { left: takenPart("left", state.kept.left), right: takenPart("right", state.kept.right) };
      const arrived = state.arrived.flatMap<SavedArrival>((each) =>
        each === "met" ? each : takenPart(each.side, [each.batch]).map((batch) => ({ side: each.side, batch })),
      );
      const bytes = shareOf(state.bytes, rowsIn({ kept, arrived }), rowsIn(state));
      return { kept, arrived, bytes };
    });
    return {
      kept: {
        left: parts.flatMap(({ kept }) => kept.left),
        right: parts.flatMap(({ kept }) => kept.right),
      },
      arrived: inOrder(parts.map(({ arrived }) => arrived)),
      bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  };
}

/** First all that has met, then what still waits: so that nothing meets that hasn't yet, and whose pairs nobody got. */
function inOrder(lists: readonly (readonly SavedArrival[])[]): SavedArrival[] {
  const waiting = (list: readonly SavedArrival[]): number => list.lastIndexOf("met") + 1;
  return [
    ...lists.flatMap((list) => list.slice(0, waiting(list))),
    ...lists.flatMap((list) => list.slice(waiting(list))),
  ];
}

function rowsIn({ kept, arrived }: Pick<SymmetricFrameState, "kept" | "arrived">): number {
  const batches = arrived.flatMap((each) => (each === "met" ? [] : each.batch));
  return rowsOf(kept.left) + rowsOf(kept.right) + rowsOf(batches);
}
