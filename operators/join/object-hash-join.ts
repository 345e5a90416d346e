import type { Context } from "../../lib/core/contracts/context.ts";
import type { Many } from "../../lib/core/contracts/operator.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { sampledBytes } from "../held-bytes.ts";
import { HeldState } from "./held-state.ts";
import type { JoinCore } from "./join-operator.ts";
import { combineFunction, type MatchKey, matchKeyFunction } from "./object-pairs.ts";
import type { JoinPlan, JoinSide } from "./options.ts";

/** Pairs that a task may make as an array; beyond, they are made one by one, as fast as they are taken. */
export const outputsMax = 16_384;

/** Bytes that count for a key of which nothing else is kept. */
export const keyBytes = 128;

/** Build objects of one key. */
interface Entry {
  readonly objects: unknown[];
  /** Only known where unmatched ones are wanted. */
  matched: boolean;
}

/** The state of a build-probe join of objects. */
export interface HashState {
  readonly entries: readonly (readonly [MatchKey, readonly unknown[], boolean])[];
  readonly keyless: readonly unknown[];
  readonly probing: boolean;
  readonly bytes: number;
}

/** What has happened to the table since it was last saved. Building comes before matching and removing. */
interface HashChanges {
  /** Build objects that came; of a table of keys only, keys that did. */
  readonly built: readonly unknown[];
  readonly matched: readonly MatchKey[];
  readonly removed: readonly MatchKey[];
  readonly probing: boolean;
  readonly bytes: number;
}

interface HashNotes {
  readonly built: unknown[];
  readonly matched: MatchKey[];
  readonly removed: MatchKey[];
}

/** Build-probe join of objects: the build side in a table by key, the probe side passes by it. */
export class ObjectHashJoin implements JoinCore {
  readonly #plan: JoinPlan;
  readonly #build: JoinSide;
  readonly #keyOf: Readonly<Record<JoinSide, (object: unknown) => MatchKey | undefined>>;
  readonly #pair: (built: unknown, probe: unknown) => unknown;
  readonly #held: HeldState;
  readonly #table = new Map<MatchKey, Entry>();
  /** Build objects without a key, which match nothing; kept only where unmatched ones are wanted. */
  readonly #keyless: unknown[] = [];
  readonly #givesProbe: boolean;
  readonly #givesBuilt: boolean;
  /** A semi or anti join that builds on the right only asks whether a key is there. */
  readonly #keysOnly: boolean;
  #probing = false;
  /** Undefined while the state was never saved. */
  #notes: HashNotes | undefined;

  constructor(plan: JoinPlan, build: JoinSide) {
    const { how } = plan;
    const combine = combineFunction(plan);
    this.#plan = plan;
    this.#build = build;
    this.#keyOf = { left: matchKeyFunction(plan.left), right: matchKeyFunction(plan.right) };
    this.#pair = build === "right" ? (built, probe) => combine(probe, built) : (built, probe) => combine(built, probe);
    this.#held = new HeldState(plan);
    const gives = (side: JoinSide): boolean => how === "full" || how === side || (how === "anti" && side === "left");
    this.#givesBuilt = gives(build);
    this.#givesProbe = gives(build === "right" ? "left" : "right");
    this.#keysOnly = build === "right" && (how === "semi" || how === "anti");
  }

  add(side: JoinSide, objects: readonly unknown[], ctx: Context): Many<unknown> {
    if (side === this.#build) return this.#addBuilt(objects, ctx);
    this.#probing = true;
    const { how } = this.#plan;
    if (how === "semi" || how === "anti") return this.#filter(objects);
    return this.#probe(objects);
  }

  *done(): Generator<unknown, void> {
    if (!this.#givesBuilt) return;
    const { how } = this.#plan;
    const alone = how === "anti" ? (object: unknown) => object : (object: unknown) => this.#pair(object, undefined);
    for (const object of this.#keyless) yield alone(object);
    for (const { objects, matched } of this.#table.values()) {
      if (!matched) for (const object of objects) yield alone(object);
    }
  }

  snapshot(): HashState {
    return {
      entries: [...this.#table].map(([key, { objects, matched }]) => [key, objects.slice(), matched] as const),
      keyless: this.#keyless.slice(),
      probing: this.#probing,
      bytes: this.#held.bytes,
    };
  }

  restore(state: HashState): void {
    for (const [key, objects, matched] of state.entries) this.#table.set(key, { objects: [...objects], matched });
    this.#keyless.push(...state.keyless);
    this.#probing = state.probing;
    this.#held.reset(state.bytes);
  }

  watch(): void {
    this.#notes = { built: [], matched: [], removed: [] };
  }

  changes(): HashChanges | undefined {
    const notes = this.#notes;
    if (notes === undefined) return undefined;
    this.watch();
    return { ...notes, probing: this.#probing, bytes: this.#held.bytes };
  }

  apply({ built, matched, removed, probing, bytes }: HashChanges): void {
    if (this.#keysOnly) for (const key of built) this.#table.set(key as MatchKey, { objects: [], matched: false });
    else this.#buildObjects(built);
    for (const key of matched) {
      const entry = this.#table.get(key);
      if (entry !== undefined) entry.matched = true;
    }
    for (const key of removed) this.#table.delete(key);
    this.#probing = probing;
    this.#held.reset(bytes);
  }

  #match(key: MatchKey, entry: Entry): void {
    entry.matched = true;
    this.#notes?.matched.push(key);
  }

  #addBuilt(objects: readonly unknown[], ctx: Context): Many<unknown> {
    if (this.#probing) throw outOfOrder(this.#plan, this.#build);
    const keysOnly = this.#keysOnly;
    const keysBefore = this.#table.size;
    if (keysOnly) this.#buildKeys(objects);
    else this.#buildObjects(objects);
    this.#held.add(keysOnly ? (this.#table.size - keysBefore) * keyBytes : sampledBytes(objects), ctx);
    return [];
  }

  #buildKeys(objects: readonly unknown[]): void {
    const keyOf = this.#keyOf[this.#build];
    for (const object of objects) {
      const key = keyOf(object);
      if (key === undefined || this.#table.has(key)) continue;
      this.#table.set(key, { objects: [], matched: false });
      this.#notes?.built.push(key);
    }
  }

  #buildObjects(objects: readonly unknown[]): void {
    const keyOf = this.#keyOf[this.#build];
    for (const object of objects) {
      const key = keyOf(object);
      if (key === undefined) {
        if (this.#givesBuilt) this.#keyless.push(object);
        continue;
      }
      const entry = this.#table.get(key);
      if (entry === undefined) this.#table.set(key, { objects: [object], matched: false });
      else entry.objects.push(object);
    }
    if (this.#notes !== undefined) for (const object of objects) this.#notes.built.push(object);
  }

  #probe(objects: readonly unknown[]): Many<unknown> {
    const keyOf = this.#keyOf[this.#build === "right" ? "left" : "right"];
    const outputs: unknown[] = [];
    for (let index = 0; index < objects.length; index++) {
      const probe = objects[index];
      const key = keyOf(probe);
      const entry = key === undefined ? undefined : this.#table.get(key);
      if (entry === undefined) {
        if (this.#givesProbe) outputs.push(this.#pair(undefined, probe));
        continue;
      }
      if (outputs.length + entry.objects.length > outputsMax) return this.#probeOneByOne(outputs, objects, index);
      if (this.#givesBuilt && !entry.matched) this.#match(key as MatchKey, entry);
      for (const built of entry.objects) outputs.push(this.#pair(built, probe));
    }
    return outputs;
  }

  /** Goes on from an object, after what is made already: a key with millions of pairs never has them all in memory. */
  *#probeOneByOne(made: readonly unknown[], objects: readonly unknown[], from: number): Generator<unknown, void> {
    yield* made;
    const keyOf = this.#keyOf[this.#build === "right" ? "left" : "right"];
    for (let index = from; index < objects.length; index++) {
      const probe = objects[index];
      const key = keyOf(probe);
      const entry = key === undefined ? undefined : this.#table.get(key);
      if (entry === undefined) {
        if (this.#givesProbe) yield this.#pair(undefined, probe);
        continue;
      }
      if (this.#givesBuilt && !entry.matched) this.#match(key as MatchKey, entry);
      for (const built of entry.objects) yield this.#pair(built, probe);
    }
  }

  /** Semi and anti joins: left objects pass, or leave the table, by whether the other side has their key. */
  #filter(objects: readonly unknown[]): Many<unknown> {
    const { how } = this.#plan;
    if (this.#build === "right") {
      const keyOf = this.#keyOf.left;
      return objects.filter((object) => {
        const key = keyOf(object);
        return (key !== undefined && this.#table.has(key)) === (how === "semi");
      });
    }
    const outputs: unknown[] = [];
    for (const object of objects) {
      const key = this.#keyOf.right(object);
      const entry = key === undefined ? undefined : this.#table.get(key);
      if (key === undefined || entry === undefined) continue;
      this.#table.delete(key);
      this.#notes?.removed.push(key);
      if (how === "semi") for (const matched of entry.objects) outputs.push(matched);
    }
    return outputs;
  }
}

/** The build side came after the probe side had begun: somebody changed the stages. */
export function outOfOrder(plan: JoinPlan, build: JoinSide): QStreamError {
  return new QStreamError("OPTION_INVALID", `${plan.what}: the ${build} side goes on after the other side has begun`, {
    input: build,
    advice: "The build side must be drained first: leave the step's stages as they are, or use symmetricJoin.",
  });
}
