import {
  describeChannels,
  describeDeclares,
  describeEdge,
  describeSlot,
  isStaged,
  stageOf,
  type Explained,
} from "./explained.ts";

/** The plan in the language of Graphviz. */
export function explainDot(explained: Explained): string {
  const { plan, cluster } = explained;
  const lines = [
    `digraph ${quote(plan.flow)} {`,
    "  rankdir=LR;",
    '  node [fontname="sans-serif", fontsize=10];',
    '  edge [fontname="sans-serif", fontsize=9];',
  ];
  plan.steps.forEach((step, index) => {
    const why = cluster?.why[index] ?? "";
    const text = [`${step.id}: ${step.what}`, describeChannels(explained, index), why, describeDeclares(step)];
    const shape = step.kind === "reader" ? "ellipse" : step.kind === "sink" ? "cylinder" : "box";
    lines.push(`  s${index} [shape=${shape}, label=${quote(text.filter((line) => line !== "").join("\n"))}];`);
  });
  plan.edges.forEach((edge, index) => {
    const consumer = plan.steps[edge.to];
    const stage = consumer !== undefined && isStaged(consumer) ? `, stage ${stageOf(plan, index)}` : "";
    const style = edge.kind === "feedback" ? ", style=dashed" : "";
    lines.push(
      `  s${edge.from} -> s${edge.to} [label=${quote(`${edge.input}: ${describeEdge(edge)}${stage}`)}${style}];`,
    );
  });
  cluster?.machines.forEach(({ id, tags, slots }, machine) => {
    lines.push(`  subgraph cluster_m${machine} {`, `    label=${quote([id, ...tags].join("\n"))};`);
    slots.forEach((slot, index) => {
      lines.push(
        `    m${machine}s${index} [shape=note, label=${quote(`${slot.id}\n${describeSlot(slot.channels)}`)}];`,
      );
    });
    lines.push("  }");
  });
  lines.push("}");
  return `${lines.join("\n")}\n`;
}

function quote(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}
