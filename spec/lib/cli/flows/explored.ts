// An exploration with a mistake and one without, for the specs of `qstream explore`. A module that the command bundles imports the
// package by its name.

import { actor, type AnyReference } from "qstream";
import { defineExploration } from "qstream/testing";

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
export default additions(true);
