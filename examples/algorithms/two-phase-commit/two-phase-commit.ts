import { actor, type ActorContext, type ActorReference } from "qstream";

/** What a node keeps over a crash: nothing that isn't flushed counts. */
export interface Storage {
  get: (key: string) => unknown;
  set: (key: string, value: unknown) => void;
  flush: () => void;
}

type Decision = "commit" | "abort";

/** Money that goes from one account to another; each account is at one participant. */
export interface Transfer {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly amount: number;
}

export interface CoordinatorProtocol {
  participants: (participants: ReadonlyMap<string, ActorReference<ParticipantProtocol>>) => void;
  transfer: (transfer: Transfer) => void;
  vote: (vote: { readonly id: string; readonly account: string; readonly yes: boolean }) => void;
  done: (done: { readonly id: string; readonly account: string }) => void;
  /** A participant that promised to commit doesn't know what was decided. */
  outcome: (question: { readonly id: string; readonly from: ActorReference<ParticipantProtocol> }) => void;
  again: (id: string) => void;
}

export interface ParticipantProtocol {
  coordinator: (coordinator: ActorReference<CoordinatorProtocol>) => void;
  prepare: (prepare: { readonly id: string; readonly change: number }) => void;
  decided: (decided: { readonly id: string; readonly decision: Decision }) => void;
  ask: () => void;
}

interface Running {
  readonly transfer: Transfer;
  readonly yes: Set<string>;
  readonly open: Set<string>;
}

export interface CoordinatorState {
  readonly storage: Storage;
  participants: ReadonlyMap<string, ActorReference<ParticipantProtocol>>;
  readonly running: Map<string, Running>;
  /** What was decided: written before anybody is told. */
  readonly decisions: Map<string, Decision>;
}

const againMs = 60;

/** The coordinator of two-phase commit (Gray, 1978), with presumed abort: what it has no decision of was never committed. */
export const coordinator = actor({
  kind: "coordinator",
  init: (storage: Storage): CoordinatorState => ({
    storage,
    participants: new Map(),
    running: new Map(),
    decisions: new Map(storage.get("decisions") as ReadonlyMap<string, Decision> | undefined),
  }),
  receive: {
    participants(state, participants: ReadonlyMap<string, ActorReference<ParticipantProtocol>>) {
      state.participants = participants;
    },

    transfer(state, transfer: Transfer, ctx) {
      const { id, from, to, amount } = transfer;
      if (state.decisions.has(id) || state.running.has(id)) return;
      state.running.set(id, { transfer, yes: new Set(), open: new Set([from, to]) });
      state.participants.get(from)?.tell("prepare", { id, change: -amount });
      state.participants.get(to)?.tell("prepare", { id, change: amount });
      ctx.after(againMs, "again", id);
    },

    vote(state, { id, account, yes }: { readonly id: string; readonly account: string; readonly yes: boolean }) {
      const running = state.running.get(id);
      if (running === undefined || state.decisions.has(id)) return;
      if (!yes) return decide(state, running, "abort");
      running.yes.add(account);
      if (running.yes.size === 2) decide(state, running, "commit");
    },

    done(state, { id, account }: { readonly id: string; readonly account: string }) {
      const running = state.running.get(id);
      if (running?.open.delete(account) === true && running.open.size === 0) state.running.delete(id);
    },

    outcome(state, { id, from }: { readonly id: string; readonly from: ActorReference<ParticipantProtocol> }) {
      if (state.running.has(id) && !state.decisions.has(id)) return;
      from.tell("decided", { id, decision: state.decisions.get(id) ?? "abort" });
    },

    /** Votes or answers didn't come: without all votes it is aborted; what was decided is told again. */
    again(state, id: string, ctx) {
      const running = state.running.get(id);
      if (running === undefined) return;
      ctx.after(againMs, "again", id);
      const decision = state.decisions.get(id);
      if (decision === undefined) decide(state, running, "abort");
      else tellDecision(state, running, decision);
    },
  },
});

function decide(state: CoordinatorState, running: Running, decision: Decision): void {
  state.decisions.set(running.transfer.id, decision);
  state.storage.set("decisions", new Map(state.decisions));
  state.storage.flush();
  tellDecision(state, running, decision);
}

function tellDecision({ participants }: CoordinatorState, { transfer, open }: Running, decision: Decision): void {
  for (const account of open) participants.get(account)?.tell("decided", { id: transfer.id, decision });
}

export interface ParticipantState {
  readonly account: string;
  readonly storage: Storage;
  coordinator: ActorReference<CoordinatorProtocol> | undefined;
  balance: number;
  /** What it has promised to do, if that is decided. */
  readonly promised: Map<string, number>;
  readonly decided: Map<string, Decision>;
}

/** Holds an account. It promises a change only if the balance covers all that it has promised, and then waits for the decision. */
export const participant = actor({
  kind: "participant",
  init({ account, balance, storage }: { account: string; balance: number; storage: Storage }, ctx): ParticipantState {
    ctx.every(againMs, "ask");
    return {
      account,
      storage,
      coordinator: undefined,
      balance: (storage.get("balance") as number | undefined) ?? balance,
      promised: new Map(storage.get("promised") as ReadonlyMap<string, number> | undefined),
      decided: new Map(storage.get("decided") as ReadonlyMap<string, Decision> | undefined),
    };
  },
  receive: {
    coordinator(state, to: ActorReference<CoordinatorProtocol>) {
      state.coordinator = to;
    },

    prepare(state, { id, change }: { readonly id: string; readonly change: number }) {
      const { promised, decided, account } = state;
      if (decided.has(id)) return;
      let free = state.balance;
      for (const other of promised.values()) free += Math.min(other, 0);
      const yes = promised.has(id) || free + change >= 0;
      if (yes) promised.set(id, change);
      else decided.set(id, "abort");
      save(state);
      state.coordinator?.tell("vote", { id, account, yes });
    },

    decided(state, { id, decision }: { readonly id: string; readonly decision: Decision }) {
      const change = state.promised.get(id);
      if (change !== undefined && decision === "commit") state.balance += change;
      state.promised.delete(id);
      state.decided.set(id, decision);
      save(state);
      state.coordinator?.tell("done", { id, account: state.account });
    },

    ask(state, _: undefined, ctx: ActorContext) {
      for (const id of state.promised.keys()) state.coordinator?.tell("outcome", { id, from: ctx.self });
    },
  },
});

function save({ storage, balance, promised, decided }: ParticipantState): void {
  storage.set("balance", balance);
  storage.set("promised", new Map(promised));
  storage.set("decided", new Map(decided));
  storage.flush();
}
