import type { DataFrame } from "nodejs-polars";
import { type Representation, representationOf } from "../../lib/core/batch/index.ts";
import type { Context } from "../../lib/core/contracts/context.ts";
import type { Many } from "../../lib/core/contracts/operator.ts";
import type { Payload } from "../../lib/core/payload.ts";
import { support } from "./batch-support.ts";
import { cutFrame, FrameKernels, stackFrames } from "./frame-kernels.ts";
import { HeldState } from "./held-state.ts";
import type { JoinCore } from "./join-operator.ts";
import { outOfOrder } from "./object-hash-join.ts";
import type { JoinPlan, JoinSide } from "./options.ts";

/** Probe rows that are always enough for a kernel call. */
const pendingRowsMax = 262_144;

/** The state of a build-probe join of batches. */
export interface FrameState {
  readonly built: readonly Payload[];
  readonly pending: readonly Payload[];
  /** Undefined where all build rows are, and where nobody asks. */
  readonly unmatched: readonly Payload[] | undefined;
  readonly probeColumns: Payload | undefined;
  readonly probing: boolean;
  readonly bytes: number;
}

/** What a join has since it was last saved: build batches that came, and all of what is small or is made anew. */
interface FrameChanges extends Omit<FrameState, "unmatched"> {
  readonly unmatched: readonly Payload[] | "as before" | undefined;
}

/** What the saved state has. */
interface Saved {
  /** Build batches that came since. */
  readonly added: unknown[];
  readonly unmatched: DataFrame | undefined;
}

/**
 * Build-probe join of columnar batches. Polars hashes the build side at each call, so probe rows wait until they are a quarter
 * of the build rows (or 262,144): joining then costs no more than reading.
 */
export class FrameHashJoin implements JoinCore {
  readonly #plan: JoinPlan;
  readonly #build: JoinSide;
  readonly #probe: JoinSide;
  readonly #kernels: FrameKernels;
  readonly #output: () => Representation;
  readonly #held: HeldState;
  #builtBatches: unknown[] = [];
  #built: DataFrame | undefined;
  #pending: unknown[] = [];
  #pendingRows = 0;
  #pendingBytes = 0;
  /** Build rows that matched nothing so far, where the kind asks for them. */
  #unmatched: DataFrame | undefined;
  /** No rows, but the probe side's columns: build rows that stand alone need them. */
  #probeColumns: DataFrame | undefined;
  #probing = false;
  /** Undefined while the state was never saved. */
  #saved: Saved | undefined;
  #restored: FrameState | undefined;

  constructor(plan: JoinPlan, build: JoinSide, output: () => Representation) {
    this.#plan = plan;
    this.#build = build;
    this.#probe = build === "left" ? "right" : "left";
    this.#kernels = new FrameKernels(plan);
    this.#output = output;
    this.#held = new HeldState(plan);
  }

  add(side: JoinSide, batches: readonly unknown[], ctx: Context): Many<unknown> {
    this.#unpack();
    for (const batch of batches) this.#kernels.requireKeys(side, batch, support());
    const bytes = batches.reduce<number>((sum, batch) => sum + support().bytes(batch), 0);
    this.#held.add(bytes, ctx);
    if (side === this.#build) {
      if (this.#probing) throw outOfOrder(this.#plan, this.#build);
      this.#builtBatches.push(...batches);
      this.#saved?.added.push(...batches);
      return [];
    }
    this.#probing = true;
    this.#pending.push(...batches);
    this.#pendingBytes += bytes;
    for (const batch of batches) this.#pendingRows += support().rows(batch);
    const enough = Math.min((this.#builtFrame()?.height ?? 0) / 4, pendingRowsMax);
    return this.#pendingRows >= enough ? this.#flush() : [];
  }

  done(): Many<unknown> {
    this.#unpack();
    return [...this.#flush(), ...this.#alone()];
  }

  snapshot(): FrameState {
    if (this.#restored !== undefined) return this.#restored;
    return this.#stateWith(this.#built === undefined ? this.#builtBatches : [this.#built], encodeList(this.#unmatched));
  }

  watch(): void {
    this.#saved = { added: [], unmatched: this.#unmatched };
  }

  changes(): FrameChanges | undefined {
    const saved = this.#saved;
    if (saved === undefined) return undefined;
    // What was restored and not yet unpacked is as it was.
    if (this.#restored !== undefined) return { ...this.#restored, built: [], unmatched: "as before" };
    this.watch();
    return this.#stateWith(
      saved.added,
      saved.unmatched === this.#unmatched ? ("as before" as const) : encodeList(this.#unmatched),
    );
  }

  apply(changes: FrameChanges): void {
    const { built = [], unmatched } = this.#restored ?? {};
    this.#restored = {
      ...changes,
      built: [...built, ...changes.built],
      unmatched: changes.unmatched === "as before" ? unmatched : changes.unmatched,
    };
  }

  #stateWith<Unmatched>(
    built: readonly unknown[],
    unmatched: Unmatched,
  ): Omit<FrameState, "unmatched"> & { readonly unmatched: Unmatched } {
    const encode = (batch: unknown): Payload => support().encode(batch);
    return {
      built: built.map(encode),
      pending: this.#pending.map(encode),
      unmatched,
      probeColumns: encodeFrame(this.#probeColumns),
      probing: this.#probing,
      bytes: this.#held.bytes,
    };
  }

  restore(state: FrameState): void {
    this.#restored = state;
  }

  /** Decoding waits for the first batch, before which the support for batches may not be loaded. */
  #unpack(): void {
    const state = this.#restored;
    if (state === undefined) return;
    this.#restored = undefined;
    const frame = (payload: Payload): DataFrame => support().toPolars(support().decode(payload));
    this.#builtBatches = state.built.map((payload) => support().decode(payload));
    this.#pending = state.pending.map((payload) => support().decode(payload));
    for (const batch of this.#pending) {
      this.#pendingRows += support().rows(batch);
      this.#pendingBytes += support().bytes(batch);
    }
    this.#unmatched = state.unmatched && stackFrames(state.unmatched.map(frame));
    this.#probeColumns = state.probeColumns && frame(state.probeColumns);
    this.#probing = state.probing;
    this.#held.reset(state.bytes);
  }

  #builtFrame(): DataFrame | undefined {
    if (this.#built !== undefined || this.#builtBatches.length === 0) return this.#built;
    this.#built = support().toPolars(support().concat(alike(this.#builtBatches)));
    this.#builtBatches = [];
    if (tracksBuilt(this.#plan, this.#build)) this.#unmatched ??= this.#built;
    return this.#built;
  }

  #flush(): unknown[] {
    if (this.#pending.length === 0) return [];
    const probe = support().toPolars(support().concat(this.#pending));
    this.#held.remove(this.#pendingBytes);
    this.#pending = [];
    this.#pendingRows = 0;
    this.#pendingBytes = 0;
    this.#probeColumns ??= probe.head(0) as DataFrame;
    const built = this.#builtFrame();
    const joined = built === undefined ? this.#withoutBuilt(probe) : this.#joined(probe, built);
    return joined === undefined ? [] : this.#give(joined);
  }

  #joined(probe: DataFrame, built: DataFrame): DataFrame | undefined {
    const { how } = this.#plan;
    const kernels = this.#kernels;
    if ((how === "semi" || how === "anti") && this.#probe === "left") return kernels.filter("left", probe, built, how);
    const before = this.#unmatched;
    if (before !== undefined) this.#unmatched = kernels.filter(this.#build, before, probe, "anti");
    if (how === "anti") return undefined;
    if (how === "semi") return before === undefined ? undefined : kernels.filter("left", before, probe, "semi");
    const kind = how === "full" || how === this.#probe ? this.#probe : "inner";
    return this.#build === "right" ? kernels.join(probe, built, kind) : kernels.join(built, probe, kind);
  }

  /** The build side had no batch at all, so its columns aren't known: what stands alone passes as it is. */
  #withoutBuilt(probe: DataFrame): DataFrame | undefined {
    const { how } = this.#plan;
    return how === "full" || how === this.#probe || (how === "anti" && this.#probe === "left") ? probe : undefined;
  }

  /** Build rows that matched nothing. */
  #alone(): unknown[] {
    const { how } = this.#plan;
    this.#builtFrame();
    const rows = this.#unmatched;
    if (rows === undefined || how === "semi" || rows.height === 0) return [];
    if (how === "anti" || this.#probeColumns === undefined) return this.#give(rows);
    const joined =
      this.#build === "left"
        ? this.#kernels.join(rows, this.#probeColumns, "left")
        : this.#kernels.join(this.#probeColumns, rows, "right");
    return this.#give(joined);
  }

  #give(frame: DataFrame): unknown[] {
    return cutFrame(frame).map((part) => support().fromPolars(part, this.#output()));
  }
}

/** True where build rows are given, or taken, one by one: those of an outer side, and left rows of semi and anti joins. */
export function tracksBuilt({ how }: JoinPlan, build: JoinSide): boolean {
  return how === "full" || how === build || (build === "left" && (how === "semi" || how === "anti"));
}

/** Batches of one representation: of states that were dealt, some may be of Arrow tables and some already of one frame. */
function alike(batches: readonly unknown[]): readonly unknown[] {
  const [first] = batches;
  const same = batches.every((batch) => representationOf(batch) === representationOf(first));
  return same ? batches : batches.map((batch) => support().toPolars(batch));
}

function encodeList(frame: DataFrame | undefined): Payload[] | undefined {
  return frame === undefined ? undefined : [support().encode(frame)];
}

function encodeFrame(frame: DataFrame | undefined): Payload | undefined {
  return frame === undefined ? undefined : support().encode(frame);
}
