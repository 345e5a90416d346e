import {
  checkLinearizable,
  defineExploration,
  History,
  keyValueModel,
  type Exploration,
  type ExplorationFaults,
  type ExploredWorld,
} from "qstream/testing";
import type { ActorReference } from "qstream";
import { client, type StoreHistory } from "./client.ts";
import { messageText } from "./message-text.ts";
import { raftNode, type RaftProtocol, type RaftState } from "./raft.ts";

interface System {
  readonly nodes: ReadonlyMap<string, ActorReference<RaftProtocol>>;
  readonly history: StoreHistory;
  /** What each index was seen to hold once it was committed. */
  readonly committed: Map<number, number>;
  readonly leaders: Map<number, string>;
}

const first = ["n0", "n1", "n2"];
const all = [...first, "n3", "n4"];
const clients = ["x", "y", "z"];
const withinMs = 1500;

function states({ nodes }: System, world: ExploredWorld): RaftState[] {
  return [...nodes.values()].flatMap((node) => world.state<RaftState>(node) ?? []);
}

/** Asks whoever thinks that it leads to take a node in, or to let one go. */
function changeMembers(nodes: System["nodes"], world: ExploredWorld): void {
  const chosen = all[Math.floor(all.length * world.random())] ?? "";
  for (const node of nodes.values()) {
    const state = world.state<RaftState>(node);
    if (state?.role !== "leader") continue;
    const { members } = state.log;
    const changed = members.includes(chosen) ? members.filter((id) => id !== chosen) : [...members, chosen];
    if (changed.length >= 2) node.tell("change", changed);
  }
}

function isFollowed(system: System, world: ExploredWorld): boolean | string {
  const found = states(system, world);
  const leader = found.find(({ role, leader: of, id }) => role === "leader" && of === id);
  if (leader === undefined) return "nobody leads";
  const followers = found.filter((each) => each.leader === leader.id && each.term === leader.term);
  return followers.length > leader.log.members.length / 2;
}

interface Scenario {
  /** Who is a member at first. */
  readonly members: readonly string[];
  /** How often somebody asks for other members. */
  readonly changes: number;
  readonly faults: ExplorationFaults;
}

function raftWith(name: string, { members, changes, faults }: Scenario): Exploration<System> {
  return defineExploration(import.meta.url, {
    name,
    machines: [...all, ...clients],
    start(world): System {
      const history: StoreHistory = new History();
      const nodes = new Map(
        world.machines
          .filter(({ name }) => all.includes(name))
          .map((machine) => {
            const { name: id, disk: storage } = machine;
            return [id, world.spawn(raftNode, { id, members, storage }, { name: id, machine })] as const;
          }),
      );
      for (const node of nodes.values()) node.tell("peers", nodes);
      for (const machine of world.machines) {
        if (!clients.includes(machine.name)) continue;
        const id = machine.name;
        world.spawn(client, { id, nodes: [...nodes.values()], ids: all, history, left: 20 }, { name: id, machine });
      }
      for (let times = 0; times < changes; times++)
        world.after(withinMs * world.random(), () => changeMembers(nodes, world));
      return { nodes, history, committed: new Map(), leaders: new Map() };
    },
    restarted({ nodes }, _, machine) {
      nodes.get(machine.name)?.tell("peers", nodes);
    },
    faults,
    always: {
      "one leader a term"(system, world) {
        for (const { role, term, id } of states(system, world)) {
          if (role !== "leader") continue;
          const known = system.leaders.get(term);
          if (known !== undefined && known !== id) return `${known} and ${id} lead in term ${term}`;
          if (known === undefined) world.note(`leads, term ${term}`);
          system.leaders.set(term, id);
        }
        return true;
      },
      "what is committed stays"(system, world) {
        for (const { id, log, commit } of states(system, world)) {
          for (let index = Math.max(log.snapshot.index, 1); index <= commit; index++) {
            const term = log.termAt(index);
            const known = system.committed.get(index);
            if (known === undefined && term !== undefined) system.committed.set(index, term);
            else if (term !== known)
              return `entry ${index} of ${id} is of term ${term}, and was committed in term ${known}`;
          }
        }
        return true;
      },
    },
    atEnd: {
      "clients see one store"({ history }) {
        const report = checkLinearizable(history, keyValueModel<number>());
        return report.verdict === "ok" ? true : report.text;
      },
    },
    eventually: {
      "a leader is followed by a majority": isFollowed,
    },
    steps: 3000,
    stopWhen: (_, world) => world.nowMs > 2000,
    show: { message: messageText },
  });
}

/** Three nodes, of five that come and go, while three clients use the store and all goes wrong. */
export default raftWith("raft", {
  members: first,
  changes: 12,
  faults: {
    withinMs,
    delayMs: [1, 20],
    loss: 0.03,
    duplicate: 0.02,
    reorder: true,
    partitions: { most: 3, forMs: [100, 1000], oneWay: true },
    crashes: { most: 3, restartAfterMs: [20, 300], machines: all },
    clockSkew: 0.1,
  },
});

/** The network falls apart again and again: old leaders don't know that there are others. */
export const partitioned = raftWith("raft, partitioned", {
  members: first,
  changes: 0,
  faults: { withinMs, delayMs: [1, 10], partitions: { most: 6, forMs: [200, 600] } },
});

/** Leaders come and go before what they took in is everywhere. */
export const crashing = raftWith("raft, crashing", {
  members: all,
  changes: 0,
  faults: { withinMs, delayMs: [1, 40], loss: 0.1, crashes: { most: 12, restartAfterMs: [10, 200], machines: all } },
});

/** Members change while the network falls apart. */
export const changing = raftWith("raft, changing", {
  members: all.slice(0, 4),
  changes: 60,
  faults: { withinMs, delayMs: [1, 30], partitions: { most: 6, forMs: [100, 500] } },
});
