import { defineExploration } from "qstream/testing";
import { worker, type Token, type WorkerState } from "./termination.ts";

/** Five workers; work of node 0 spreads, and comes to an end. */
export default defineExploration(import.meta.url, {
  name: "termination",
  machines: 5,
  start(world) {
    const nodes = world.machines.map((machine, id) => world.spawn(worker, id, { name: `worker-${id}`, machine }));
    for (const [id, node] of nodes.entries())
      node.tell("link", { next: nodes[(id + 1) % nodes.length] ?? node, all: nodes });
    nodes[0]?.tell("work", 3);
    return { nodes };
  },
  faults: { delayMs: [1, 60], reorder: true },
  always: {
    "nothing goes on once node 0 says that all is done"({ nodes }, world) {
      const states = nodes.map((node) => world.state<WorkerState>(node));
      if (states[0]?.isDone !== true) return true;
      const busy = states.findIndex((state) => (state?.busy ?? 0) > 0);
      if (busy >= 0) return `worker-${busy} is busy`;
      return world.inFlight().every(({ name }) => name !== "work") || "work is on its way";
    },
  },
  eventually: {
    "node 0 says that all is done"({ nodes: [first] }, world) {
      const isDone = first !== undefined && world.state<WorkerState>(first)?.isDone === true;
      if (isDone) world.note("all is done");
      return isDone;
    },
  },
  show: {
    message: (name, payload) => {
      if (name === "work") return `work ${String(payload)}`;
      if (name !== "token") return name;
      const { color, count } = payload as Token;
      return `${color} token ${count}`;
    },
  },
});
