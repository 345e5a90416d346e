import type { Plan, PlannedEdge } from "../../lib/core/plan.ts";

/** A plan in which a step feeds back to itself: the edge is the last one. */
export function loopAt(plan: Plan, step: number): Plan {
  const edge: PlannedEdge = {
    from: step,
    port: "feedback",
    to: step,
    input: "feedback",
    kind: "feedback",
    partition: { kind: "hash", label: "hash" },
    before: [],
    after: [],
    spools: true,
  };
  const at = plan.edges.length;
  return {
    ...plan,
    edges: [...plan.edges, edge],
    steps: plan.steps.map((planned, index) =>
      index !== step
        ? planned
        : {
            ...planned,
            loop: { mode: "rounds", ends: "3 rounds" },
            inputs: [...planned.inputs, { name: "feedback", edge: at, stage: 1, feedback: "rounds" }],
            outputs: [...planned.outputs, at],
          },
    ),
  };
}
