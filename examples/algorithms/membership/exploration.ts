import { defineExploration } from "qstream/testing";
import { member, type MemberState, type Ping, type Rumor } from "./swim.ts";

/** Six members, of which one may go for good; messages get lost. */
export default defineExploration(import.meta.url, {
  name: "membership",
  machines: 6,
  start(world) {
    const members = new Map(
      world.machines.map((machine) => [
        machine.name,
        world.spawn(member, machine.name, { name: machine.name, machine }),
      ]),
    );
    for (const each of members.values()) each.tell("peers", members);
    return { members };
  },
  faults: { withinMs: 800, delayMs: [1, 4], loss: 0.02, duplicate: 0.02, reorder: true, crashes: { most: 1 } },
  always: {
    "nobody that is there is called dead"({ members }, world) {
      for (const machine of world.machines) {
        if (!machine.isUp) continue;
        for (const each of members.values()) {
          const known = world.state<MemberState>(each)?.known.get(machine.name);
          if (known?.status === "dead") return `${each.label} says so of ${machine.name}`;
        }
      }
      return true;
    },
  },
  eventually: {
    "all know who is gone": ({ members }, world) =>
      world.machines.every((machine) => {
        const wanted = machine.isUp ? "alive" : "dead";
        return [...members.values()].every((each) => {
          const state = world.state<MemberState>(each);
          return state === undefined || state.id === machine.name || state.known.get(machine.name)?.status === wanted;
        });
      }),
  },
  steps: 3000,
  // All that has to come has come.
  stopWhen: () => true,
  show: {
    message(name, payload) {
      const { rumors = [], target, id } = { ...(payload as Partial<Ping & Rumor & { target: string }>) };
      const news = rumors.filter((rumor) => rumor.status !== "alive" || rumor.incarnation > 0);
      const words = [name, target ?? id, ...news.map((rumor) => `(${rumor.id} ${rumor.status})`)];
      return words
        .filter((word) => word !== undefined)
        .join(" ")
        .replaceAll("machine-", "");
    },
  },
});
