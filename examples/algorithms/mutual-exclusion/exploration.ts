import { defineExploration } from "qstream/testing";
import { lockNode, type LockState } from "./mutual-exclusion.ts";

const count = 4;
const wants = 3;

/** Four nodes that want the lock three times each, at any time. */
export default defineExploration(import.meta.url, {
  name: "mutual-exclusion",
  machines: count,
  start(world) {
    const nodes = world.machines.map((machine, id) => world.spawn(lockNode, id, { name: `node-${id}`, machine }));
    for (const node of nodes) {
      node.tell(
        "peers",
        nodes.filter((other) => other !== node),
      );
      for (let want = 0; want < wants; want++) world.after(400 * want + 100 * world.random(), () => node.tell("want"));
    }
    return { nodes };
  },
  faults: { delayMs: [1, 40], reorder: true },
  never: {
    "two hold the lock": ({ nodes }, world) => {
      const holding = nodes.filter((node) => world.state<LockState>(node)?.phase === "holding");
      return holding.length > 1 && holding.map(({ label }) => label).join(" and ");
    },
  },
  eventually: {
    "all have had it, and nobody wants it": ({ nodes }, world) =>
      nodes.every((node) => {
        const state = world.state<LockState>(node);
        return state?.phase === "idle" && state.entered > 0;
      }),
  },
});
