import { defineExploration } from "qstream/testing";
import { replica, type ReplicaState } from "./replica.ts";
import { membersOf, textOf, valueOf } from "./types.ts";

const changes = 6;

/** Four replicas that change what they have, apart from each other at times, and must come to the same. */
export default defineExploration(import.meta.url, {
  name: "replicated-types",
  machines: 4,
  start(world) {
    const replicas = world.machines.map((machine) =>
      world.spawn(replica, machine.name, { name: machine.name, machine }),
    );
    for (const each of replicas) {
      each.tell(
        "peers",
        replicas.filter((other) => other !== each),
      );
      for (let change = 0; change < changes; change++) world.after(500 * world.random(), () => each.tell("change"));
    }
    return { replicas };
  },
  faults: { delayMs: [1, 60], loss: 0.1, duplicate: 0.1, reorder: true, partitions: { most: 3 } },
  eventually: {
    "all replicas have the same"({ replicas }, world) {
      const states = replicas.flatMap((each) => world.state<ReplicaState>(each) ?? []);
      if (states.some((state) => state.changes < changes)) return false;
      const seen = states.map(({ replicated: { counter, set, text } }) =>
        JSON.stringify([valueOf(counter), membersOf(set), textOf(text)]),
      );
      return new Set(seen).size === 1 || seen.join(" ");
    },
  },
  steps: 1500,
  // All that has to come has come.
  stopWhen: () => true,
});
