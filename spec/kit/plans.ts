import type { Plan, PlannedEdge, PlannedStep } from "../../lib/core/plan.ts";

/** Steps and edges for a plan that nothing is built from. */
export function planOf(
  steps: readonly { readonly id: string; readonly channels: number; readonly kind?: PlannedStep["kind"] }[],
  edges: readonly { readonly from: number; readonly to: number }[],
): Plan {
  return {
    flow: "flow",
    fingerprint: "f",
    steps: steps.map(({ id, channels, kind }, index) => ({
      id,
      kind: kind ?? "operator",
      what: "spec",
      channels,
      placement: { kind: "single" },
      inputs: edges.flatMap((edge, at) => (edge.to === index ? { name: `in-${at}`, edge: at, stage: 0 } : [])),
      outputs: edges.flatMap((edge, at) => (edge.from === index ? at : [])),
      endless: false,
    })),
    edges: edges.map(({ from, to }, index): PlannedEdge => ({
      from,
      port: "out",
      to,
      input: `in-${index}`,
      kind: "forward",
      partition: { kind: "hash", label: "hash" },
      before: [],
      after: [],
      spools: false,
    })),
  };
}

/** A line of steps with these numbers of channels. */
export function lineOf(channels: readonly number[]): Plan {
  return planOf(
    channels.map((count, index) => ({ id: `step-${index}`, channels: count })),
    channels.slice(1).map((_, index) => ({ from: index, to: index + 1 })),
  );
}
