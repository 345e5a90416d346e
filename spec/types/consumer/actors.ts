// A module of actors whose types are inferred, and published with their declarations.
import { actor, broadcaster, router, startActors, workerPool } from "qstream";

export const counter = actor({
  init: (start: number, ctx) => ({ count: start, self: ctx.self }),
  receive: {
    add(state, amount: number) {
      state.count += amount;
    },
    get: (state) => state.count,
    self: (state) => state.self,
    later: (_state, _: undefined, ctx) => ctx.deferred<string>(),
    fail(_state, perhaps?: Error): never {
      throw perhaps ?? new Error("failed");
    },
  },
  modes: { closed: { add() {} } },
});

export const system = startActors();
export const reference = system.spawn(counter, 5);
export const pool = workerPool(counter, { size: 2 });
export const any = system.spawn(router([reference]));
export const all = system.spawn(broadcaster([reference]));
export const count = reference.ask("get");
export const ended = system.ended(reference);
