import { actor, type ActorContext, type ActorReference, type ActorTimer } from "qstream";
import { Log, apply, type Applied, type Entry, type Operation, type Snapshot } from "./log.ts";

/** What a node keeps over a crash: nothing that isn't flushed counts. */
export interface Storage {
  get: (key: string) => unknown;
  set: (key: string, value: unknown) => void;
  flush: () => void;
}

export interface Answer {
  /** `elsewhere`: this node doesn't lead, and may know who does. `unknown`: another leader may have done it, or not. */
  readonly kind: "done" | "failed" | "value" | "elsewhere";
  readonly seq: number;
  readonly value?: number | undefined;
  readonly leader?: string | undefined;
}

export interface ClientProtocol {
  answer: (answer: Answer) => void;
}

interface Request {
  readonly client: string;
  readonly seq: number;
  readonly from: ActorReference<ClientProtocol>;
}

/** A round trip to a majority, after which a read may be answered: nobody else has led meanwhile. */
interface Read extends Request {
  readonly key: string;
  readonly index: number;
  readonly round: number;
}

type Peers = ReadonlyMap<string, ActorReference<RaftProtocol>>;

export interface RaftState {
  readonly id: string;
  readonly storage: Storage;
  peers: Peers;
  role: "follower" | "candidate" | "leader";
  term: number;
  votedFor: string | undefined;
  readonly log: Log;
  /** Index of the last entry that a majority has, and of the last one that is in `applied`. */
  commit: number;
  appliedTo: number;
  applied: Applied;
  leader: string | undefined;
  votes: Set<string>;
  next: Map<string, number>;
  match: Map<string, number>;
  /** Number of the newest round of heartbeats, and of the newest that each has answered. */
  round: number;
  heard: Map<string, number>;
  reads: Read[];
  waiting: Map<number, Request>;
  timer: ActorTimer | undefined;
}

const electionMs = 150;
const heartbeatMs = 30;
const compactAfter = 8;
const entriesAtOnce = 4;

export interface RaftProtocol {
  peers: (peers: Peers) => void;
  timeout: () => void;
  heartbeat: () => void;
  vote: (ask: { term: number; candidate: string; lastIndex: number; lastTerm: number }) => void;
  voted: (answer: { term: number; from: string; granted: boolean }) => void;
  append: (append: Append) => void;
  appended: (answer: { term: number; from: string; success: boolean; match: number; round: number }) => void;
  install: (install: { term: number; leader: string; snapshot: Snapshot; round: number }) => void;
  write: (request: Request & { readonly operation: Operation }) => void;
  read: (request: Request & { readonly key: string }) => void;
  change: (members: readonly string[]) => boolean;
}

interface Append {
  readonly term: number;
  readonly leader: string;
  readonly previous: number;
  readonly previousTerm: number;
  readonly entries: readonly Entry[];
  readonly commit: number;
  readonly round: number;
}

/** A node of Raft (Ongaro and Ousterhout, 2014), with reads by index, snapshots, and members that change one at a time. */
export const raftNode = actor({
  kind: "raft",
  init: ({ id, members, storage }: { id: string; members: readonly string[]; storage: Storage }, ctx): RaftState => {
    const empty = { index: 0, term: 0, values: new Map(), sessions: new Map(), members };
    const snapshot = (storage.get("snapshot") as Snapshot | undefined) ?? empty;
    const log = new Log(snapshot, storage.get("entries") as readonly Entry[] | undefined);
    const state: RaftState = {
      id,
      storage,
      peers: new Map(),
      role: "follower",
      log,
      leader: undefined,
      round: 0,
      term: (storage.get("term") as number | undefined) ?? 0,
      votedFor: storage.get("votedFor") as string | undefined,
      commit: snapshot.index,
      appliedTo: snapshot.index,
      applied: snapshot,
      timer: undefined,
      votes: new Set(),
      next: new Map(),
      match: new Map(),
      heard: new Map(),
      reads: [],
      waiting: new Map(),
    };
    restartTimer(state, ctx);
    return state;
  },
  receive: {
    peers(state, peers: Peers) {
      state.peers = peers;
    },

    /** Nobody led for a while: asks for votes. */
    timeout(state, _: undefined, ctx) {
      restartTimer(state, ctx);
      if (state.role === "leader" || !state.log.members.includes(state.id)) return;
      state.role = "candidate";
      state.term++;
      state.votedFor = state.id;
      state.leader = undefined;
      state.votes = new Set([state.id]);
      save(state);
      const { lastIndex, lastTerm } = state.log;
      tellOthers(state, (peer) => peer.tell("vote", { term: state.term, candidate: state.id, lastIndex, lastTerm }));
      leadIfElected(state, ctx);
    },

    heartbeat(state, _: undefined, ctx) {
      if (state.role !== "leader") return;
      ctx.after(heartbeatMs, "heartbeat");
      replicate(state);
    },

    vote(
      state,
      {
        term,
        candidate,
        lastIndex,
        lastTerm,
      }: { term: number; candidate: string; lastIndex: number; lastTerm: number },
      ctx,
    ) {
      seeTerm(state, term);
      const isCurrent =
        lastTerm > state.log.lastTerm || (lastTerm === state.log.lastTerm && lastIndex >= state.log.lastIndex);
      const granted =
        term === state.term && isCurrent && (state.votedFor === undefined || state.votedFor === candidate);
      if (granted) {
        state.votedFor = candidate;
        restartTimer(state, ctx);
      }
      save(state);
      state.peers.get(candidate)?.tell("voted", { term: state.term, from: state.id, granted });
    },

    voted(state, { term, from, granted }: { term: number; from: string; granted: boolean }, ctx) {
      seeTerm(state, term);
      if (state.role !== "candidate" || term !== state.term || !granted) return;
      state.votes.add(from);
      leadIfElected(state, ctx);
    },

    append(state, { term, leader, previous, previousTerm, entries, commit, round }: Append, ctx) {
      seeTerm(state, term);
      const answer = (success: boolean, match: number): void => {
        state.peers.get(leader)?.tell("appended", { term: state.term, from: state.id, success, match, round });
      };
      if (term < state.term) return answer(false, 0);
      follow(state, leader, ctx);
      const { log } = state;
      if (previous > log.snapshot.index && log.termAt(previous) !== previousTerm) {
        return answer(false, Math.min(log.lastIndex, previous - 1));
      }
      log.take(previous, entries);
      save(state);
      const match = previous + entries.length;
      advance(state, Math.min(commit, match));
      answer(true, match);
    },

    appended(
      state,
      {
        term,
        from,
        success,
        match,
        round,
      }: { term: number; from: string; success: boolean; match: number; round: number },
    ) {
      seeTerm(state, term);
      if (state.role !== "leader" || term !== state.term) return;
      state.heard.set(from, Math.max(state.heard.get(from) ?? 0, round));
      if (success) state.match.set(from, Math.max(state.match.get(from) ?? 0, match));
      state.next.set(from, success ? (state.match.get(from) ?? 0) + 1 : match + 1);
      commitWhatMostHave(state);
      answerReads(state);
      if (success && (state.next.get(from) ?? 0) <= state.log.lastIndex) sendTo(state, from);
    },

    install(
      state,
      { term, leader, snapshot, round }: { term: number; leader: string; snapshot: Snapshot; round: number },
      ctx,
    ) {
      seeTerm(state, term);
      if (term === state.term) {
        follow(state, leader, ctx);
        if (snapshot.index > state.commit) {
          state.log.compact(snapshot);
          Object.assign(state, { applied: snapshot, appliedTo: snapshot.index, commit: snapshot.index });
        }
        save(state);
      }
      const answer = { term: state.term, from: state.id, success: true, match: snapshot.index, round };
      state.peers.get(leader)?.tell("appended", answer);
    },

    write(state, { operation, ...request }: Request & { readonly operation: Operation }) {
      const { client, seq } = request;
      if (state.role !== "leader") return elsewhere(state, request);
      state.waiting.set(propose(state, { term: state.term, kind: "command", client, seq, operation }), request);
    },

    /** Answered from the state once a majority has said that this node still leads, so that nobody knows more. */
    read(state, request: Request & { readonly key: string }) {
      const { log, commit, term } = state;
      // A leader knows what is committed once an entry of its own term is.
      if (state.role !== "leader" || log.termAt(commit) !== term) return elsewhere(state, request);
      state.reads.push({ ...request, index: commit, round: state.round + 1 });
      replicate(state);
      answerReads(state);
    },

    /** Adds or removes one member, when the change before it is committed and so is an entry of this term. */
    change(state, members: readonly string[]) {
      const { log, commit, term } = state;
      const before = new Set(log.members);
      const changed =
        members.filter((id) => !before.has(id)).length + [...before].filter((id) => !members.includes(id)).length;
      const isPending = log.after(Math.max(commit, log.snapshot.index)).some(({ kind }) => kind === "members");
      if (state.role !== "leader" || changed !== 1 || isPending || log.termAt(commit) !== term) return false;
      propose(state, { term, kind: "members", members });
      return true;
    },
  },
});

function save({ storage, term, votedFor, log }: RaftState): void {
  storage.set("term", term);
  storage.set("votedFor", votedFor);
  storage.set("snapshot", log.snapshot);
  storage.set("entries", [...log.entries]);
  storage.flush();
}

function restartTimer(state: RaftState, ctx: ActorContext): void {
  if (state.timer !== undefined) ctx.cancel(state.timer);
  state.timer = ctx.after(electionMs * (1 + ctx.random()), "timeout");
}

/** Whoever hears of a later term follows. */
function seeTerm(state: RaftState, term: number): void {
  if (term <= state.term) return;
  Object.assign(state, { term, votedFor: undefined, role: "follower", leader: undefined, reads: [] });
  for (const request of state.waiting.values()) elsewhere(state, request);
  state.waiting.clear();
}

function follow(state: RaftState, leader: string, ctx: ActorContext): void {
  state.role = "follower";
  state.leader = leader;
  restartTimer(state, ctx);
}

function tellOthers(state: RaftState, tell: (peer: ActorReference<RaftProtocol>, id: string) => void): void {
  for (const id of state.log.members) {
    const peer = state.peers.get(id);
    if (id !== state.id && peer !== undefined) tell(peer, id);
  }
}

function isMajority({ log }: RaftState, has: (id: string) => boolean): boolean {
  return log.members.filter(has).length > log.members.length / 2;
}

function leadIfElected(state: RaftState, ctx: ActorContext): void {
  if (!isMajority(state, (id) => state.votes.has(id))) return;
  Object.assign(state, { role: "leader", leader: state.id, match: new Map(), heard: new Map() });
  state.next = new Map(state.log.members.map((id) => [id, state.log.lastIndex + 1]));
  propose(state, { term: state.term, kind: "start" });
  ctx.after(heartbeatMs, "heartbeat");
}

function propose(state: RaftState, entry: Entry): number {
  const index = state.log.append(entry);
  save(state);
  replicate(state);
  commitWhatMostHave(state);
  return index;
}

function replicate(state: RaftState): void {
  state.round++;
  tellOthers(state, (_, id) => sendTo(state, id));
}

function sendTo(state: RaftState, to: string): void {
  const { log, term, id: leader, commit, round } = state;
  const previous = (state.next.get(to) ?? log.lastIndex + 1) - 1;
  const previousTerm = log.termAt(previous);
  const peer = state.peers.get(to);
  if (previousTerm === undefined) peer?.tell("install", { term, leader, snapshot: log.snapshot, round });
  else
    peer?.tell("append", {
      term,
      leader,
      previous,
      previousTerm,
      entries: log.after(previous).slice(0, entriesAtOnce),
      commit,
      round,
    });
}

/** An entry of this term that a majority has is committed, and with it all before it. */
function commitWhatMostHave(state: RaftState): void {
  for (let index = state.log.lastIndex; index > state.commit && state.log.termAt(index) === state.term; index--) {
    if (!isMajority(state, (id) => id === state.id || (state.match.get(id) ?? 0) >= index)) continue;
    advance(state, index);
    return;
  }
}

function advance(state: RaftState, commit: number): void {
  state.commit = Math.max(state.commit, commit);
  while (state.appliedTo < state.commit) {
    const entry = state.log.at(++state.appliedTo);
    if (entry === undefined) throw new Error(`entry ${state.appliedTo} is committed, but isn't here`);
    state.applied = apply(state.applied, entry);
    answerWrite(state, state.appliedTo, entry);
  }
  const { log, appliedTo, applied } = state;
  if (appliedTo - log.snapshot.index < compactAfter) return;
  log.compact({ ...applied, index: appliedTo, term: log.termAt(appliedTo) ?? 0 });
  save(state);
}

function answerWrite(state: RaftState, index: number, entry: Entry): void {
  const request = state.waiting.get(index);
  state.waiting.delete(index);
  if (request === undefined || entry.kind !== "command") return;
  const done = state.applied.sessions.get(request.client)?.done === true;
  request.from.tell("answer", { kind: done ? "done" : "failed", seq: request.seq });
}

function answerReads(state: RaftState): void {
  const { reads, applied, appliedTo } = state;
  state.reads = reads.filter(({ round, index, key, seq, from }) => {
    const isLeader = isMajority(state, (id) => id === state.id || (state.heard.get(id) ?? 0) >= round);
    if (!isLeader || appliedTo < index) return true;
    from.tell("answer", { kind: "value", seq, value: applied.values.get(key) });
    return false;
  });
}

function elsewhere({ leader }: RaftState, { from, seq }: Request): void {
  from.tell("answer", { kind: "elsewhere", seq, leader });
}
