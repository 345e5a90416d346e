import { actor, type ActorDefinition, type ActorReference, type Deferred } from "qstream";
import { wholeRun, type Program } from "./program.ts";

interface ParentProtocol {
  sum: (sum: number) => void;
}

interface Subtree {
  readonly parent: ActorReference<ParentProtocol>;
  readonly first: number;
  /** Leaves. */
  readonly leaves: number;
}

interface Branch {
  readonly parent: ActorReference<ParentProtocol>;
  left: number;
  sum: number;
}

const children = 10;

/** A leaf tells its number; a branch has ten children, and tells the sum of what they tell. Then they end. */
export const branch: ActorDefinition<ParentProtocol, Subtree> = actor({
  kind: "branch",
  init({ parent, first, leaves }: Subtree, ctx): Branch {
    if (leaves === 1) {
      parent.tell("sum", first);
      ctx.stop();
    } else {
      const part = leaves / children;
      for (let child = 0; child < children; child++) {
        ctx.spawn(branch, { parent: ctx.self, first: first + child * part, leaves: part });
      }
    }
    return { parent, left: children, sum: 0 };
  },
  receive: {
    sum(state, sum: number, ctx) {
      state.sum += sum;
      if (--state.left > 0) return;
      state.parent.tell("sum", state.sum);
      ctx.stop();
    },
  },
});

interface Root {
  done: Deferred<number> | undefined;
}

/** Makes a tree, and answers with the sum of all leaves. */
export const root = actor({
  kind: "root",
  init: (): Root => ({ done: undefined }),
  receive: {
    grow(state, leaves: number, ctx) {
      const done = ctx.deferred<number>();
      state.done = done;
      ctx.spawn(branch, { parent: ctx.self, first: 0, leaves });
      return done;
    },
    sum(state, sum: number) {
      state.done?.send(sum);
    },
  },
});

/** A tree of actors, whose number of leaves is a power of ten. */
export const skynet: Program<number, number> = {
  name: "skynet",
  run: (system, leaves) => system.spawn(root).ask("grow", leaves, wholeRun),
  plain: (leaves) => (leaves * (leaves - 1)) / 2,
  small: 1000,
  large: 1_000_000,
};
