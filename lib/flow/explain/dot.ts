import { describeChannels, describeDeclares, describeEdge, isStaged, stageOf, type Explained } from "./explained.ts";

/** The plan in the language of Graphviz. */
export function explainDot({ plan, placement }: Explained): string {
  const lines = [
    `digraph ${quote(plan.flow)} {`,
    "  rankdir=LR;",
    '  node [fontname="sans-serif", fontsize=10];',
    '  edge [fontname="sans-serif", fontsize=9];',
  ];
  plan.steps.forEach((step, index) => {
    const text = [`${step.id}: ${step.what}`, describeChannels(step, placement[index] ?? []), describeDeclares(step)];
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
  lines.push("}");
  return `${lines.join("\n")}\n`;
}

function quote(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}
