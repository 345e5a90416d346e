// Numbers that are sent from one machine to another, for the specs of explored worlds.

import { actor, type AnyReference } from "../../../../lib/index.ts";
import { defineExploration, type ExplorationFaults, type ExplorationOptions } from "../../../../lib/testing/index.ts";

const url = import.meta.url;

export interface Seen {
  readonly got: number[];
  readonly at: number[];
}

export const sink = actor({
  kind: "sink",
  init: (): Seen => ({ got: [], at: [] }),
  receive: {
    put(state, value: number, ctx) {
      state.got.push(value);
      state.at.push(ctx.now());
    },
    ask: (_, value: number) => value + 1,
    boom: () => {
      throw new Error("boom");
    },
  },
});

export const source = actor({
  kind: "source",
  init: () => ({ answers: [] as string[] }),
  receive: {
    send(_, { to, count }: { to: AnyReference; count: number }) {
      for (let value = 0; value < count; value++) to.tell("put", value);
    },
    async ask(state, to: AnyReference) {
      try {
        state.answers.push(String(await to.ask("ask", 1, { timeoutMs: 100 })));
        to.tell("put", 7);
      } catch (error) {
        state.answers.push((error as { code?: string }).code ?? String(error));
      }
    },
    watch: (_, to: AnyReference, ctx) => ctx.watch(to),
  },
  watched: (state, { reason }) => void state.answers.push(`ended: ${reason}`),
});

export interface Pair {
  readonly from: AnyReference;
  readonly to: AnyReference;
}

/** A source that sends numbers to a sink, each on its machine. */
export function sending(faults: ExplorationFaults, checks: Partial<ExplorationOptions<Pair>>, count = 30) {
  return defineExploration<Pair>(url, {
    name: "sending",
    start(world) {
      const to = world.spawn(sink, undefined, { name: "to" });
      const from = world.spawn(source, undefined, { name: "from" });
      from.tell("send", { to, count });
      return { from, to };
    },
    faults,
    ...checks,
  });
}

export const gotOf = (
  world: { state: <S>(actor: AnyReference) => S | undefined },
  to: AnyReference,
): readonly number[] => world.state<Seen>(to)?.got ?? [];
