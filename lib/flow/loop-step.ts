import { feedbackName } from "../core/contracts/loop.ts";
import { QStreamError } from "../core/errors.ts";
import { broadcast } from "../partition/index.ts";
import type { Graph, InputNode, StepNode } from "./graph.ts";
import { loopPlanOf, type IterateOptions } from "./loop-options.ts";
import { inputNode, makeStep, nameOf, type Input } from "./make-step.ts";
import { QStream } from "./qstream.ts";

type AnyOptions = IterateOptions<never, never, never, never>;

/** Makes a step with an edge to itself. */
export function loopStep(
  graph: Graph,
  id: string,
  inputs: Readonly<Record<string, unknown>>,
  create: unknown,
  options: AnyOptions,
): StepNode {
  const loop = loopPlanOf(id, inputs, options);
  if (typeof create !== "function") {
    throw new QStreamError("OPTION_INVALID", `iterate("${id}") got no operator`, {
      step: id,
      advice: "Give a factory: () => new MyOperator()",
    });
  }
  const { channels, place, stages = {}, kind, declares } = options;
  checkStages(id, inputs, stages);
  const nodes = Object.entries(inputs).map(([name, input]) =>
    inputNode(graph, id, name, input, (stages as Readonly<Record<string, number>>)[name] ?? 0),
  );
  if (loop.mode === "rounds") refuseEndless(id, nodes);
  const step = makeStep(graph, {
    id,
    what: kind ?? nameOf(create as () => unknown),
    code: { kind: "operator", create: create as never, loop },
    options: undefined,
    parallelism: "per-slot",
    inputs: nodes,
    loop,
    step: { ...(channels === undefined ? {} : { channels }), ...(place === undefined ? {} : { place }) },
    definition: {
      declares: declares ?? "order-sensitive",
      representations: ["objects", "arrow", "polars"],
      kind: "loop",
    },
  });
  // What comes as it is goes with the last inputs, a round's behind them all.
  const last = Math.max(...nodes.map(({ stage }) => stage));
  nodes.push(feedbackOf(graph, step, options, loop.mode === "rounds" ? last + 1 : last));
  return step;
}

function checkStages(id: string, inputs: object, stages: object): void {
  const unknown = Object.keys(stages).find((name) => !(name in inputs));
  if (unknown === undefined) return;
  throw new QStreamError("INPUT_UNKNOWN", `step "${id}" gives a stage to an input "${unknown}" that it doesn't have`, {
    step: id,
    advice: `Its inputs are: ${Object.keys(inputs).join(", ")}`,
  });
}

/** Round 0 ends with the inputs. */
function refuseEndless(id: string, inputs: readonly InputNode[]): void {
  const open = inputs.map(({ from }) => from.step);
  const seen = new Set<StepNode>();
  for (let step = open.pop(); step !== undefined; step = open.pop()) {
    if (seen.has(step) || step.endsEarly) continue;
    seen.add(step);
    if (step.code.kind === "reader" && step.code.reader.endless === true) {
      throw new QStreamError(
        "OPTION_INVALID",
        `round 0 of the loop "${id}" would never end: "${step.id}" may have no end`,
        {
          step: id,
          advice:
            "Ask for rounds: false, which takes what is fed back as it comes; or end the stream before it, by a limit",
        },
      );
    }
    for (const { from } of step.inputs) open.push(from.step);
  }
}

function feedbackOf(graph: Graph, step: StepNode, { feedback }: AnyOptions, stage: number): InputNode {
  const fed = new QStream<never>(graph, { step, port: feedbackName, functions: undefined });
  // Marks come by the edge also where no objects do.
  const way: unknown = feedback ?? broadcast();
  const input: Input<unknown> =
    typeof way === "function" ? (way as (fed: QStream<never>) => Input<unknown>)(fed) : fed.partition(way as never);
  const node = inputNode(graph, step.id, feedbackName, input, stage);
  if (node.from.step === step && node.from.port === feedbackName) return node;
  throw new QStreamError("OPTION_INVALID", `what iterate("${step.id}") feeds back leads through another step`, {
    step: step.id,
    advice:
      "Put functions and a partition function on it (map, filter, flatMap, partition); do the rest in the operator",
  });
}
