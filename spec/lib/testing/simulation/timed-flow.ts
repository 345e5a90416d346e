// A flow whose operators go by timers: whatever goes off when, nothing is lost, and none goes off that wasn't set, or early.

import {
  defineFlow,
  hash,
  type Operator,
  type OperatorContext,
  type OperatorDefinition,
  type Task,
} from "../../../../lib/index.ts";
import { sameMultiset } from "../../../../lib/testing/multiset.ts";
import { marked } from "./flow-operators.ts";

const keys = 9;
const fullAt = 6;

interface Given {
  readonly value: number;
  readonly why: "full" | "silence" | "end";
  readonly at: number;
}

interface Held {
  readonly values: readonly number[];
  readonly dueAt: number;
}

type HeldChange = readonly [name: string, held: Held | undefined];

/** Holds numbers by key until there are enough, or none came for a while. Knows itself which timers there have to be. */
class Holding implements Operator<{ in: number }, Given> {
  readonly #held = new Map<string, Held>();
  readonly #touched = new Set<string>();
  #beats = 0;

  open(ctx: OperatorContext): void {
    ctx.timers.set("beat", 1);
  }

  *execute({ objects }: Task<{ in: number }>, ctx: OperatorContext): Generator<Given> {
    if (!ctx.timers.has("beat")) throw new Error("the beat is missing");
    for (const value of objects) {
      const name = `key ${value % keys}`;
      const held = this.#held.get(name);
      if (ctx.timers.has(name) !== (held !== undefined)) throw new Error(`the timer "${name}" isn't as it was left`);
      const afterMs = 0.5 + (value % 4);
      this.#put(name, { values: [...(held?.values ?? []), value], dueAt: ctx.now() + afterMs });
      ctx.timers.set(name, afterMs);
      if (held?.values.length !== fullAt - 1) continue;
      ctx.timers.clear(name);
      yield* this.#give(name, "full", ctx);
    }
  }

  *onTimer(name: string, ctx: OperatorContext): Generator<Given> {
    if (name === "beat") {
      this.#beats++;
      ctx.timers.set("beat", 1 + (this.#beats % 3));
      return;
    }
    const held = this.#held.get(name);
    if (held === undefined || ctx.now() < held.dueAt) throw new Error(`"${name}" went off at ${ctx.now()}`);
    yield* this.#give(name, "silence", ctx);
  }

  *done(ctx: OperatorContext): Generator<Given> {
    if (ctx.timers.has("beat")) throw new Error("there are timers after the end");
    for (const name of this.#held.keys()) yield* this.#give(name, "end", ctx);
  }

  snapshot(): { held: HeldChange[]; beats: number } {
    this.#touched.clear();
    return { held: [...this.#held], beats: this.#beats };
  }

  restore({ held, beats }: { held: HeldChange[]; beats: number }): void {
    this.#held.clear();
    this.apply({ held, beats });
  }

  changes(): { held: HeldChange[]; beats: number } {
    const held = [...this.#touched].map((name): HeldChange => [name, this.#held.get(name)]);
    this.#touched.clear();
    return { held, beats: this.#beats };
  }

  apply({ held, beats }: { held: HeldChange[]; beats: number }): void {
    this.#beats = beats;
    for (const [name, now] of held) {
      this.#held.delete(name);
      if (now !== undefined) this.#held.set(name, now);
    }
  }

  #put(name: string, held: Held): void {
    // As what is restored: keys that changed last are last.
    this.#held.delete(name);
    this.#held.set(name, held);
    this.#touched.delete(name);
    this.#touched.add(name);
  }

  *#give(name: string, why: Given["why"], ctx: OperatorContext): Generator<Given> {
    const values = this.#held.get(name)?.values ?? [];
    this.#held.delete(name);
    this.#touched.add(name);
    for (const value of values) yield { value, why, at: ctx.now() };
  }
}

/** Takes something, and then nothing before its timer has gone off. Has no state to save: all of it is done again. */
const pausing: OperatorDefinition<{ in: number }, number> = {
  kind: "pausing",
  declares: "confluent",
  parallelism: "single",
  representations: ["objects"],
  mayBlock: true,
  create: () => {
    let pauses = false;
    return {
      accepts: () => !pauses,
      execute: ({ objects }, ctx) => {
        pauses = true;
        ctx.timers.set("go on", 2);
        return objects;
      },
      onTimer: () => {
        pauses = false;
      },
    };
  },
};

export const timed = defineFlow(import.meta.url, (q, { upTo }: { upTo: number }) => {
  const all = q.read("numbers", marked(upTo), { channels: 2 });
  const given = all
    .partition(hash((value) => value % keys))
    .apply("hold", () => new Holding(), { channels: 2 })
    .map("edge", (one, ctx) => ({ ...one, sentAt: ctx.now() }));
  return {
    one: given.collect(),
    other: given.filter("all", () => true).collect(),
    paused: all.apply("pause", pausing).collect(),
  };
});

interface TimedOutputs {
  readonly one: readonly Given[];
  readonly other: readonly Given[];
  readonly paused: readonly number[];
}

/** True if each number is given once, and all who were given it saw the same. */
export function givesAll({ one, other, paused }: TimedOutputs, without: TimedOutputs): boolean {
  return (
    sameMultiset(one, other) &&
    sameMultiset(paused, without.paused) &&
    sameMultiset(
      one.map(({ value }) => value),
      without.one.map(({ value }) => value),
    )
  );
}
