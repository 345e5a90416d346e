// Durable actors of specs in which slots are lost.
import { actor, defineActors } from "../../../lib/index.ts";

/** Which moves there were, and how often: each once, if all is well. */
export const ledger = actor({
  durable: true,
  init: (_key: string) => ({ moves: new Map<string, number>() }),
  receive: {
    note: ({ moves }, move: string) => void moves.set(move, (moves.get(move) ?? 0) + 1),
    counts: ({ moves }) => ({ moves: moves.size, most: Math.max(0, ...moves.values()) }),
    pid: () => 0,
  },
});

/** Sends itself one message after the other, and the ledger a note of each. */
export const mover = actor({
  durable: { snapshotEvery: 20 },
  init: (key: string) => ({ key, done: 0, most: 0 }),
  receive: {
    start(state, most: number, ctx) {
      if (state.most > 0) return;
      state.most = most;
      ctx.after(1, "next");
    },
    next(state, _: undefined, ctx) {
      ctx.entity(ledger, "all").tell("note", `${state.key}-${++state.done}`);
      if (state.done < state.most) ctx.after(1, "next");
    },
    done: ({ done }) => done,
  },
});

/** Says in which process it is. */
export const resident = actor({ init: () => null, receive: { pid: () => process.pid } });

export default defineActors(import.meta.url, { ledger, mover, resident });
