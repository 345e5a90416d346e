import type { DataFrame } from "nodejs-polars";
import type { Representation } from "../../lib/core/batch/index.ts";
import type { Context } from "../../lib/core/contracts/context.ts";
import type { Many } from "../../lib/core/contracts/operator.ts";
import type { Payload } from "../../lib/core/payload.ts";
import { support } from "./batch-support.ts";
import { cutFrame, FrameKernels, stackFrames } from "./frame-kernels.ts";
import { HeldState } from "./held-state.ts";
import type { JoinCore } from "./join-operator.ts";
import type { JoinPlan, JoinSide } from "./options.ts";

interface Side {
  /** Rows that met the other side's. */
  kept: DataFrame | undefined;
  /** Batches that didn't yet. */
  pending: unknown[];
}

/** A batch that came, or the place where all that had come met the other side's. */
type Arrival = { readonly side: JoinSide; readonly batch: unknown } | "met";

/** The same with the batch as plain data. */
export type SavedArrival = { readonly side: JoinSide; readonly batch: Payload } | "met";

/** The state of a symmetric join of batches: what is kept of both sides, and what came after that. */
export interface SymmetricFrameState {
  readonly kept: Readonly<Record<JoinSide, readonly Payload[]>>;
  readonly arrived: readonly SavedArrival[];
  readonly bytes: number;
}

/** What came since a join was last saved: a restored one lets it meet again, which gives nothing a second time. */
type SymmetricFrameChanges = Omit<SymmetricFrameState, "kept">;

/** Rows that meet, and what was kept of the left side before. */
interface Met {
  readonly newLeft: DataFrame | undefined;
  readonly newRight: DataFrame | undefined;
  readonly keptLeft: DataFrame | undefined;
}

/**
 * Symmetric join of columnar batches. A kernel call reads all that is kept, so batches wait until they have half as many rows
 * as that: the whole then costs a small multiple of one join.
 */
export class FrameSymmetricJoin implements JoinCore {
  readonly #plan: JoinPlan;
  readonly #kernels: FrameKernels;
  readonly #output: () => Representation;
  readonly #held: HeldState;
  readonly #sides: Readonly<Record<JoinSide, Side>> = {
    left: { kept: undefined, pending: [] },
    right: { kept: undefined, pending: [] },
  };
  #pendingRows = 0;
  /** What came since the state was last saved; undefined while it never was, and where too much came to hold it twice. */
  #arrived: Arrival[] | undefined;
  #arrivedBytes = 0;
  #restored: SymmetricFrameState | undefined;

  constructor(plan: JoinPlan, output: () => Representation) {
    this.#plan = plan;
    this.#kernels = new FrameKernels(plan);
    this.#output = output;
    this.#held = new HeldState(plan);
  }

  add(side: JoinSide, batches: readonly unknown[], ctx: Context): Many<unknown> {
    this.#unpack();
    for (const batch of batches) {
      this.#kernels.requireKeys(side, batch, support());
      const bytes = support().bytes(batch);
      this.#held.add(bytes, ctx);
      this.#wait(side, batch);
      this.#note({ side, batch }, bytes);
    }
    const { left, right } = this.#sides;
    const keptRows = (left.kept?.height ?? 0) + (right.kept?.height ?? 0);
    return this.#pendingRows * 2 >= keptRows ? this.#meet() : [];
  }

  done(): Many<unknown> {
    this.#unpack();
    const met = this.#meet();
    const { left, right } = this.#sides;
    const { how } = this.#plan;
    const rest: unknown[] = [];
    if (how === "anti" && left.kept !== undefined) rest.push(...this.#give(left.kept));
    if (how === "left" || how === "full") rest.push(...this.#alone("left", left.kept, right.kept));
    if (how === "right" || how === "full") rest.push(...this.#alone("right", right.kept, left.kept));
    return [...met, ...rest];
  }

  snapshot(): SymmetricFrameState {
    if (this.#restored !== undefined) return this.#restored;
    const { left, right } = this.#sides;
    const kept = ({ kept }: Side): Payload[] => (kept === undefined ? [] : [support().encode(kept)]);
    const waiting = (side: JoinSide): SavedArrival[] =>
      this.#sides[side].pending.map((batch) => ({ side, batch: support().encode(batch) }));
    return {
      kept: { left: kept(left), right: kept(right) },
      arrived: [...waiting("left"), ...waiting("right")],
      bytes: this.#held.bytes,
    };
  }

  watch(): void {
    this.#arrived = [];
    this.#arrivedBytes = 0;
  }

  changes(): SymmetricFrameChanges | undefined {
    const arrived = this.#arrived;
    if (arrived === undefined) return undefined;
    // What was restored and not yet unpacked is as it was.
    if (this.#restored !== undefined) return { arrived: [], bytes: this.#restored.bytes };
    this.watch();
    const saved = arrived.map((each) =>
      each === "met" ? each : { side: each.side, batch: support().encode(each.batch) },
    );
    return { arrived: saved, bytes: this.#held.bytes };
  }

  restore(state: SymmetricFrameState): void {
    this.#restored = state;
  }

  apply({ arrived, bytes }: SymmetricFrameChanges): void {
    const before = this.#restored ?? { kept: { left: [], right: [] }, arrived: [] };
    this.#restored = { kept: before.kept, arrived: [...before.arrived, ...arrived], bytes };
  }

  /** Decoding waits for the first batch, before which the support for batches may not be loaded. */
  #unpack(): void {
    const state = this.#restored;
    if (state === undefined) return;
    this.#restored = undefined;
    for (const side of ["left", "right"] as const) {
      const frames = state.kept[side].map((payload) => support().toPolars(support().decode(payload)));
      this.#sides[side].kept = frames.length === 0 ? undefined : stackFrames(frames);
    }
    for (const each of state.arrived) {
      if (each === "met") this.#keepPending();
      else this.#wait(each.side, support().decode(each.batch));
    }
    this.#held.reset(state.bytes);
  }

  #wait(side: JoinSide, batch: unknown): void {
    this.#pendingRows += support().rows(batch);
    this.#sides[side].pending.push(batch);
  }

  #note(arrival: Arrival, bytes: number): void {
    this.#arrivedBytes += bytes;
    // A join that grows so much is soon saved whole anyway.
    if (this.#arrivedBytes * 2 > this.#held.bytes) this.#arrived = undefined;
    this.#arrived?.push(arrival);
  }

  /** Lets what is pending meet the other side, and keeps it. */
  #meet(): unknown[] {
    this.#note("met", 0);
    return this.#outputsOf(this.#keepPending());
  }

  /** Keeps what is pending. Of the left side of semi and anti joins only rows without match so far are kept. */
  #keepPending(): Met {
    const { left, right } = this.#sides;
    this.#pendingRows = 0;
    const newLeft = takePending(left);
    const newRight = takePending(right);
    const keptLeft = left.kept;
    right.kept = stacked(right.kept, newRight);
    left.kept = this.#filters
      ? stacked(this.#unmatched(keptLeft, newRight), this.#unmatched(newLeft, right.kept))
      : stacked(keptLeft, newLeft);
    return { newLeft, newRight, keptLeft };
  }

  get #filters(): boolean {
    return this.#plan.how === "semi" || this.#plan.how === "anti";
  }

  #unmatched(rows: DataFrame | undefined, other: DataFrame | undefined): DataFrame | undefined {
    return rows === undefined || other === undefined ? rows : this.#kernels.filter("left", rows, other, "anti");
  }

  #outputsOf({ newLeft, newRight, keptLeft }: Met): unknown[] {
    const { how } = this.#plan;
    const keptRight = this.#sides.right.kept;
    if (how === "anti") return [];
    if (how === "semi") return [...this.#matched(keptLeft, newRight), ...this.#matched(newLeft, keptRight)];
    return [...this.#pairs(newLeft, keptRight), ...this.#pairs(keptLeft, newRight)];
  }

  #matched(rows: DataFrame | undefined, other: DataFrame | undefined): unknown[] {
    return rows === undefined || other === undefined
      ? []
      : this.#give(this.#kernels.filter("left", rows, other, "semi"));
  }

  #pairs(left: DataFrame | undefined, right: DataFrame | undefined): unknown[] {
    return left === undefined || right === undefined ? [] : this.#give(this.#kernels.join(left, right, "inner"));
  }

  #alone(side: JoinSide, rows: DataFrame | undefined, other: DataFrame | undefined): unknown[] {
    if (rows === undefined) return [];
    if (other === undefined) return this.#give(rows);
    const unmatched = this.#kernels.filter(side, rows, other, "anti");
    if (unmatched.height === 0) return [];
    const none = other.head(0) as DataFrame;
    return this.#give(
      side === "left" ? this.#kernels.join(unmatched, none, "left") : this.#kernels.join(none, unmatched, "right"),
    );
  }

  #give(frame: DataFrame): unknown[] {
    return cutFrame(frame).map((part) => support().fromPolars(part, this.#output()));
  }
}

function takePending(side: Side): DataFrame | undefined {
  const { pending } = side;
  side.pending = [];
  return pending.length === 0 ? undefined : support().toPolars(support().concat(pending));
}

function stacked(kept: DataFrame | undefined, added: DataFrame | undefined): DataFrame | undefined {
  if (kept === undefined || added === undefined) return kept ?? added;
  return stackFrames([kept, added]);
}
