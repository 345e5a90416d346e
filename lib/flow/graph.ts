import type { LoopPlan } from "../core/contracts/loop.ts";
import type { Declares, OperatorDefinition, Representation } from "../core/contracts/operator.ts";
import type { PartitionFunction } from "../core/contracts/partition.ts";
import { QStreamError } from "../core/errors.ts";
import { fingerprintOf } from "../core/fingerprint.ts";
import type { PlacementStrategy } from "../core/placement-strategy.ts";
import type { EdgeFunction, Program, StepCode } from "../core/program.ts";

/** A step of a flow while it is being built. */
export interface StepNode {
  readonly id: string;
  readonly what: string;
  readonly code: StepCode;
  /** Part of the fingerprint: what the step was made with, as data. */
  readonly options: unknown;
  readonly parallelism: "per-slot" | "single" | "same" | "client" | "with-data";
  readonly channels: number | undefined;
  readonly place: PlacementStrategy | undefined;
  readonly declares: Declares | undefined;
  readonly representations: readonly Representation[] | undefined;
  readonly mayBlock: boolean;
  /** True if its operator may stop before its input ends. */
  readonly endsEarly: boolean;
  /** True if objects that its operator fails on again and again are passed over. */
  readonly skips: boolean;
  /** How the state of its operator can be dealt to another number of channels, if it can. */
  readonly dealing?: Dealing | undefined;
  readonly inputs: readonly InputNode[];
  /** For a step with an edge to itself: its last input is what it feeds back. */
  readonly loop?: LoopPlan | undefined;
}

export type Dealing = Pick<OperatorDefinition<never, never>, "kind" | "deal" | "dealTimer" | "keys">;

/** One input of a step: the stream it takes, and what rides on the edge. */
export interface InputNode {
  readonly name: string;
  readonly from: StreamNode;
  /** Undefined: chosen by the table of defaults once channel counts are known. */
  readonly partition: PartitionFunction<never> | undefined;
  readonly after: readonly EdgeFunction[];
  readonly stage: number;
}

/** An output of a step, with the functions that were put on it so far. */
export interface StreamNode {
  readonly step: StepNode;
  readonly port: string;
  readonly functions: EdgeFunction | undefined;
}

/** The steps of one flow, in the order in which they were made. */
export class Graph {
  readonly flow: string;
  readonly steps: StepNode[] = [];
  readonly #ids = new Set<string>();

  constructor(flow: string) {
    this.flow = flow;
  }

  /** Adds a step. A sink has no id before it is named. */
  add(parts: Omit<StepNode, "id"> & { readonly id: string | undefined }): StepNode {
    if (parts.id !== undefined) this.claim(parts.id);
    const step: StepNode = { ...parts, id: parts.id ?? "" };
    this.steps.push(step);
    return step;
  }

  /** Gives a sink the name of its output as id; where a step has that already, `name (output)`. */
  name(sink: StepNode, output: string): void {
    if (sink.id !== "") {
      throw new QStreamError(
        "OPTION_INVALID",
        `one sink of flow "${this.flow}" is returned as "${sink.id}" and as "${output}"`,
        {
          advice: "Make a sink for each output",
        },
      );
    }
    const id = this.#ids.has(output) ? `${output} (output)` : output;
    this.claim(id);
    (sink as { id: string }).id = id;
  }

  /** Takes an id for a step or an edge function; each is given once in a flow. */
  claim(id: string): void {
    if (typeof id !== "string" || id === "") {
      throw new QStreamError("OPTION_INVALID", `a step of flow "${this.flow}" has the id ${JSON.stringify(id)}`, {
        advice: "Ids are non-empty strings; metrics, errors and recovery go by them",
      });
    }
    if (this.#ids.has(id)) {
      throw new QStreamError("DUPLICATE_STEP", `flow "${this.flow}" has two steps with the id "${id}"`, {
        step: id,
        advice: "Give each step and each function an id of its own",
      });
    }
    this.#ids.add(id);
  }

  /** Keeps what leads to the given sinks, which the builder returned; a step that leads to none is an error. */
  finish(outputs: Readonly<Record<string, StepNode>>): void {
    const sinks = new Set(Object.values(outputs));
    if (sinks.size === 0) {
      throw new QStreamError("EMPTY_FLOW", `flow "${this.flow}" has no sinks`, {
        advice:
          "The builder returns an object of sinks, whose keys name the outputs: return { counts: counts.collect() }",
      });
    }
    const used = new Set<StepNode>();
    const open = [...sinks];
    for (let step = open.pop(); step !== undefined; step = open.pop()) {
      if (used.has(step)) continue;
      used.add(step);
      for (const input of step.inputs) open.push(input.from.step);
    }
    const unused = this.steps.find((step) => !used.has(step));
    if (unused === undefined) return;
    const advice =
      unused.code.kind === "sink"
        ? "Return it from the builder under the name of its output"
        : "End it with a sink that the builder returns, or take it out";
    throw new QStreamError(
      "EMPTY_FLOW",
      `${unused.code.kind} "${unused.id === "" ? unused.what : unused.id}" of flow "${this.flow}" leads to no output`,
      { advice },
    );
  }

  fingerprint(): string {
    return fingerprintOf(
      this.steps.map((step) => ({
        id: step.id,
        kind: step.code.kind,
        what: step.what,
        options: step.options,
        ...(step.loop === undefined ? {} : { loop: loopOptions(step.loop) }),
        channels: step.channels,
        place: step.place,
        inputs: step.inputs.map((input) => ({
          name: input.name,
          from: input.from.step.id,
          port: input.from.port,
          before: functionIds(input.from.functions),
          after: input.after.map((step) => step.id),
          stage: input.stage,
          partition: input.partition === undefined ? null : [input.partition.kind, input.partition.options],
        })),
      })),
    );
  }

  /** The code of the flow by the plan's indexes. Edges are numbered by consumer and input, the same in every slot. */
  program(defaultPartition: PartitionFunction<never>): Program {
    return {
      fingerprint: this.fingerprint(),
      steps: this.steps.map((step) => step.code),
      edges: this.steps.flatMap((step) =>
        step.inputs.map((input) => ({
          before: input.from.functions,
          partition: input.partition ?? defaultPartition,
          after: input.after,
        })),
      ),
    };
  }
}

/** A loop's options for the fingerprint. What its functions do shows in the hash of the code. */
function loopOptions({ mode, rounds, roundsMax, until }: LoopPlan): unknown {
  return { mode, rounds: rounds ?? null, roundsMax, until: until !== undefined };
}

/** Ids of a chain of edge functions, first one first. */
export function functionIds(last: EdgeFunction | undefined): string[] {
  const ids: string[] = [];
  for (let at = last; at !== undefined; at = at.previous) ids.unshift(at.id);
  return ids;
}
