import type { AnyReference } from "qstream";
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
    return { nodes, held: { by: undefined as AnyReference | undefined } };
  },
  faults: { delayMs: [1, 40], reorder: true },
  never: {
    "two hold the lock": ({ nodes, held }, world) => {
      const holding = nodes.filter((node) => world.state<LockState>(node)?.phase === "holding");
      if (holding.length === 1 && holding[0] !== held.by) world.note("has the lock");
      held.by = holding[0];
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
  show: {
    message: (name, payload: { readonly time?: number; readonly to?: number } | undefined) =>
      name === "request" ? `request of ${payload?.time}` : name === "reply" ? `reply to ${payload?.to}` : name,
  },
});
