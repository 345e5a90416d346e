import { defineExploration } from "qstream/testing";
import { seededExamples } from "./examples.ts";
import { probability, server, trainer, type Pull, type ServerState, type Weights } from "./parameter-server.ts";

const trainers = 3;
const staleness = 2;
const steps = 30;

/** Three trainers of one model, each with its own examples. */
export default defineExploration(import.meta.url, {
  name: "parameter-server",
  machines: 1 + trainers,
  start(world) {
    const [machine, ...others] = world.machines;
    const parameters = world.spawn(
      server,
      { features: 3, trainers, staleness, rate: 0.5 },
      { name: "server", machine },
    );
    const examples = seededExamples(60, 7);
    for (const [id, each] of others.entries()) {
      const own = examples.filter((_, index) => index % trainers === id);
      const started = world.spawn(trainer, { id, examples: own, steps }, { name: `trainer-${id}`, machine: each });
      started.tell("begin", parameters);
    }
    return { parameters, examples };
  },
  faults: { delayMs: [1, 40], loss: 0.05, duplicate: 0.05, reorder: true, partitions: { most: 2 } },
  always: {
    "nobody is far ahead"({ parameters }, world) {
      const done = world.state<ServerState>(parameters)?.steps ?? [0];
      return Math.max(...done) - Math.min(...done) <= staleness + 1 || `steps are ${done.join(", ")}`;
    },
  },
  eventually: {
    "the model tells the examples apart": {
      check({ parameters, examples }, world) {
        const state = world.state<ServerState>(parameters);
        if (state === undefined || state.steps.some((done) => done < steps)) return false;
        const right = examples.filter(
          ({ features, label }) => Math.round(probability(state.weights, features)) === label,
        );
        return right.length >= 0.9 * examples.length || `${right.length} of ${examples.length} are right`;
      },
      withinMs: 20_000,
    },
  },
  steps: 4000,
  // All that has to come has come.
  stopWhen: () => true,
  show: {
    message: (name, payload: Partial<Pull & Weights> | undefined) =>
      payload?.step === undefined ? name : `${name} ${payload.step}`,
  },
});
