import type { Operator, OperatorDefinition } from "../core/contracts/operator.ts";
import type { PartitionFunction } from "../core/contracts/partition.ts";
import type { OutputSink } from "../core/contracts/sink.ts";
import { QStreamError } from "../core/errors.ts";
import type { EdgeFunction, StepCode } from "../core/program.ts";
import { fingerprintOf } from "../core/fingerprint.ts";
import type { Sink } from "./flow-builder.ts";
import type { Dealing, Graph, InputNode, StepNode, StreamNode } from "./graph.ts";
import { checkStepOptions } from "./step-options.ts";
import type { ApplyOptions, StepOptions } from "./stream-types.ts";

/** @internal The node behind a stream, for the builder alone. */
export const nodeOf: unique symbol = Symbol("qstream.node");

/** What an operator takes as an input: a stream, with or without a partition function. */
export interface Input<out T> {
  /** Never present: carries the type of the objects. */
  readonly objectType?: T | undefined;
  /** @internal */
  readonly [nodeOf]: InputParts;
}

/** @internal */
export interface InputParts {
  readonly graph: Graph;
  readonly from: StreamNode;
  readonly partition: PartitionFunction<never> | undefined;
  readonly after: readonly EdgeFunction[];
}

/** What all kinds of steps have in common. */
interface StepParts {
  readonly id: string | undefined;
  readonly what: string;
  readonly code: StepCode;
  readonly options: unknown;
  readonly parallelism: StepNode["parallelism"];
  readonly inputs: readonly InputNode[];
  readonly step: StepOptions;
  readonly skips?: boolean;
  readonly loop?: StepNode["loop"];
  readonly definition?: Pick<
    OperatorDefinition<never, unknown>,
    "declares" | "representations" | "mayBlock" | "endsEarly"
  > &
    Dealing;
}

export function makeStep(graph: Graph, parts: StepParts): StepNode {
  const { step } = parts;
  const id = parts.id ?? parts.what;
  if (parts.code.kind !== "actors") checkStepOptions(parts.code.kind, id, step);
  const { channels, place } = step;
  if (channels !== undefined && !(Number.isInteger(channels) && channels >= 1 && channels <= 65536)) {
    throw new QStreamError("OPTION_INVALID", `step "${id}" asks for ${channels} channels`, {
      step: id,
      advice: "Channels are a whole number from 1 to 65536",
    });
  }
  try {
    fingerprintOf(parts.options);
  } catch (error) {
    throw new QStreamError("ARGUMENT_CANNOT_TRAVEL", `the options of step "${id}" aren't plain data`, {
      step: id,
      cause: error,
    });
  }
  return graph.add({
    id: parts.id,
    what: parts.what,
    code: parts.code,
    options: parts.options,
    parallelism: parts.parallelism,
    channels,
    place,
    declares: parts.definition?.declares,
    representations: parts.definition?.representations,
    mayBlock: parts.definition?.mayBlock === true,
    endsEarly: parts.definition?.endsEarly === true,
    skips: parts.skips ?? false,
    dealing: parts.definition,
    inputs: parts.inputs,
    loop: parts.loop,
  });
}

export function operatorNode(
  graph: Graph,
  id: string,
  inputs: Readonly<Record<string, unknown>>,
  operator: unknown,
  options: ApplyOptions<string | number | symbol>,
): StepNode {
  const definition = asDefinition(operator, options);
  if (definition === undefined) {
    throw new QStreamError("OPTION_INVALID", `apply("${id}") got no operator`, {
      step: id,
      advice: "Give a factory: () => new MyOperator()",
    });
  }
  const stages = { ...(definition.stages as Stages | undefined), ...(options.stages as Stages | undefined) };
  const unknown = Object.keys(stages).find((name) => !(name in inputs));
  if (unknown !== undefined) {
    throw new QStreamError(
      "INPUT_UNKNOWN",
      `step "${id}" gives a stage to an input "${unknown}" that it doesn't have`,
      {
        step: id,
        advice: `Its inputs are: ${Object.keys(inputs).join(", ")}`,
      },
    );
  }
  const nodes = Object.entries(inputs).map(([name, input]) => inputNode(graph, id, name, input, stages[name] ?? 0));
  return makeStep(graph, {
    id,
    what: options.kind ?? definition.kind,
    code: { kind: "operator", create: definition.create as never },
    options: definition.options,
    parallelism: definition.parallelism,
    inputs: nodes,
    step: options,
    skips: skipsOf(id, options),
    definition: {
      ...definition,
      declares: options.declares ?? definition.declares,
      endsEarly: options.endsEarly ?? definition.endsEarly ?? false,
    },
  });
}

function skipsOf(id: string, { onFailure = "fail" }: ApplyOptions<string | number | symbol>): boolean {
  if (onFailure === "fail" || onFailure === "skip") return onFailure === "skip";
  throw new QStreamError("OPTION_INVALID", `onFailure: ${JSON.stringify(onFailure)} is neither "fail" nor "skip"`, {
    step: id,
  });
}

/** A sink behind a stream. It gets its id when the builder returns it: the name of its output. */
export function sinkNode<T, Result>(
  graph: Graph,
  input: Input<T>,
  sink: OutputSink<T, Result>,
  options: StepOptions,
): Sink<Result> {
  if (typeof sink?.open !== "function" || typeof sink.result !== "function") {
    throw new QStreamError("OPTION_INVALID", "to() got no sink", {
      advice: "A sink has open and result: use one of ours, or write an OutputSink",
    });
  }
  const step = makeStep(graph, {
    id: undefined,
    what: sink.kind,
    code: { kind: "sink", sink },
    options: sink.options,
    parallelism: sink.placement === "with-producer" ? "same" : sink.placement,
    inputs: [inputNode(graph, sink.kind, "in", input, 0)],
    step: options,
  });
  return { [nodeOf]: step };
}

export function inputNode(graph: Graph, id: string, name: string, input: unknown, stage: number): InputNode {
  const parts = (input as Partial<Input<unknown>> | undefined)?.[nodeOf];
  if (parts === undefined) {
    throw new QStreamError("INPUT_UNKNOWN", `input "${name}" of step "${id}" is no stream`, {
      step: id,
      input: name,
      advice: "Give a QStream, or stream.partition(...)",
    });
  }
  if (parts.graph !== graph) {
    throw new QStreamError("INPUT_UNKNOWN", `input "${name}" of step "${id}" is a stream of another flow`, {
      step: id,
      input: name,
      advice: "Streams live in the builder that made them; to pass results on, use a dataset",
    });
  }
  return { name, from: parts.from, partition: parts.partition, after: parts.after, stage };
}

type Stages = Readonly<Record<string, number | undefined>>;

function asDefinition(
  operator: unknown,
  options: ApplyOptions<string | number | symbol>,
): OperatorDefinition<never, unknown> | undefined {
  if (typeof (operator as { create?: unknown } | undefined)?.create === "function")
    return operator as OperatorDefinition<never, unknown>;
  if (typeof operator !== "function") return undefined;
  const create = operator as () => Operator<never, unknown>;
  return {
    kind: options.kind ?? nameOf(create),
    declares: options.declares ?? "order-sensitive",
    parallelism: "per-slot",
    representations: ["objects", "arrow", "polars"],
    create,
  };
}

/** The name of the class that a factory makes, as far as its text tells: `() => new BrownQuokka()`. */
export function nameOf(create: () => unknown): string {
  return /(?:=>|\breturn)\s*\(?\s*new\s+([A-Za-z_$][\w$]*)/u.exec(create.toString())?.[1] ?? "operator";
}
