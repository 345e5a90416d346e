import { defineExploration } from "qstream/testing";
import { replica, type ReplicaState, type Replicated } from "./replica.ts";
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
      const seen = states.map(({ replicated }) => valuesOf(replicated));
      if (new Set(seen).size > 1) return seen.join(" ");
      world.note("all have the same");
      return true;
    },
  },
  steps: 1500,
  // All that has to come has come.
  stopWhen: () => true,
  show: {
    message: (name, payload) => (name === "merge" ? valuesOf(payload as Replicated) : name),
  },
});

/** What a replica holds, as its readers see it. */
function valuesOf({ counter, set, text }: Replicated): string {
  return `${valueOf(counter)} {${membersOf(set).join(" ")}} "${textOf(text)}"`;
}
