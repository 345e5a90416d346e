import { defineExploration, type ExploredWorld } from "qstream/testing";
import type { ActorReference } from "qstream";
import {
  coordinator,
  participant,
  type CoordinatorProtocol,
  type CoordinatorState,
  type ParticipantProtocol,
  type ParticipantState,
} from "./two-phase-commit.ts";

interface System {
  readonly bank: ActorReference<CoordinatorProtocol>;
  readonly accounts: ReadonlyMap<string, ActorReference<ParticipantProtocol>>;
}

const opening = 100;
const names = ["ann", "bob", "cleo"];

function statesOf({ accounts }: System, world: ExploredWorld): ParticipantState[] {
  return [...accounts.values()].flatMap((node) => world.state<ParticipantState>(node) ?? []);
}

/** Three accounts and transfers between them, while machines come and go. */
export default defineExploration(import.meta.url, {
  name: "two-phase-commit",
  machines: ["bank", ...names],
  start(world): System {
    const disk = (name: string): (typeof world.machines)[number] => {
      const machine = world.machines.find((each) => each.name === name);
      if (machine === undefined) throw new Error(`no machine ${name}`);
      return machine;
    };
    const bank = world.spawn(coordinator, disk("bank").disk, { name: "bank", machine: disk("bank") });
    const accounts = new Map(
      names.map((name) => {
        const machine = disk(name);
        return [
          name,
          world.spawn(participant, { account: name, balance: opening, storage: machine.disk }, { name, machine }),
        ];
      }),
    );
    bank.tell("participants", accounts);
    for (const account of accounts.values()) account.tell("coordinator", bank);
    for (let number = 0; number < 8; number++) {
      const from = names[Math.floor(world.random() * names.length)] ?? "";
      const to = names.filter((name) => name !== from)[Math.floor(2 * world.random())] ?? "";
      const amount = 1 + Math.floor(80 * world.random());
      world.after(600 * world.random(), () => bank.tell("transfer", { id: `t${number}`, from, to, amount }));
    }
    return { bank, accounts };
  },
  restarted({ bank, accounts }, _, { name }) {
    if (name === "bank") bank.tell("participants", accounts);
    else accounts.get(name)?.tell("coordinator", bank);
  },
  faults: {
    delayMs: [1, 30],
    loss: 0.05,
    duplicate: 0.05,
    reorder: true,
    partitions: { most: 2 },
    crashes: { most: 3, restartAfterMs: [10, 200] },
  },
  always: {
    "all decide the same"(system, world) {
      const decided = new Map<string, string>();
      for (const { account, decided: own } of statesOf(system, world)) {
        for (const [id, decision] of own) {
          const other = decided.get(id);
          if (other !== undefined && other !== decision)
            return `${account} has ${decision} for ${id}, another ${other}`;
          decided.set(id, decision);
        }
      }
      return true;
    },
    "no balance is below zero": (system, world) => statesOf(system, world).every(({ balance }) => balance >= 0),
  },
  eventually: {
    "nothing is open, and the money is all there"(system, world) {
      const states = statesOf(system, world);
      if (states.length < names.length || states.some(({ promised }) => promised.size > 0)) return false;
      if ((world.state<CoordinatorState>(system.bank)?.running.size ?? 1) > 0) return false;
      const total = states.reduce((sum, { balance }) => sum + balance, 0);
      return total === opening * names.length || `there is ${total}`;
    },
  },
  steps: 1500,
  // All that has to come has come.
  stopWhen: () => true,
  show: { message: (name, payload) => messageText(name, payload) },
});

/** What messages may have in them. */
interface Fields {
  readonly id?: string;
  readonly change?: number;
  readonly yes?: boolean;
  readonly decision?: string;
}

/** A message in a few words, for pictures. */
function messageText(name: string, payload: unknown): string {
  if (name === "again") return `again ${String(payload)}`;
  if (name === "participants" || name === "coordinator" || payload === undefined) return name;
  const { id, change, yes, decision } = payload as Fields;
  const parts: Readonly<Record<string, string>> = {
    prepare: `prepare ${id}: ${change}`,
    vote: `${yes === true ? "yes" : "no"} to ${id}`,
    decided: `${decision} ${id}`,
    outcome: `what of ${id}?`,
  };
  return parts[name] ?? `${name} ${id}`;
}
