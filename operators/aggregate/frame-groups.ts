import type { DataFrame, Expr } from "nodejs-polars";
import type { BatchSupport } from "../../lib/core/batch/index.ts";
import type { Deal, Representation } from "../../lib/core/contracts/operator.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import {
  dealBatches,
  HeldBatches,
  type HeldBatchesChanges,
  type HeldBatchesState,
  joinedBatches,
} from "../held-batches.ts";
import { requireColumns } from "../require-columns.ts";
import { mergeExpressions, resultExpressions, stateExpressions } from "./expressions.ts";
import type { AggregatePlan } from "./plan.ts";

/** Rows and bytes of batches that are held until they are grouped together. */
const pendingRows = 1 << 18;
const pendingBytes = 32 << 20;
/** Rows of states that are held without being merged. */
const statesRows = 1 << 16;

/** The state of groups of columnar batches: batches that weren't grouped yet, and states of groups. */
export interface FrameGroupsState {
  readonly pending: HeldBatchesState;
  readonly states: HeldBatchesState;
  /** Rows of states after they were last merged. */
  readonly merged: number;
}

/** What has changed in groups: of batches that came, and of states, those that were added or all that were merged. */
export interface FrameGroupsChanges {
  readonly pending: HeldBatchesChanges;
  readonly states: HeldBatchesChanges;
  readonly merged: number;
}

/** The groups of several states whose keys are taken. */
export function dealFrameGroups(
  states: readonly FrameGroupsState[],
  by: readonly string[],
  deal: Deal,
  support: BatchSupport,
): FrameGroupsState {
  const dealt = (part: "pending" | "states"): HeldBatchesState =>
    dealBatches(
      states.map((state) => state[part]),
      by,
      deal,
      support,
    );
  return { pending: dealt("pending"), states: dealt("states"), merged: mergedRows(states) };
}

/** The groups of several states, which may have the same ones. */
export function joinedFrameGroups(states: readonly FrameGroupsState[]): FrameGroupsState {
  return {
    pending: joinedBatches(states.map(({ pending }) => pending)),
    states: joinedBatches(states.map(({ states: held }) => held)),
    merged: mergedRows(states),
  };
}

/** Of several states most rows are merged with none of the others: they count as one state's, which are merged again soon. */
function mergedRows(states: readonly FrameGroupsState[]): number {
  return states.reduce((most, { merged }) => Math.max(most, merged), 0);
}

/** Groups of columnar batches, aggregated by Polars. Groups come in the order of their first rows. */
export class FrameGroups {
  readonly #plan: AggregatePlan;
  readonly #pending = new HeldBatches();
  readonly #states = new HeldBatches();
  /** Rows of states after they were last merged. */
  #merged = 0;

  constructor(plan: AggregatePlan) {
    this.#plan = plan;
  }

  /** Groups that are held, or more where some are held twice. */
  get size(): number {
    return this.#states.rows;
  }

  /** What the stream holds; undefined before its first object. */
  get representation(): Representation | undefined {
    return this.#pending.representation;
  }

  set representation(representation: Representation | undefined) {
    this.#pending.representation = representation;
    this.#states.representation = representation;
  }

  ready(): Promise<unknown> | undefined {
    return this.#pending.ready();
  }

  isColumnar(objects: readonly unknown[]): boolean {
    const columnar = this.#pending.isColumnar(objects);
    this.#states.representation = this.#pending.representation;
    return columnar;
  }

  /** Takes a batch of the stream. */
  add(batch: unknown): void {
    this.#pending.addFrame(this.#narrow(batch));
    if (this.#pending.rows >= pendingRows || this.#pending.bytes >= pendingBytes) this.#group();
  }

  /** Takes a batch that `takeStates` gave elsewhere. */
  merge(batch: unknown): void {
    this.#addStates(this.#states.convert(batch));
  }

  /** Hands groups over as a batch of states, to be merged elsewhere; undefined without any. */
  takeStates(): unknown {
    const states = this.#takeMerged();
    return states === undefined || states.height === 0 ? undefined : this.#states.give(states);
  }

  /** Hands groups over as a batch of results; undefined where there never was a batch. */
  takeResults(): unknown {
    const states = this.#takeMerged();
    if (states === undefined) return undefined;
    const results = this.#run(
      states,
      (frame) => [...this.#keys(frame), ...resultExpressions(frame, this.#plan)],
      false,
    );
    return this.#states.give(results);
  }

  snapshot(): FrameGroupsState {
    return { pending: this.#pending.snapshot(), states: this.#states.snapshot(), merged: this.#merged };
  }

  restore({ pending, states, merged }: FrameGroupsState): void {
    this.#pending.restore(pending);
    this.#states.restore(states);
    this.#merged = merged;
  }

  /** What has changed since this or `snapshot` was last called; undefined where that never was. */
  changes(): FrameGroupsChanges | undefined {
    const pending = this.#pending.changes();
    const states = this.#states.changes();
    return pending && states && { pending, states, merged: this.#merged };
  }

  /** Takes over what `changes` gave elsewhere, on top of a restored state. */
  apply({ pending, states, merged }: FrameGroupsChanges): void {
    this.#pending.apply(pending);
    this.#states.apply(states);
    this.#merged = merged;
  }

  /** A batch's columns that are read, as a frame: others needn't be converted. */
  #narrow(batch: unknown): DataFrame {
    const { columns } = this.#plan;
    if (this.#pending.representation === "arrow") {
      const table = this.#pending.support.toArrow(batch);
      const names = table.schema.fields.map((field) => field.name);
      requireColumns({ columns: names }, columns, "aggregate");
      // A table without columns would have no rows to count.
      const read = columns.length > 0 ? [...columns] : names.slice(0, 1);
      return this.#pending.convert(table.select(read));
    }
    const frame = this.#pending.convert(batch);
    requireColumns(frame, columns, "aggregate");
    return frame.select(...(columns.length > 0 ? columns : frame.columns.slice(0, 1)));
  }

  #group(): void {
    const frame = this.#pending.take();
    if (frame === undefined) return;
    this.#addStates(this.#aggregate(frame, (rows, grouped) => stateExpressions(rows, this.#plan, grouped)));
  }

  #addStates(states: DataFrame): void {
    this.#states.addFrame(states);
    if (this.#states.rows <= statesRows + 2 * this.#merged) return;
    const merged = this.#takeMerged();
    if (merged === undefined) return;
    this.#states.addFrame(merged);
    this.#merged = merged.height;
  }

  #takeMerged(): DataFrame | undefined {
    this.#group();
    this.#merged = 0;
    const states = this.#states.take();
    return states && this.#aggregate(states, (_, grouped) => mergeExpressions(this.#plan, grouped));
  }

  #keys(states: DataFrame): string[] {
    return states.columns.filter((name) => this.#plan.by.includes(name));
  }

  #aggregate(frame: DataFrame, expressions: (frame: DataFrame, grouped: boolean) => Expr[]): DataFrame {
    return this.#run(frame, (rows) => expressions(rows, this.#plan.by.length > 0), true);
  }

  #run(frame: DataFrame, expressions: (frame: DataFrame) => (Expr | string)[], groups: boolean): DataFrame {
    const { by } = this.#plan;
    try {
      const lazy = frame.lazy();
      if (!groups || by.length === 0) return lazy.select(...(expressions(frame) as Expr[])).collectSync();
      return lazy
        .groupBy([...by], true)
        .agg(...(expressions(frame) as Expr[]))
        .collectSync();
    } catch (error) {
      if (error instanceof QStreamError) throw error;
      const overflow = error instanceof Error && /conversion .* failed/s.test(error.message);
      throw new QStreamError(
        overflow ? "LIMIT_EXCEEDED" : "BAD_INPUT",
        overflow ? "a sum of whole numbers doesn't fit in 64 bits" : "Polars can't aggregate these columns",
        {
          advice: overflow ? "Convert the column to floats or decimals first." : "Convert the columns first.",
          cause: error,
        },
      );
    }
  }
}
