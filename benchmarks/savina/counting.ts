import { actor, type ActorReference, type Deferred } from "qstream";
import { wholeRun, type Program } from "./program.ts";

interface CounterProtocol {
  add: (amount: number) => void;
  total: () => number;
}

interface Order {
  readonly counter: ActorReference<CounterProtocol>;
  readonly messages: number;
}

interface Producer {
  order: Order | undefined;
  done: Deferred<number> | undefined;
}

// What one handler sends, so that others have their turns in between.
const inTurn = 1000;

export const counter = actor({
  kind: "counter",
  init: () => ({ total: 0 }),
  receive: {
    add(state, amount: number) {
      state.total += amount;
    },
    total: (state) => state.total,
  },
});

/** Tells a counter as often as it is told to, and asks it for the total then. */
export const producer = actor({
  kind: "producer",
  init: (): Producer => ({ order: undefined, done: undefined }),
  receive: {
    produce(state, order: Order, ctx) {
      const done = ctx.deferred<number>();
      state.order = order;
      state.done = done;
      ctx.self.tell("more", order.messages);
      return done;
    },
    async more({ order, done }, left: number, ctx) {
      if (order === undefined) return;
      const most = Math.min(left, inTurn);
      for (let sent = 0; sent < most; sent++) order.counter.tell("add", 1);
      if (left > most) ctx.self.tell("more", left - most);
      else done?.send(await order.counter.ask("total", undefined, wholeRun));
    },
  },
});

/** One actor tells another, and nothing comes back but the total. */
export const counting: Program<number, number> = {
  name: "counting",
  run: (system, messages) => {
    const target = system.spawn(counter);
    return system.spawn(producer).ask("produce", { counter: target, messages }, wholeRun);
  },
  plain: (messages) => messages,
  small: 5500,
  large: 1_000_000,
};
