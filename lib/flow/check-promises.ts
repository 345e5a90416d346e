import { QStreamError } from "../core/errors.ts";
import type { StepCode } from "../core/program.ts";
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
    if (!step.endsEarly) endless.add(step);
    const advice = adviceFor(step.code);
    if (advice === undefined) continue;
    const why =
      "without checkpoints it could only be made again from the start of that stream, whose log would grow for ever";
    throw new QStreamError("NOT_RECOVERABLE", `"${step.id}" reads an endless stream and can't save its state: ${why}`, {
      step: step.id,
      advice: `${advice}. Or run without a store, which recovers nothing: store: "none" (--store none)`,
    });
  }
}

/** What to do about a step that can't save its state; undefined for one that can, or has none. */
function adviceFor(code: StepCode): string | undefined {
  if (code.kind === "sink" && code.sink.gathers === true) {
    return "Write to files, to Redis or with forEach; or let a limit, or an operator of yours with endsEarly: true, end the stream before it";
  }
  if (code.kind !== "operator") return undefined;
  const { snapshot, restore } = code.create();
  if (snapshot !== undefined && restore !== undefined) return undefined;
  return "Give its operator snapshot() and restore(): snapshot() { return null; } and an empty restore() if it has no state";
}

/**
 * Refuses sinks that may write twice what was repeated after a failure.
 *
 * @throws QStreamError OPTION_INVALID
 */
export function refuseRepeatedWrites(graph: Graph): void {
  for (const { id, code } of graph.steps) {
    if (code.kind !== "sink" || code.sink.guarantee !== "at-least-once") continue;
    const { kind, options } = code.sink;
    throw new QStreamError("OPTION_INVALID", `exactlyOnce: sink "${id}" is at-least-once`, {
      step: id,
      advice: couldNumber(kind, options) ? numberedAdvice : otherwiseAdvice,
    });
  }
}

const numberedAdvice =
  "Give toActor or toEntities numbered: true, and let the actor take its messages by takeOnce: it takes each object once then";
const otherwiseAdvice = "Write to files, to Redis or to a dataset, or make the sink idempotent and let it say so";

/** True for what `toActor` and `toEntities` make. */
function couldNumber(kind: string, options: unknown): boolean {
  const isToActors = kind === "actor" || kind === "entities";
  return isToActors && (options as { readonly numbered?: unknown } | undefined)?.numbered === false;
}
