// Explorations with a mistake and without, of actors and of a flow, for the specs of `qstream explore`. A module that the command bundles imports the
// package by its name.

import { actor, defineFlow, hash, numbers, type AnyReference, type Operator, type Task } from "qstream";
import { defineExploration, defineFlowExploration } from "qstream/testing";

const sum = actor({
  kind: "sum",
  init: () => ({ value: 0 }),
  receive: {
    read: (state, from: AnyReference) => from.tell("value", state.value),
    write(state, value: number) {
      state.value = value;
    },
    add(state, amount: number) {
      state.value += amount;
    },
  },
});

const adding = actor({
  kind: "adding",
  init: (own: { sum: AnyReference; isCareful: boolean }) => own,
  receive: {
    begin(state, _: undefined, ctx) {
      if (state.isCareful) state.sum.tell("add", 1);
      else state.sum.tell("read", ctx.self);
    },
    value: (state, value: number) => state.sum.tell("write", value + 1),
  },
});

const additions = (isCareful: boolean) =>
  defineExploration(import.meta.url, {
    name: isCareful ? "additions" : "lost additions",
    machines: 3,
    start(world) {
      const [first, ...others] = world.machines;
      const total = world.spawn(sum, undefined, { name: "sum", machine: first });
      for (const machine of others) {
        world.spawn(adding, { sum: total, isCareful }, { name: machine.name, machine }).tell("begin");
      }
      return { total, wanted: others.length };
    },
    faults: { delayMs: [1, 20], reorder: true },
    atEnd: {
      "nothing is lost": ({ total, wanted }, world) => {
        const { value } = world.state<{ value: number }>(total) ?? { value: 0 };
        return value === wanted || `the sum is ${value}`;
      },
    },
  });

export const lost = additions(false);

const spinning = actor({
  kind: "spinning",
  init: () => ({ turns: 0 }),
  receive: {
    spin(state) {
      while (state.turns >= 0) state.turns++;
    },
  },
});

const spins = (isEndless: boolean) =>
  defineExploration(import.meta.url, {
    name: isEndless ? "endless" : "unchecked",
    start(world) {
      const spinner = world.spawn(spinning, undefined, { name: "wheel" });
      if (isEndless) world.after(5, () => spinner.tell("spin"));
    },
  });

export const endless = spins(true);
export const unchecked = spins(false);

const listing = actor({
  kind: "listing",
  init: () => Array.from({ length: 100 }, (_, index) => index),
  receive: { add: (state, number: number) => void state.push(number) },
});

/** Breaks a promise at once, with a state of 100 numbers. */
export const long = defineExploration(import.meta.url, {
  name: "long",
  start: (world) => void world.spawn(listing),
  never: { "anything is": () => true },
});

export default additions(true);

/** Counts of digits; it forgets them when it is restored, if it is forgetful. */
class Counting implements Operator<{ in: number }, number> {
  readonly counts = new Map<number, number>();
  readonly #forgets: boolean;

  constructor(forgets: boolean) {
    this.#forgets = forgets;
  }

  execute({ objects }: Task<{ in: number }>): void {
    for (const digit of objects) this.counts.set(digit, (this.counts.get(digit) ?? 0) + 1);
  }

  done = (): number[] => [...this.counts.values()];
  snapshot = (): [number, number][] => [...this.counts];
  restore(counts: [number, number][]): void {
    for (const [digit, count] of counts) this.counts.set(digit, this.#forgets ? 1 : count);
  }
}

const counting = defineFlow(import.meta.url, (q, { forgets = false }: { forgets?: boolean }) => ({
  counts: q
    .read("numbers", numbers(0, 200))
    .map("digits", (number) => number % 10)
    .partition(hash((digit: number) => digit))
    .apply("counting", () => new Counting(forgets))
    .collect(),
}));

const counts = (forgets: boolean) =>
  defineFlowExploration(import.meta.url, {
    name: forgets ? "forgotten counts" : "counts",
    flow: counting,
    args: { forgets },
    limits: { parcelObjects: 16 },
    checkpointEveryMs: 2,
    atEnd: { "all are counted": (outputs) => outputs.counts.every((count) => count === 20) },
  });

export const flow = counts(false);
export const forgetful = counts(true);
