import { placeChannels } from "../../placement/index.ts";
import { checkSessionOptions, slotsOf } from "../check-options.ts";
import type { Graph } from "../graph.ts";
import { planGraph } from "../plan-graph.ts";
import { explainDot } from "./dot.ts";
import { explainMermaid } from "./mermaid.ts";
import { explainText } from "./text.ts";
import type { Explained } from "./explained.ts";

/** How a plan is drawn. */
export interface ExplainOptions {
  /** `text` (default), `mermaid` or `dot` (Graphviz). */
  readonly as?: "text" | "mermaid" | "dot";
  /** For how many slots; as many as the machine has cores unless told. */
  readonly slots?: number;
  readonly tags?: readonly string[];
}

/** Draws what a graph becomes on some slots: steps, channels, stages, partition functions, placement, what steps declare. */
export function explainGraph(graph: Graph, options: ExplainOptions): string {
  checkSessionOptions(options);
  const slots = slotsOf(options);
  const plan = planGraph(graph, { slots });
  let turn = 0;
  const placed: string[][] = [];
  for (const step of plan.steps) {
    const places = { slots, client: "client", placed, turn: step.channels === 1 ? turn++ : 0 };
    placed.push(step.placement.kind === "with-data" ? [] : placeChannels(step, places));
  }
  const representations = graph.steps.map((step) => step.representations ?? []);
  const explained: Explained = { plan, placement: placed, representations, slots: slots.length };
  switch (options.as ?? "text") {
    case "text":
      return explainText(explained);
    case "mermaid":
      return explainMermaid(explained);
    case "dot":
      return explainDot(explained);
  }
}
