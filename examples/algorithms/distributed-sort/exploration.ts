import { defineExploration } from "qstream/testing";
import { sorter, type SorterState } from "./distributed-sort.ts";

const sorters = 4;
const each = 50;

/** Two hundred numbers at four sorters. */
export default defineExploration(import.meta.url, {
  name: "distributed-sort",
  machines: sorters,
  start(world) {
    const values = world.machines.map(() => Array.from({ length: each }, () => Math.floor(1000 * world.random())));
    const nodes = world.machines.map((machine, id) => {
      return world.spawn(sorter, { id, values: values[id] ?? [] }, { name: `sorter-${id}`, machine });
    });
    for (const node of nodes) node.tell("begin", nodes);
    return { nodes, expected: values.flat().sort((left, right) => left - right) };
  },
  faults: { delayMs: [1, 40], loss: 0.1, duplicate: 0.1, reorder: true, partitions: { most: 2 } },
  eventually: {
    "all together, they have all in order"({ nodes, expected }, world) {
      const parts = nodes.map((node) => world.state<SorterState>(node)?.sorted);
      if (parts.some((part) => part === undefined)) return false;
      const sorted = parts.flatMap((part) => part ?? []);
      return (
        (sorted.length === expected.length && sorted.every((value, at) => value === expected[at])) ||
        `there are ${sorted.length} numbers, and they aren't in order`
      );
    },
  },
  steps: 800,
  // All that has to come has come.
  stopWhen: () => true,
  show: {
    message(name, payload) {
      if (name === "bounds") return `bounds ${(payload as readonly number[]).join(" ")}`;
      if (name === "received") return `received by ${String(payload)}`;
      if (name !== "sample" && name !== "bucket") return name;
      const { values } = payload as { readonly values: readonly number[] };
      return name === "sample" ? `sample of ${values.length}` : `${values.length} numbers`;
    },
  },
});
