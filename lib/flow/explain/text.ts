import { describeChannels, describeDeclares, describeEdge, isStaged, type Explained } from "./explained.ts";

/** The plan as lines of text: a paragraph a step, producers before consumers. */
export function explainText({ plan, placement, representations, slots }: Explained): string {
  const lines = [`flow ${plan.flow} on ${slots} ${slots === 1 ? "slot" : "slots"}, fingerprint ${plan.fingerprint}`];
  plan.steps.forEach((step, index) => {
    const declares = describeDeclares(step);
    lines.push("", `${step.id}: ${step.kind} ${step.what}${declares === "" ? "" : `, ${declares}`}`);
    lines.push(`  ${describeChannels(step, placement[index] ?? [])}`);
    for (const input of step.inputs) {
      const edge = plan.edges[input.edge];
      if (edge === undefined) continue;
      const stage = isStaged(step) ? `, stage ${input.stage}` : "";
      lines.push(`  ${input.name} <- ${plan.steps[edge.from]?.id}: ${describeEdge(edge)}${stage}`);
    }
    const takes = representations[index] ?? [];
    if (step.kind === "operator" && takes.length > 0) lines.push(`  takes ${takes.join(", ")}`);
  });
  return `${lines.join("\n")}\n`;
}
