import { defineExploration } from "qstream/testing";
import { branch, totalOf, type BranchState } from "./snapshot.ts";

const each = 100;

/** Four branches that send each other money; one of them takes a snapshot. Messages keep their order, as the algorithm wants it. */
export default defineExploration(import.meta.url, {
  name: "snapshot",
  machines: 4,
  start(world) {
    const branches = new Map(
      world.machines.map((machine) => {
        const id = machine.name;
        return [id, world.spawn(branch, { id, balance: each }, { name: id, machine })] as const;
      }),
    );
    for (const [id, node] of branches) node.tell("peers", new Map([...branches].filter(([other]) => other !== id)));
    const chosen = [...branches.values()][Math.floor(world.random() * branches.size)];
    world.after(50 + 100 * world.random(), () => chosen?.tell("record"));
    return { branches: [...branches.values()], seen: { onTheWay: 0 } };
  },
  faults: { delayMs: [1, 80] },
  always: {
    "a snapshot has all the money in it"({ branches, seen }, world) {
      const states = branches.flatMap((node) => world.state<BranchState>(node) ?? []);
      const onTheWay = states
        .flatMap(({ recorded }) => [...(recorded?.onTheWay.values() ?? [])])
        .reduce((sum, amount) => sum + amount, 0);
      if (onTheWay > seen.onTheWay) world.note("was on its way");
      seen.onTheWay = onTheWay;
      const total = totalOf(states);
      return total === undefined || total === each * branches.length || `it has ${total}`;
    },
  },
  eventually: {
    "the snapshot is whole"({ branches }, world) {
      const total = totalOf(branches.flatMap((node) => world.state<BranchState>(node) ?? []));
      if (total !== undefined) world.note(`whole: ${total}`);
      return total !== undefined;
    },
  },
  steps: 600,
  // All that has to come has come.
  stopWhen: () => true,
  show: {
    message: (name, payload: { readonly amount?: number } | undefined) =>
      name === "transfer" ? String(payload?.amount) : name,
  },
});
