import { actor, type ActorReference, type Deferred } from "qstream";
import { mixed, wholeRun, type Program } from "./program.ts";

interface ForkSize {
  readonly workers: number;
  /** Messages for each. */
  readonly messages: number;
}

interface WorkerProtocol {
  work: (piece: number) => void;
  report: () => void;
}

/** Adds up its pieces of work, and tells the sum to who asks for it. */
export const worker = actor({
  kind: "worker",
  init: (number: number) => ({ number, sum: 0 }),
  receive: {
    work(state, piece: number) {
      state.sum += workOf(state.number, piece);
    },
    report(state, _nothing: undefined, ctx) {
      ctx.sender?.tell("result", state.sum);
    },
  },
});

interface Order {
  readonly workers: readonly ActorReference<WorkerProtocol>[];
  readonly messages: number;
}

interface Forking {
  order: Order | undefined;
  left: number;
  sum: number;
  done: Deferred<number> | undefined;
}

/** Gives each worker a piece of work, again and again, and adds up their sums. */
export const forker = actor({
  kind: "forker",
  init: (): Forking => ({ order: undefined, left: 0, sum: 0, done: undefined }),
  receive: {
    fork(state, order: Order, ctx) {
      const done = ctx.deferred<number>();
      state.order = order;
      state.left = order.workers.length;
      state.done = done;
      ctx.self.tell("pieces", 0);
      return done;
    },
    pieces({ order }, piece: number, ctx) {
      if (order === undefined) return;
      const name = piece < order.messages ? "work" : "report";
      for (const each of order.workers) {
        if (name === "work") each.tell("work", piece);
        else each.tell("report");
      }
      if (name === "work") ctx.self.tell("pieces", piece + 1);
    },
    result(state, sum: number) {
      state.sum += sum;
      if (--state.left === 0) state.done?.send(state.sum);
    },
  },
});

/** Many messages to each of some workers. */
export const forkJoinThroughput: Program<ForkSize, number> = {
  name: "fork-join-throughput",
  run: (system, { workers, messages }) => {
    const references = Array.from({ length: workers }, (_, number) => system.spawn(worker, number));
    return system.spawn(forker).ask("fork", { workers: references, messages }, wholeRun);
  },
  plain: ({ workers, messages }) => {
    let sum = 0;
    for (let number = 0; number < workers; number++) {
      for (let piece = 0; piece < messages; piece++) sum += workOf(number, piece);
    }
    return sum;
  },
  small: { workers: 20, messages: 150 },
  large: { workers: 60, messages: 10_000 },
};

function workOf(number: number, piece: number): number {
  return mixed(number, piece) & 0xff;
}
