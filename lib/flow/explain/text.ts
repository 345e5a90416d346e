import {
  describeChannels,
  describeDeclares,
  describeEdge,
  describeSlot,
  isStaged,
  type Explained,
} from "./explained.ts";

/** The plan as lines of text: a paragraph a step, producers before consumers; of a cluster, then one a machine. */
export function explainText(explained: Explained): string {
  const { plan, representations, slots, cluster } = explained;
  const on = `${slots.length} ${slots.length === 1 ? "slot" : "slots"}`;
  const of = cluster === undefined ? "" : ` of ${cluster.machines.length} machines`;
  const lines = [`flow ${plan.flow} on ${on}${of}, fingerprint ${plan.fingerprint}`];
  plan.steps.forEach((step, index) => {
    const declares = describeDeclares(step);
    lines.push("", `${step.id}: ${step.kind} ${step.what}${declares === "" ? "" : `, ${declares}`}`);
    lines.push(`  ${describeChannels(explained, index)}`);
    if (cluster !== undefined) lines.push(`  because: ${cluster.why[index]}`);
    for (const input of step.inputs) {
      const edge = plan.edges[input.edge];
      if (edge === undefined) continue;
      const stage = isStaged(step) ? `, stage ${input.stage}` : "";
      lines.push(`  ${input.name} <- ${plan.steps[edge.from]?.id}: ${describeEdge(edge)}${stage}`);
    }
    const takes = representations[index] ?? [];
    if (step.loop !== undefined) lines.push(`  loop: ${step.loop.ends}`);
    if (step.kind === "operator" && takes.length > 0) lines.push(`  takes ${takes.join(", ")}`);
  });
  for (const { id, tags, slots: own } of cluster?.machines ?? []) {
    lines.push("", `machine ${id}${tags.length === 0 ? "" : `, tags ${tags.join(", ")}`}`);
    for (const slot of own) lines.push(`  ${slot.id}: ${describeSlot(slot.channels)}`);
  }
  return `${lines.join("\n")}\n`;
}
