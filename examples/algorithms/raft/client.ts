import { actor, type ActorContext, type ActorReference } from "qstream";
import type { History, KeyValueOperation } from "qstream/testing";
import type { Answer, RaftProtocol } from "./raft.ts";

export type StoreHistory = History<KeyValueOperation<number>, unknown>;

interface Call {
  readonly seq: number;
  readonly operation: KeyValueOperation<number>;
  readonly ended: ReturnType<StoreHistory["invoke"]>;
}

interface State {
  readonly id: string;
  readonly nodes: readonly ActorReference<RaftProtocol>[];
  readonly ids: readonly string[];
  readonly history: StoreHistory;
  left: number;
  seq: number;
  call: Call | undefined;
}

const againMs = 60;
const keys = ["a", "b"];

/** Asks the store for one thing after the other, whatever node it finds, and writes down what it is told. */
export const client = actor({
  kind: "client",
  init(args: Omit<State, "seq" | "call">, ctx): State {
    ctx.after(20 * ctx.random(), "next");
    return { ...args, seq: 0, call: undefined };
  },
  receive: {
    next(state, _: undefined, ctx) {
      if (state.left-- <= 0) return;
      const operation = anyOperation(++state.seq, ctx);
      state.call = { seq: state.seq, operation, ended: state.history.invoke(state.id, operation) };
      send(state, undefined, ctx);
      ctx.after(againMs, "again", { seq: state.seq, times: 1 });
    },

    answer(state, { kind, seq, value, leader }: Answer, ctx) {
      const { call } = state;
      if (call === undefined || call.seq !== seq) return;
      if (kind === "elsewhere") {
        if (leader !== undefined) send(state, leader, ctx);
        return;
      }
      state.call = undefined;
      if (kind === "value") call.ended.ok(value ?? null);
      else call.ended.ok(kind === "done");
      ctx.after(60 * ctx.random(), "next");
    },

    /** No answer: asks another node. A write is known by its number, so that it is done once. */
    again(state, { seq, times }: { readonly seq: number; readonly times: number }, ctx) {
      if (state.call?.seq !== seq) return;
      if (times < 20) {
        send(state, undefined, ctx);
        ctx.after(againMs, "again", { seq, times: times + 1 });
        return;
      }
      state.call.ended.unknown();
      state.call = undefined;
      ctx.after(10, "next");
    },
  },
});

function anyOperation(seq: number, ctx: ActorContext): KeyValueOperation<number> {
  const key = keys[Math.floor(ctx.random() * keys.length)] ?? "a";
  const value = Math.floor(ctx.random() * 1_000_000) * 100 + seq;
  if (ctx.random() < 0.5) return { kind: "get", key };
  if (ctx.random() < 0.8) return { kind: "put", key, value };
  return { kind: "compare-and-set", key, expected: null, value };
}

function send(state: State, leader: string | undefined, ctx: ActorContext): void {
  const { call, id, nodes, ids } = state;
  if (call === undefined) return;
  const chosen = leader === undefined ? Math.floor(ctx.random() * nodes.length) : ids.indexOf(leader);
  const { seq, operation } = call;
  const request = { client: id, seq, from: ctx.self };
  if (operation.kind === "get") nodes[chosen]?.tell("read", { ...request, key: operation.key });
  else if (operation.kind === "put") nodes[chosen]?.tell("write", { ...request, operation });
  else if (operation.kind === "compare-and-set") {
    const { key, value } = operation;
    nodes[chosen]?.tell("write", { ...request, operation: { kind: "swap", key, from: undefined, to: value } });
  }
}
