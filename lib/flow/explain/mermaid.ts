import { describeChannels, describeDeclares, describeEdge, isStaged, stageOf, type Explained } from "./explained.ts";

/** The plan as a Mermaid flowchart: readers are stadiums, operators boxes, sinks cylinders. */
export function explainMermaid({ plan, placement }: Explained): string {
  const lines = ["flowchart LR"];
  plan.steps.forEach((step, index) => {
    const text = [step.id, step.what, describeChannels(step, placement[index] ?? []), describeDeclares(step)];
    const label = quote(text.filter((line) => line !== "").join("<br>"));
    const [open, close] = step.kind === "reader" ? ["([", "])"] : step.kind === "sink" ? ["[(", ")]"] : ["[", "]"];
    lines.push(`  s${index}${open}${label}${close}`);
  });
  plan.edges.forEach((edge, index) => {
    const consumer = plan.steps[edge.to];
    const stage = consumer !== undefined && isStaged(consumer) ? `, stage ${stageOf(plan, index)}` : "";
    const arrow = edge.kind === "feedback" ? "-." : "--";
    const head = edge.kind === "feedback" ? ".->" : "-->";
    lines.push(`  s${edge.from} ${arrow} ${quote(`${edge.input}: ${describeEdge(edge)}${stage}`)} ${head} s${edge.to}`);
  });
  return `${lines.join("\n")}\n`;
}

function quote(text: string): string {
  return `"${text.replaceAll('"', "#quot;")}"`;
}
