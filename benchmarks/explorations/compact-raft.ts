import { actor, type ActorContext, type ActorReference } from "qstream";
import { defineExploration, type Exploration, type ExploredDisk, type ExploredWorld } from "qstream/testing";

/** Mistakes that may be made in it, for those who look whether they are found. */
export interface RaftMistakes {
  /** Votes that make a leader; a majority unless told. */
  readonly quorum?: number;
  /** Term and vote aren't flushed before they are told. */
  readonly noFlush?: boolean;
  /** A vote counts again when it comes a second time. */
  readonly countsTwice?: boolean;
}

interface Entry {
  readonly term: number;
  readonly value: number;
}

interface Append {
  readonly term: number;
  readonly leader: number;
  readonly previous: number;
  readonly previousTerm: number;
  readonly entries: readonly Entry[];
  readonly commit: number;
}

interface RaftProtocol {
  vote: (request: { term: number; candidate: number; last: number; lastTerm: number }) => void;
  voted: (answer: { term: number; from: number; granted: boolean }) => void;
  append: (request: Append) => void;
  appended: (answer: { term: number; from: number; matched: number; isRefused: boolean }) => void;
  propose: (value: number) => void;
  timeout: () => void;
  beat: () => void;
}

type RaftNode = ActorReference<RaftProtocol>;

interface RaftArguments extends RaftMistakes {
  readonly id: number;
  /** All nodes, which are put in once they are there. */
  readonly nodes: readonly RaftNode[];
  readonly disk: ExploredDisk;
}

export interface RaftState {
  readonly own: RaftArguments;
  term: number;
  votedFor: number;
  role: "follower" | "candidate" | "leader";
  votes: readonly number[];
  log: readonly Entry[];
  commit: number;
  next: number[];
  matched: number[];
  timer: number;
}

const beatMs = 30;
const electionMs = 100;

/** The Raft of Ongaro and Ousterhout without changes of members and snapshots, as small as it gets. */
export const raftNode = actor({
  kind: "raft",
  init(own: RaftArguments, ctx): RaftState {
    const { disk } = own;
    const state: RaftState = {
      own,
      term: disk.get<number>("term") ?? 0,
      votedFor: disk.get<number>("vote") ?? -1,
      role: "follower",
      votes: [],
      log: disk.get<readonly Entry[]>("log") ?? [],
      commit: 0,
      next: [],
      matched: [],
      timer: 0,
    };
    waitForLeader(state, ctx);
    return state;
  },
  receive: {
    timeout(state, _: undefined, ctx) {
      state.role = "candidate";
      const { id } = state.own;
      state.votes = [id];
      enterTerm(state, state.term + 1, id);
      const request = { term: state.term, candidate: id, last: state.log.length, lastTerm: lastTermOf(state.log) };
      for (const [index, node] of state.own.nodes.entries()) if (index !== id) node.tell("vote", request);
      waitForLeader(state, ctx);
      if (state.votes.length >= quorumOf(state)) lead(state, ctx);
    },
    vote(state, request: { term: number; candidate: number; last: number; lastTerm: number }, ctx) {
      if (request.term > state.term) follow(state, request.term, ctx);
      const lastTerm = lastTermOf(state.log);
      const isCurrent =
        request.lastTerm > lastTerm || (request.lastTerm === lastTerm && request.last >= state.log.length);
      const isFree = state.votedFor === -1 || state.votedFor === request.candidate;
      const granted = request.term === state.term && state.role === "follower" && isFree && isCurrent;
      if (granted) {
        enterTerm(state, state.term, request.candidate);
        waitForLeader(state, ctx);
      }
      state.own.nodes[request.candidate]?.tell("voted", { term: state.term, from: state.own.id, granted });
    },
    voted(state, answer: { term: number; from: number; granted: boolean }, ctx) {
      if (answer.term > state.term) follow(state, answer.term, ctx);
      if (state.role !== "candidate" || answer.term !== state.term || !answer.granted) return;
      if (state.own.countsTwice !== true && state.votes.includes(answer.from)) return;
      state.votes = [...state.votes, answer.from];
      if (state.votes.length >= quorumOf(state)) lead(state, ctx);
    },
    beat(state, _: undefined, ctx) {
      if (state.role !== "leader") return;
      for (let index = 0; index < state.own.nodes.length; index++) if (index !== state.own.id) sendLog(state, index);
      ctx.after(beatMs, "beat");
    },
    append(state, request: Append, ctx) {
      if (request.term > state.term || (request.term === state.term && state.role === "candidate")) {
        follow(state, request.term, ctx);
      }
      const { leader, previous, entries } = request;
      const { id, nodes } = state.own;
      const isStale = request.term < state.term;
      const fits = previous === 0 || state.log[previous - 1]?.term === request.previousTerm;
      if (isStale || !fits) {
        nodes[leader]?.tell("appended", { term: state.term, from: id, matched: 0, isRefused: true });
        if (!isStale) waitForLeader(state, ctx);
        return;
      }
      waitForLeader(state, ctx);
      const matched = previous + entries.length;
      const differs = entries.some((entry, index) => state.log[previous + index]?.term !== entry.term);
      if (differs) keepLog(state, [...state.log.slice(0, previous), ...entries]);
      state.commit = Math.max(state.commit, Math.min(request.commit, matched));
      nodes[leader]?.tell("appended", { term: state.term, from: id, matched, isRefused: false });
    },
    appended(state, answer: { term: number; from: number; matched: number; isRefused: boolean }, ctx) {
      if (answer.term > state.term) follow(state, answer.term, ctx);
      if (state.role !== "leader" || answer.term !== state.term) return;
      const { from, matched, isRefused } = answer;
      if (isRefused) {
        state.next[from] = Math.max(1, (state.next[from] ?? 1) - 1);
        sendLog(state, from);
        return;
      }
      state.matched[from] = Math.max(state.matched[from] ?? 0, matched);
      state.next[from] = (state.matched[from] ?? 0) + 1;
      const sorted = [...state.matched].sort((one, other) => other - one);
      const everywhere = sorted[quorumOf(state) - 1] ?? 0;
      const isOwnTerm = state.log[everywhere - 1]?.term === state.term;
      // Entries of earlier terms count only with one of this term behind them.
      if (everywhere > state.commit && isOwnTerm) state.commit = everywhere;
    },
    propose(state, value: number) {
      if (state.role !== "leader") return;
      keepLog(state, [...state.log, { term: state.term, value }]);
      state.matched[state.own.id] = state.log.length;
      for (let index = 0; index < state.own.nodes.length; index++) if (index !== state.own.id) sendLog(state, index);
    },
  },
});

function quorumOf({ own }: RaftState): number {
  return own.quorum ?? Math.floor(own.nodes.length / 2) + 1;
}

function lastTermOf(log: readonly Entry[]): number {
  return log.at(-1)?.term ?? 0;
}

function waitForLeader(state: RaftState, ctx: ActorContext): void {
  ctx.cancel(state.timer);
  state.timer = ctx.after(electionMs * (1 + ctx.random()), "timeout");
}

function enterTerm(state: RaftState, term: number, votedFor: number): void {
  const { disk, noFlush } = state.own;
  state.term = term;
  state.votedFor = votedFor;
  disk.set("term", term);
  disk.set("vote", votedFor);
  if (noFlush !== true) disk.flush();
}

function keepLog(state: RaftState, log: readonly Entry[]): void {
  const { disk, noFlush } = state.own;
  state.log = log;
  disk.set("log", log);
  if (noFlush !== true) disk.flush();
}

function follow(state: RaftState, term: number, ctx: ActorContext): void {
  if (term > state.term) enterTerm(state, term, -1);
  state.role = "follower";
  waitForLeader(state, ctx);
}

function lead(state: RaftState, ctx: ActorContext): void {
  const { nodes, id } = state.own;
  state.role = "leader";
  ctx.cancel(state.timer);
  state.next = nodes.map(() => state.log.length + 1);
  state.matched = nodes.map((_, index) => (index === id ? state.log.length : 0));
  for (let index = 0; index < nodes.length; index++) if (index !== id) sendLog(state, index);
  ctx.after(beatMs, "beat");
}

function sendLog(state: RaftState, to: number): void {
  const next = state.next[to] ?? 1;
  state.own.nodes[to]?.tell("append", {
    term: state.term,
    leader: state.own.id,
    previous: next - 1,
    previousTerm: state.log[next - 2]?.term ?? 0,
    entries: state.log.slice(next - 1),
    commit: state.commit,
  });
}

interface System {
  readonly nodes: readonly RaftNode[];
  /** Who was seen to lead a term. */
  readonly leaders: number[];
  readonly committed: Entry[];
}

/** Five nodes that elect leaders and keep a log together, while all that may go wrong does. */
export function compactRaft(mistakes: RaftMistakes = {}): Exploration<System> {
  return defineExploration<System>(import.meta.url, {
    name: "compact raft",
    machines: 5,
    machinesMin: 3,
    start(world) {
      const nodes: RaftNode[] = [];
      for (const machine of world.machines) {
        const own = { ...mistakes, id: machine.index, nodes, disk: machine.disk };
        nodes.push(world.spawn(raftNode, own, { machine, name: `node-${machine.index}` }));
      }
      for (let value = 1; value <= 8; value++) {
        world.after(150 * value + 100 * world.random(), () => {
          for (const node of nodes) node.tell("propose", value);
        });
      }
      return { nodes, leaders: [], committed: [] };
    },
    faults: {
      withinMs: 1500,
      delayMs: [1, 20],
      loss: 0.03,
      duplicate: 0.02,
      reorder: true,
      partitions: { most: 2, forMs: [50, 400] },
      crashes: { most: 3, restartAfterMs: [10, 300] },
      clockSkew: 0.1,
    },
    always: { "one leader a term": oneLeader, "what is committed stays": committedStays },
    eventually: {
      "somebody leads": ({ nodes }, world) => nodes.some((node) => world.state<RaftState>(node)?.role === "leader"),
    },
    steps: 2000,
    show: {
      state: ({ term, role, votedFor, log, commit }: RaftState) =>
        `${role} of ${term}, votes ${votedFor}, ${log.length} entries, ${commit} committed`,
    },
  });
}

function oneLeader({ nodes, leaders }: System, world: ExploredWorld): true | string {
  for (const [id, node] of nodes.entries()) {
    const state = world.state<RaftState>(node);
    if (state?.role !== "leader") continue;
    const known = leaders[state.term];
    if (known === undefined) leaders[state.term] = id;
    else if (known !== id) return `node-${known} and node-${id} lead in term ${state.term}`;
  }
  return true;
}

function committedStays({ nodes, committed }: System, world: ExploredWorld): true | string {
  for (const [id, node] of nodes.entries()) {
    const state = world.state<RaftState>(node);
    if (state === undefined) continue;
    const { log, commit } = state;
    for (let index = 0; index < commit; index++) {
      const entry = log[index] as Entry;
      const known = committed[index];
      if (known === undefined) committed[index] = entry;
      else if (known.term !== entry.term || known.value !== entry.value) {
        return `entry ${index + 1} of node-${id} is ${entry.value} of term ${entry.term}, and was ${known.value} of term ${known.term}`;
      }
    }
  }
  return true;
}

export default compactRaft();
