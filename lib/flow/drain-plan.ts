import type { Drain } from "../../actors/slot/protocol.ts";
import { QStreamError } from "../core/errors.ts";
import type { Graph, StepNode } from "./graph.ts";

/**
 * Which steps pause when an execution is to have other channels: readers that have something left, and all behind them. Others
 * are run to their ends: what has been read to its end, and what some step has to see the end of before it takes what is on its
 * way to another of its inputs. Sinks always pause: what they have is handed over at the end of everything.
 *
 * @param ended - steps that have ended already by what the log says: all read, or no more wanted
 * @throws QStreamError UNSUPPORTED where a stream would have to be read to its end that has none
 */
export function planDrain(graph: Graph, ended: ReadonlySet<StepNode>): Drain {
  const first = readFirst(graph);
  const pausing = new Set<StepNode>();
  for (const step of graph.steps) {
    if (ended.has(step)) continue;
    const behind = step.inputs.some(({ from }) => pausing.has(from.step));
    if (step.code.kind === "reader" && first.has(step)) refuseEndless(step);
    else if (step.code.kind === "reader" || step.code.kind === "sink" || behind) pausing.add(step);
  }
  return { pausing: graph.steps.flatMap((step, index) => (pausing.has(step) ? [index] : [])) };
}

/** Steps upstream of inputs that must come to their ends before parcels on another input can be taken. */
function readFirst(graph: Graph): ReadonlySet<StepNode> {
  const first = new Set<StepNode>();
  const open: StepNode[] = [];
  for (const { inputs, mayBlock } of graph.steps) {
    const last = Math.max(...inputs.map(({ stage }) => stage));
    const inStep = mayBlock && inputs.length > 1;
    for (const { from, stage } of inputs) if (inStep || stage < last) open.push(from.step);
  }
  for (let step = open.pop(); step !== undefined; step = open.pop()) {
    if (first.has(step)) continue;
    first.add(step);
    for (const { from } of step.inputs) open.push(from.step);
  }
  return first;
}

function refuseEndless({ id, code }: StepNode): void {
  if (code.kind !== "reader" || code.reader.endless !== true) return;
  throw new QStreamError("UNSUPPORTED", `the channels can't change while "${id}" is read, which may have no end`, {
    step: id,
    advice: "A step behind it has to see its end before it takes what is on its way to it: go on without rescale",
  });
}
