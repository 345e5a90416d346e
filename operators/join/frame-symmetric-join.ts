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

interface SymmetricFrameState {
  readonly kept: Readonly<Record<JoinSide, Payload | undefined>>;
  readonly pending: Readonly<Record<JoinSide, readonly Payload[]>>;
  readonly bytes: number;
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
      this.#held.add(support().bytes(batch), ctx);
      this.#pendingRows += support().rows(batch);
      this.#sides[side].pending.push(batch);
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
    const encode = (batch: unknown): Payload => support().encode(batch);
    const kept = ({ kept }: Side): Payload | undefined => (kept === undefined ? undefined : encode(kept));
    return {
      kept: { left: kept(left), right: kept(right) },
      pending: { left: left.pending.map(encode), right: right.pending.map(encode) },
      bytes: this.#held.bytes,
    };
  }

  restore(state: SymmetricFrameState): void {
    this.#restored = state;
  }

  /** Decoding waits for the first batch, before which the support for batches may not be loaded. */
  #unpack(): void {
    const state = this.#restored;
    if (state === undefined) return;
    this.#restored = undefined;
    for (const name of ["left", "right"] as const) {
      const kept = state.kept[name];
      const side = this.#sides[name];
      side.kept = kept === undefined ? undefined : support().toPolars(support().decode(kept));
      side.pending = state.pending[name].map((payload) => support().decode(payload));
      for (const batch of side.pending) this.#pendingRows += support().rows(batch);
    }
    this.#held.reset(state.bytes);
  }

  /** Lets what is pending meet the other side, and keeps it. */
  #meet(): unknown[] {
    const { left, right } = this.#sides;
    this.#pendingRows = 0;
    const newLeft = takePending(left);
    const newRight = takePending(right);
    const { how } = this.#plan;
    if (how === "semi" || how === "anti") return this.#filter(newLeft, newRight, how);
    const keptLeft = left.kept;
    right.kept = stacked(right.kept, newRight);
    left.kept = stacked(left.kept, newLeft);
    const outputs: unknown[] = [];
    if (newLeft !== undefined && right.kept !== undefined) {
      outputs.push(...this.#give(this.#kernels.join(newLeft, right.kept, "inner")));
    }
    if (keptLeft !== undefined && newRight !== undefined) {
      outputs.push(...this.#give(this.#kernels.join(keptLeft, newRight, "inner")));
    }
    return outputs;
  }

  /** Semi and anti joins: of the left side only rows without match so far are kept. */
  #filter(newLeft: DataFrame | undefined, newRight: DataFrame | undefined, how: "semi" | "anti"): unknown[] {
    const { left, right } = this.#sides;
    right.kept = stacked(right.kept, newRight);
    const outputs: unknown[] = [];
    const decide = (rows: DataFrame | undefined, other: DataFrame | undefined): DataFrame | undefined => {
      if (rows === undefined || other === undefined) return rows;
      if (how === "semi") outputs.push(...this.#give(this.#kernels.filter("left", rows, other, "semi")));
      return this.#kernels.filter("left", rows, other, "anti");
    };
    const waiting = decide(left.kept, newRight);
    left.kept = stacked(waiting, decide(newLeft, right.kept));
    return outputs;
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
