import { defineExploration } from "qstream/testing";
import { ringNode, type RingState } from "./ring-election.ts";

const numbers = [4, 1, 5, 2, 3];

/** Five nodes in a ring; any of them may begin, at any time. */
export default defineExploration(import.meta.url, {
  name: "ring-election",
  machines: numbers.length,
  start(world) {
    const nodes = numbers.map((number, index) => {
      return world.spawn(ringNode, number, { name: `node-${number}`, machine: world.machines[index] });
    });
    for (const [index, node] of nodes.entries()) {
      const next = nodes[(index + 1) % nodes.length] ?? node;
      world.after(100 * world.random(), () => node.tell("begin", next));
    }
    return { nodes, highest: Math.max(...numbers) };
  },
  faults: { delayMs: [1, 50], reorder: true },
  always: {
    "who leads is the highest": ({ nodes, highest }, world) =>
      nodes.every((node) => {
        const leader = world.state<RingState>(node)?.leader;
        return leader === undefined || leader === highest;
      }),
  },
  eventually: {
    "all know the leader": ({ nodes, highest }, world) =>
      nodes.every((node) => world.state<RingState>(node)?.leader === highest),
  },
});
