import { QStreamError } from "../core/errors.ts";
import type { Graph, StepNode } from "./graph.ts";

/**
 * Refuses a flow that is to run with a store and whose log would grow without end: a step that never saves its state can only
 * be made again from the start of its stream, which an endless one must keep for ever.
 *
 * @throws QStreamError NOT_RECOVERABLE
 */
export function refuseUnsavedState(graph: Graph): void {
  const endless = new Set<StepNode>();
  // Steps come after those that they read from.
  for (const step of graph.steps) {
    const reads = step.code.kind === "reader" && step.code.reader.endless === true;
    const follows = step.inputs.some(({ from }) => endless.has(from.step));
    if (!reads && !follows) continue;
    endless.add(step);
    if (step.code.kind !== "operator") continue;
    const operator = step.code.create();
    if (operator.snapshot !== undefined && operator.restore !== undefined) continue;
    const why =
      "without checkpoints it could only be made again from the start of that stream, whose log would grow for ever";
    throw new QStreamError("NOT_RECOVERABLE", `"${step.id}" reads an endless stream and can't save its state: ${why}`, {
      step: step.id,
      advice:
        'Give its operator snapshot() and restore(): snapshot() { return null; } and an empty restore() if it has no state. Or run without a store, which recovers nothing: store: "none" (--store none)',
    });
  }
}

/**
 * Refuses sinks that may write twice what was repeated after a failure.
 *
 * @throws QStreamError OPTION_INVALID
 */
export function refuseRepeatedWrites(graph: Graph): void {
  for (const { id, code } of graph.steps) {
    if (code.kind !== "sink" || code.sink.guarantee !== "at-least-once") continue;
    throw new QStreamError("OPTION_INVALID", `exactlyOnce: sink "${id}" is at-least-once`, {
      step: id,
      advice: "Write to files, to Redis or to a dataset, or make the sink idempotent and let it say so",
    });
  }
}
