// Runs of well-known algorithms, made up for diagrams: the same in each run of the specs.

import type { RunTrace } from "../../../../lib/testing/explore/trace.ts";
import { runMadeWorld, type Behaviour } from "./made-world.ts";

interface RaftState {
  readonly term: number;
  readonly role: "follower" | "candidate" | "leader";
  readonly votes: readonly string[];
  readonly votedFor: string;
}

const nodes = ["n1", "n2", "n3", "n4", "n5"];

/** An election among five nodes on a bad network, which isn't over when the run ends. */
export function raftElection(): RunTrace {
  const trace = runMadeWorld(
    {
      title: "Raft election of five nodes",
      seed: 11,
      ids: nodes,
      behaviour: raftNode,
      lossRate: 0.06,
      duplicateRate: 0.08,
      faults: {
        14: { kind: "crash", line: "n3", text: "power cut" },
        20: {
          kind: "partition",
          line: "",
          groups: [
            ["n1", "n2"],
            ["n3", "n4", "n5"],
          ],
        },
        32: { kind: "restart", line: "n3" },
        48: { kind: "heal", line: "" },
      },
    },
    60,
  );
  const violation = {
    invariant: "some node leads the newest term",
    kind: "eventually" as const,
    message:
      "after 60 steps nobody leads term 5: n3 is its candidate, and the votes of n4 and n5 for it are still on their way",
    step: 59,
  };
  return { ...trace, violation };
}

const raftNode =
  (self: string): Behaviour =>
  (event, before, { send, timer, random }) => {
    const state = (before ?? { term: 0, role: "follower", votes: [], votedFor: "" }) as RaftState;
    const others = (text: string): void => {
      for (const node of nodes) if (node !== self) send(node, text);
    };
    const waitForLeader = (): void => timer("election", 30 + random() * 40);
    if (event.kind === "start") {
      waitForLeader();
      return { term: state.term, role: "follower", votes: [], votedFor: "" };
    }
    if (event.kind === "timer" && event.text === "heartbeat") {
      others(`Append(${state.term})`);
      timer("heartbeat", 25);
      return state;
    }
    if (event.kind === "timer") {
      const term = state.term + 1;
      others(`RequestVote(${term})`);
      waitForLeader();
      return { term, role: "candidate", votes: [self], votedFor: self };
    }
    const term = Number(/\d+/.exec(event.text)?.[0]);
    if (event.text.startsWith("RequestVote")) {
      const free = term > state.term || (term === state.term && state.votedFor === "");
      send(event.from, free ? `Vote(${term})` : `Refuse(${state.term})`);
      return free ? { term, role: "follower", votes: [], votedFor: event.from } : state;
    }
    if (event.text.startsWith("Vote") && state.role === "candidate" && term === state.term) {
      const votes = [...new Set([...state.votes, event.from])];
      if (votes.length < 3) return { ...state, votes };
      others(`Append(${term})`);
      timer("heartbeat", 25);
      return { ...state, role: "leader", votes };
    }
    if (!event.text.startsWith("Append")) return state;
    waitForLeader();
    return term >= state.term ? { ...state, term, role: "follower" } : state;
  };

/** The largest id goes around a ring of six on three machines, and each forwards what is larger than its own. */
export function ringElection(): RunTrace {
  const ids = [3, 17, 8, 21, 5, 12].map((id) => `node-${id}`);
  const numberOf = (id: string): number => Number(id.slice(5));
  const next = (id: string): string => ids[(ids.indexOf(id) + 1) % ids.length] ?? "";
  return runMadeWorld(
    {
      title: "Leader election in a ring (Chang and Roberts)",
      seed: 3,
      ids,
      machine: (id) => `machine ${Math.floor(ids.indexOf(id) / 2) + 1}`,
      behaviour:
        (id) =>
        (event, before, { send }) => {
          if (event.kind === "start") send(next(id), `elect ${numberOf(id)}`);
          const [word = "", number = ""] = event.text.split(" ");
          if (word === "leader" && before !== Number(number)) send(next(id), event.text);
          if (word === "leader") return Number(number);
          if (word === "elect" && Number(number) > numberOf(id)) send(next(id), event.text);
          if (word === "elect" && Number(number) === numberOf(id)) send(next(id), `leader ${number}`);
          return before ?? null;
        },
    },
    60,
  );
}

/** Two-phase commit whose coordinator crashes between the votes and the decision: the others wait for ever. */
export function twoPhaseCommit(): RunTrace {
  const participants = ["stock", "payment", "shipping-and-handling-service"];
  const trace = runMadeWorld(
    {
      title: "Two-phase commit, coordinator lost",
      seed: 5,
      ids: ["coordinator", ...participants],
      behaviour:
        (id) =>
        (event, before, { send, timer }) => {
          const { prepared = [] } = (before ?? {}) as { prepared?: string[] };
          if (id === "coordinator" && event.kind === "start") {
            for (const participant of participants) send(participant, "prepare order 4711 <3 items & gift>");
            return { prepared };
          }
          if (id === "coordinator") return { prepared: [...prepared, event.from] };
          if (event.text.startsWith("prepare")) {
            send("coordinator", "vote yes");
            timer("ask again", 40);
            return { waits: "commit or abort" };
          }
          if (event.kind !== "timer") return before ?? {};
          send("coordinator", "which decision?");
          timer("ask again", 40);
          return before;
        },
      faults: { 9: { kind: "crash", line: "coordinator" } },
    },
    24,
  );
  const message = "shipping-and-handling-service still waits for the decision when nothing more can happen";
  return { ...trace, violation: { invariant: "everybody decides", kind: "eventually", message, step: 23 } };
}

/** Gossip of eight actors on four machines, with losses, copies, crashes and partitions all along. */
export function longGossip(steps = 2_000): RunTrace {
  const ids = Array.from({ length: 8 }, (_, index) => `gossip-${index + 1}`);
  const faults = Object.fromEntries(
    Array.from({ length: Math.floor(steps / 50) }, (_, index) => {
      const line = ids[index % 8] ?? "";
      const kind = (["crash", "restart", "partition", "heal"] as const)[index % 4] ?? "heal";
      const crashed = ids[(index - (index % 4)) % 8] ?? "";
      if (kind === "partition") return [index * 50 + 40, { kind, line: "", groups: [ids.slice(0, 3), ids.slice(3)] }];
      return [index * 50 + 40, { kind, line: kind === "heal" ? "" : kind === "crash" ? line : crashed }];
    }),
  );
  const trace = runMadeWorld(
    {
      title: "Gossip",
      seed: 8,
      ids,
      machine: (id) => `machine ${Math.ceil(Number(id.slice(7)) / 2)}`,
      behaviour:
        () =>
        (event, before, { send, timer, random }) => {
          const { heard = 0 } = (before ?? {}) as { heard?: number };
          if (event.kind !== "deliver") timer("tick", 20 + random() * 30);
          if (event.kind !== "deliver" || random() < 0.3) {
            send(ids[Math.floor(random() * 8)] ?? "", `rumour ${Math.floor(random() * 1000)}`);
          }
          return { heard: event.kind === "deliver" ? heard + 1 : heard };
        },
      lossRate: 0.05,
      duplicateRate: 0.05,
      faults,
    },
    steps,
  );
  const message = "gossip-3 counts 12 rumours and gossip-7 counts 11, in the same round";
  return { ...trace, violation: { invariant: "counts agree", kind: "never", message, step: steps - 1 } };
}
