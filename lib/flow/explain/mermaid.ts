import {
  describeChannels,
  describeDeclares,
  describeEdge,
  describeSlot,
  isStaged,
  stageOf,
  type Explained,
} from "./explained.ts";

/** The plan as a Mermaid flowchart: readers are stadiums, operators boxes, sinks cylinders; machines are frames around slots. */
export function explainMermaid(explained: Explained): string {
  const { plan, cluster } = explained;
  const lines = ["flowchart LR"];
  plan.steps.forEach((step, index) => {
    const why = cluster?.why[index] ?? "";
    const text = [step.id, step.what, describeChannels(explained, index), why, describeDeclares(step)];
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
  cluster?.machines.forEach(({ id, tags, slots }, machine) => {
    lines.push(`  subgraph m${machine} [${quote([id, ...tags].join("<br>"))}]`);
    slots.forEach((slot, index) => {
      lines.push(`    m${machine}s${index}[${quote(`${slot.id}<br>${describeSlot(slot.channels)}`)}]`);
    });
    lines.push("  end");
  });
  return `${lines.join("\n")}\n`;
}

function quote(text: string): string {
  return `"${text.replaceAll('"', "#quot;")}"`;
}
