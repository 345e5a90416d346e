import { actor, type ActorContext, type ActorReference } from "qstream";

/** An example: what is known of it, and whether it is one of those that are looked for. */
export interface Example {
  readonly features: readonly number[];
  readonly label: 0 | 1;
}

export interface ServerProtocol {
  /** A trainer wants the weights for its step of this number. */
  pull: (pull: Pull) => void;
  push: (gradient: { readonly trainer: number; readonly step: number; readonly values: readonly number[] }) => void;
}

export interface Weights {
  readonly step: number;
  readonly values: readonly number[];
  /** How many steps of the trainer are in them. */
  readonly taken: number;
}

export interface TrainerProtocol {
  begin: (server: ActorReference<ServerProtocol>) => void;
  weights: (answer: Weights) => void;
  again: () => void;
}

export interface Pull {
  readonly trainer: number;
  readonly step: number;
  readonly from: ActorReference<TrainerProtocol>;
}

export interface ServerState {
  weights: number[];
  /** How many steps of each trainer are in the weights. */
  readonly steps: number[];
  readonly staleness: number;
  readonly rate: number;
  /** What trainers wait for, by their number. */
  readonly waiting: Map<number, Pull>;
}

interface ServerOptions {
  readonly features: number;
  readonly trainers: number;
  readonly staleness: number;
  readonly rate: number;
}

/**
 * Holds the weights that trainers change at the same time (parameter server: Li and others, 2014). Nobody gets weights that lack more
 * than so many steps of a slower trainer (stale synchronous parallel: Ho and others, 2013): with 0, all go one step after the other.
 */
export const server = actor({
  kind: "server",
  init: ({ features, trainers, staleness, rate }: ServerOptions): ServerState => ({
    weights: new Array<number>(features).fill(0),
    steps: new Array<number>(trainers).fill(0),
    waiting: new Map(),
    staleness,
    rate,
  }),
  receive: {
    pull(state, pull: Pull) {
      state.waiting.set(pull.trainer, pull);
      answer(state);
    },

    push(
      state,
      {
        trainer,
        step,
        values,
      }: { readonly trainer: number; readonly step: number; readonly values: readonly number[] },
    ) {
      // One that was sent again is in the weights already; one that overtook another is sent again.
      if (state.steps[trainer] !== step) return;
      state.steps[trainer] = step + 1;
      state.weights = state.weights.map((weight, at) => weight - state.rate * (values[at] ?? 0));
      answer(state);
    },
  },
});

function answer({ steps, staleness, waiting, weights }: ServerState): void {
  const slowest = Math.min(...steps);
  for (const [trainer, { step, from }] of waiting) {
    if (step > slowest + staleness) continue;
    waiting.delete(trainer);
    from.tell("weights", { step, values: weights, taken: steps[trainer] ?? 0 });
  }
}

export interface TrainerState {
  readonly id: number;
  readonly examples: readonly Example[];
  readonly steps: number;
  server: ActorReference<ServerProtocol> | undefined;
  step: number;
  /** Gradients that the server isn't known to have, by step. */
  readonly open: Map<number, readonly number[]>;
}

const againMs = 80;

/** Works out gradients over its own examples. What gets lost on the way is sent again. */
export const trainer = actor({
  kind: "trainer",
  init: ({ id, examples, steps }: { id: number; examples: readonly Example[]; steps: number }): TrainerState => ({
    id,
    examples,
    steps,
    server: undefined,
    step: 0,
    open: new Map(),
  }),
  receive: {
    begin(state, to: ActorReference<ServerProtocol>, ctx) {
      state.server = to;
      ctx.every(againMs, "again");
      pull(state, ctx);
    },

    weights(state, { step, values, taken }: Weights, ctx) {
      for (const each of state.open.keys()) if (each < taken) state.open.delete(each);
      if (step !== state.step || state.step === state.steps) return;
      state.open.set(step, gradient(values, state.examples));
      state.step++;
      push(state);
      pull(state, ctx);
    },

    again(state, _: undefined, ctx) {
      push(state);
      pull(state, ctx);
    },
  },
});

function push({ id, open, server: to }: TrainerState): void {
  for (const [step, values] of open) to?.tell("push", { trainer: id, step, values });
}

function pull({ id, step, steps, server: to }: TrainerState, ctx: ActorContext): void {
  if (step < steps) to?.tell("pull", { trainer: id, step, from: ctx.self });
}

/** Gradient of the logistic loss over examples, by each weight. */
export function gradient(weights: readonly number[], examples: readonly Example[]): readonly number[] {
  const sums = weights.map(() => 0);
  for (const { features, label } of examples) {
    const error = probability(weights, features) - label;
    for (const [at, feature] of features.entries()) sums[at] = (sums[at] ?? 0) + error * feature;
  }
  return sums.map((sum) => sum / examples.length);
}

export function probability(weights: readonly number[], features: readonly number[]): number {
  let sum = 0;
  for (const [at, feature] of features.entries()) sum += feature * (weights[at] ?? 0);
  return 1 / (1 + Math.exp(-sum));
}
