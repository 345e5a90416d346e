import type { Context } from "../../lib/core/contracts/context.ts";
import type { Many } from "../../lib/core/contracts/operator.ts";
import { sampledBytes } from "../held-bytes.ts";
import { HeldState } from "./held-state.ts";
import type { JoinCore } from "./join-operator.ts";
import { combineFunction, type MatchKey, matchKeyFunction } from "./object-pairs.ts";
import { keyBytes, outputsMax } from "./object-hash-join.ts";
import type { JoinPlan, JoinSide } from "./options.ts";

interface Kept {
  readonly table: Map<MatchKey, unknown[]>;
  /** Objects without a key; kept only where unmatched ones are wanted. */
  readonly keyless: unknown[];
}

/** What is kept of one side. */
export interface KeptState {
  readonly table: readonly (readonly [MatchKey, readonly unknown[]])[];
  readonly keyless: readonly unknown[];
}

/** The state of a symmetric join of objects. */
export interface SymmetricState {
  readonly left: KeptState;
  readonly right: KeptState;
  readonly bytes: number;
}

/** What has happened to what is kept since it was last saved: on both sides, objects that came; of keys only, keys that did. */
interface SymmetricChanges {
  readonly left: readonly unknown[];
  readonly right: readonly unknown[];
  /** Keys whose left objects were decided. */
  readonly removed: readonly MatchKey[];
  readonly bytes: number;
}

interface SymmetricNotes {
  readonly left: unknown[];
  readonly right: unknown[];
  readonly removed: MatchKey[];
}

/** Symmetric join of objects: both sides in tables by key; each object meets what the other side has so far. */
export class ObjectSymmetricJoin implements JoinCore {
  readonly #plan: JoinPlan;
  readonly #combine: (left: unknown, right: unknown) => unknown;
  readonly #keyOf: Readonly<Record<JoinSide, (object: unknown) => MatchKey | undefined>>;
  readonly #held: HeldState;
  /** Undefined while the state was never saved. */
  #notes: SymmetricNotes | undefined;
  readonly #kept: Readonly<Record<JoinSide, Kept>> = {
    left: { table: new Map(), keyless: [] },
    right: { table: new Map(), keyless: [] },
  };

  constructor(plan: JoinPlan) {
    this.#plan = plan;
    this.#combine = combineFunction(plan);
    this.#keyOf = { left: matchKeyFunction(plan.left), right: matchKeyFunction(plan.right) };
    this.#held = new HeldState(plan);
  }

  add(side: JoinSide, objects: readonly unknown[], ctx: Context): Many<unknown> {
    const filters = this.#filters;
    if (!filters || side === "left") this.#held.add(sampledBytes(objects), ctx);
    if (!filters) return this.#pairs(side, objects);
    return side === "left" ? this.#filterLeft(objects) : this.#releaseLeft(objects, ctx);
  }

  *done(): Generator<unknown, void> {
    const { how } = this.#plan;
    if (how === "anti") {
      yield* this.#kept.left.keyless;
      for (const objects of this.#kept.left.table.values()) yield* objects;
    }
    if (how === "left" || how === "full") {
      for (const object of this.#unmatched("left")) yield this.#combine(object, undefined);
    }
    if (how === "right" || how === "full") {
      for (const object of this.#unmatched("right")) yield this.#combine(undefined, object);
    }
  }

  snapshot(): SymmetricState {
    const stateOf = ({ table, keyless }: Kept): KeptState => ({
      table: [...table].map(([key, objects]) => [key, objects.slice()] as const),
      keyless: keyless.slice(),
    });
    return { left: stateOf(this.#kept.left), right: stateOf(this.#kept.right), bytes: this.#held.bytes };
  }

  restore(state: SymmetricState): void {
    for (const side of ["left", "right"] as const) {
      for (const [key, objects] of state[side].table) this.#kept[side].table.set(key, [...objects]);
      this.#kept[side].keyless.push(...state[side].keyless);
    }
    this.#held.reset(state.bytes);
  }

  watch(): void {
    this.#notes = { left: [], right: [], removed: [] };
  }

  changes(): SymmetricChanges | undefined {
    const notes = this.#notes;
    if (notes === undefined) return undefined;
    this.watch();
    return { ...notes, bytes: this.#held.bytes };
  }

  apply({ left, right, removed, bytes }: SymmetricChanges): void {
    for (const object of left) this.#keep("left", this.#keyOf.left(object), object);
    if (this.#filters) for (const key of right) this.#kept.right.table.set(key as MatchKey, []);
    else for (const object of right) this.#keep("right", this.#keyOf.right(object), object);
    for (const key of removed) this.#kept.left.table.delete(key);
    this.#held.reset(bytes);
  }

  /** Semi and anti joins: of the right side only keys are kept. */
  get #filters(): boolean {
    return this.#plan.how === "semi" || this.#plan.how === "anti";
  }

  #keep(side: JoinSide, key: MatchKey | undefined, object: unknown): void {
    const { table, keyless } = this.#kept[side];
    const same = key === undefined ? keyless : table.get(key);
    if (same !== undefined) same.push(object);
    else if (key !== undefined) table.set(key, [object]);
    this.#notes?.[side].push(object);
  }

  *#unmatched(side: JoinSide): Generator<unknown, void> {
    const other = this.#kept[side === "left" ? "right" : "left"].table;
    yield* this.#kept[side].keyless;
    for (const [key, objects] of this.#kept[side].table) if (!other.has(key)) yield* objects;
  }

  #pairs(side: JoinSide, objects: readonly unknown[]): Many<unknown> {
    const { how } = this.#plan;
    const other = this.#kept[side === "left" ? "right" : "left"].table;
    const met: [unknown, readonly unknown[]][] = [];
    let pairs = 0;
    for (const object of objects) {
      const key = this.#keyOf[side](object);
      if (key === undefined) {
        if (how === "full" || how === side) this.#keep(side, key, object);
        continue;
      }
      this.#keep(side, key, object);
      const matches = other.get(key);
      if (matches === undefined) continue;
      met.push([object, matches]);
      pairs += matches.length;
    }
    // Very many pairs are made one by one, as fast as they are taken, so that they are never all in memory.
    const made = this.#combined(side, met);
    return pairs > outputsMax ? made : [...made];
  }

  *#combined(side: JoinSide, met: readonly [unknown, readonly unknown[]][]): Generator<unknown, void> {
    for (const [object, matches] of met) {
      for (const match of matches) yield side === "left" ? this.#combine(object, match) : this.#combine(match, object);
    }
  }

  /** Semi and anti joins: a left object whose key the right side has is decided; others are kept. */
  #filterLeft(objects: readonly unknown[]): unknown[] {
    const { right } = this.#kept;
    const { how } = this.#plan;
    const outputs: unknown[] = [];
    for (const object of objects) {
      const key = this.#keyOf.left(object);
      if (key === undefined) {
        if (how === "anti") this.#keep("left", key, object);
      } else if (right.table.has(key)) {
        if (how === "semi") outputs.push(object);
      } else {
        this.#keep("left", key, object);
      }
    }
    return outputs;
  }

  /** Semi and anti joins: a new right key decides the left objects that waited for it. Of the right side only keys are kept. */
  #releaseLeft(objects: readonly unknown[], ctx: Context): unknown[] {
    const keysBefore = this.#kept.right.table.size;
    const { left, right } = this.#kept;
    const outputs: unknown[] = [];
    for (const object of objects) {
      const key = this.#keyOf.right(object);
      if (key === undefined || right.table.has(key)) continue;
      right.table.set(key, []);
      this.#notes?.right.push(key);
      const waiting = left.table.get(key);
      if (waiting === undefined) continue;
      left.table.delete(key);
      this.#notes?.removed.push(key);
      if (this.#plan.how === "semi") for (const matched of waiting) outputs.push(matched);
    }
    this.#held.add((right.table.size - keysBefore) * keyBytes, ctx);
    return outputs;
  }
}
