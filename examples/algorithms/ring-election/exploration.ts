import { defineExploration } from "qstream/testing";
import { ringNode, type RingState } from "./ring-election.ts";

/** Nodes in a ring, numbered in any order; each begins at some time. */
export default defineExploration(import.meta.url, {
  name: "ring-election",
  machines: 5,
  start(world) {
    const numbers = world.machines.map((_, index) => index + 1);
    const nodes = world.machines.map((machine) => {
      const [number = 0] = numbers.splice(Math.floor(numbers.length * world.random()), 1);
      return world.spawn(ringNode, number, { name: `node-${number}`, machine });
    });
    for (const [index, node] of nodes.entries()) {
      const next = nodes[(index + 1) % nodes.length] ?? node;
      world.after(100 * world.random(), () => node.tell("begin", next));
    }
    return { nodes };
  },
  faults: { delayMs: [1, 50], reorder: true },
  always: {
    "who leads is the highest": ({ nodes }, world) =>
      nodes.every((node) => {
        const leader = world.state<RingState>(node)?.leader;
        return leader === undefined || leader === nodes.length;
      }),
  },
  eventually: {
    "all know the leader": ({ nodes }, world) =>
      nodes.every((node) => world.state<RingState>(node)?.leader === nodes.length),
  },
});
