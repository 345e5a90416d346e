import { type BatchSupport, loadBatches } from "../../lib/core/batch/index.ts";
import type { Deal } from "../../lib/core/contracts/operator.ts";
import type { KeySelector } from "../../lib/core/key.ts";
import type { JoinState } from "./join-operator.ts";
import type { JoinPlan } from "./options.ts";

/** Puts the taken part of several states of one form of a join into one. */
export interface JoinDeals {
  readonly objects: (states: readonly never[], deal: Deal) => unknown;
  readonly frames: (states: readonly never[], deal: Deal, support: BatchSupport) => unknown;
}

/** The `deal` of a join. */
export function dealJoins({
  objects,
  frames,
}: JoinDeals): (states: readonly JoinState[], deal: Deal) => JoinState | Promise<JoinState> {
  return (states, deal) => {
    const begun = states.filter(({ columnar }) => columnar !== undefined);
    const cores = begun.map(({ core }) => core as never);
    const columnar = begun[0]?.columnar;
    const left = begun.find((state) => state.left !== undefined)?.left;
    const right = begun.find((state) => state.right !== undefined)?.right;
    if (columnar === undefined) return { columnar, left, right, core: undefined };
    if (!columnar) return { columnar, left, right, core: objects(cores, deal) };
    return loadBatches().then((support) => ({ columnar, left, right, core: frames(cores, deal, support) }));
  };
}

/** The keys of both sides, for the definition. */
export function keysOf<L, R>({
  left,
  right,
}: JoinPlan): {
  readonly left: KeySelector<L>;
  readonly right: KeySelector<R>;
} {
  return { left: left as KeySelector<L>, right: right as KeySelector<R> };
}
