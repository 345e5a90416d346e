import { QStreamError } from "../core/errors.ts";
import { registerFlow, type FlowReference } from "../core/flow-registry.ts";
import { automatic } from "../partition/index.ts";
import { checkArguments, checkSchema, type ArgumentsOf, type ArgumentsSchema } from "./arguments-schema.ts";
import type { Execution } from "./execution.ts";
import { explainGraph, type ExplainOptions } from "./explain/index.ts";
import { FlowBuilder, type Sink } from "./flow-builder.ts";
import { Graph } from "./graph.ts";
import { nodeOf } from "./make-step.ts";
import { checkPurity } from "./purity.ts";
import { resumeFlow, startFlow, type ResumeOptions, type RunOptions } from "./run.ts";

declare const noArguments: unique symbol;

/** The arguments of a flow that takes none. */
export interface NoArgs {
  readonly [noArguments]?: never;
}

type Parameters<Args, Options> = object extends Args
  ? [args?: Args, options?: Options]
  : [args: Args, options?: Options];

/** A flow: what `defineFlow` returns. It is a definition; nothing is read until it runs. */
export interface Flow<Args extends object, Outs extends Record<string, unknown>> {
  readonly name: string;
  /** Types of the arguments for the command line, where they were declared. */
  readonly schema: ArgumentsSchema | undefined;
  /** Runs the flow and resolves to its outputs, by the names that the builder gave its sinks. */
  run: (...parameters: Parameters<Args, RunOptions>) => Promise<Outs>;
  /** Starts the flow and hands out the running execution: events, metrics, cancel, outputs. */
  start: (...parameters: Parameters<Args, RunOptions>) => Promise<Execution<Outs>>;
  /**
   * Goes on with an execution that ended before it was done: its process was killed, or it failed. Arguments and limits are
   * those that it was started with; slots may be others.
   *
   * @param execution - its id, as `qstream executions` shows it
   * @throws QStreamError EXECUTION_UNKNOWN, FINGERPRINT_CHANGED, CODE_CHANGED
   */
  resume: (execution: string, options?: ResumeOptions) => Promise<Execution<Outs>>;
  /** Draws the plan as text, or as a Mermaid or Graphviz picture, without running anything. */
  explain: (...parameters: Parameters<Args, ExplainOptions>) => string;
}

/** What builds a flow: takes its arguments, and returns its sinks by the names of the outputs. */
export type Build<Args, Outs> = (q: FlowBuilder, args: Args) => { readonly [K in keyof Outs]: Sink<Outs[K]> };

/**
 * Defines a flow. The builder must be pure: it is run again in every slot, where the same steps must come out of it.
 *
 * @param module - `import.meta.url` of the module that defines the flow, so that slots can load it
 * @param build - makes steps from readers on, and returns the sinks by the names of the outputs
 * @example
 * export default defineFlow(import.meta.url, (q, args: { upTo: number }) => {
 *   const squares = q.read("numbers", numbers(0, args.upTo)).map("square", (n) => n * n);
 *   return { squares: squares.collect() };
 * });
 */
export function defineFlow<Outs extends Record<string, unknown>, Args extends object = NoArgs>(
  module: string,
  build: Build<Args, Outs>,
): Flow<Args, Outs>;
/** The same with declared arguments, which the command line parses and checks: `{ path: "string", limit: "int32?" }`. */
export function defineFlow<Outs extends Record<string, unknown>, const S extends ArgumentsSchema>(
  module: string,
  schema: S,
  build: Build<ArgumentsOf<S>, Outs>,
): Flow<ArgumentsOf<S>, Outs>;
export function defineFlow(module: string, ...rest: readonly unknown[]): Flow<object, Record<string, unknown>> {
  const build = rest.at(-1) as Build<object, Record<string, unknown>>;
  const schema = rest.length > 1 ? (rest[0] as ArgumentsSchema) : undefined;
  if (typeof module !== "string" || !module.includes(":") || typeof build !== "function") {
    throw new QStreamError("OPTION_INVALID", "defineFlow wants import.meta.url and a builder", {
      advice: "Write defineFlow(import.meta.url, (q, args) => { ...; return { name: sink } })",
    });
  }
  checkSchema(schema);
  let name = "";
  const graphOf = (args: unknown): { readonly graph: Graph; readonly outputs: Record<string, string> } =>
    buildGraph(name, build, args);
  const checked = (args: object | undefined): object => checkArguments(name, schema, { ...args });
  const prepare = (args: object | undefined): ReturnType<typeof graphOf> =>
    checkPurity(name, () => graphOf(checked(args)));
  name = registerFlow(module, undefined, {
    build: (args) => graphOf(args).graph.program(automatic() as never),
    prepare: (args) => prepare(args as object),
  });
  const reference: FlowReference = { module, name, load: module };
  const resume = (execution: string, options: ResumeOptions = {}): Promise<Execution<Record<string, unknown>>> =>
    resumeFlow({ reference, execution, options, prepare: (args) => prepare(args as object) });
  const start = async (args?: object, options: RunOptions = {}): Promise<Execution<Record<string, unknown>>> =>
    startFlow({ reference, args: checked(args), options, prepare: () => prepare(args) });
  const flow: Flow<object, Record<string, unknown>> = {
    name,
    schema,
    start,
    resume,
    run: async (args?: object, options: RunOptions = {}) => (await start(args, options)).outputs,
    explain: (args?: object, options: ExplainOptions = {}) => explainGraph(prepare(args).graph, options),
  };
  references.set(flow, reference);
  return flow;
}

const references = new WeakMap<object, FlowReference>();

/** Where the code of a flow is. */
export function referenceOf(flow: object): FlowReference | undefined {
  return references.get(flow);
}

function buildGraph(
  name: string,
  build: Build<object, Record<string, unknown>>,
  args: unknown,
): { readonly graph: Graph; readonly outputs: Record<string, string> } {
  const graph = new Graph(name);
  const returned: unknown = build(new FlowBuilder(graph), args as object);
  if (returned instanceof Promise) {
    throw new QStreamError("BUILDER_IMPURE", `the builder of flow "${name}" is asynchronous`, {
      advice: "A builder only declares steps; read files and ask services in readers",
    });
  }
  const sinks = Object.entries((returned ?? {}) as Record<string, Sink<unknown>>);
  const outputs: Record<string, string> = {};
  const steps: Record<string, Graph["steps"][number]> = {};
  for (const [output, sink] of sinks) {
    const step = graph.steps.find((candidate) => candidate === sink?.[nodeOf] && candidate.code.kind === "sink");
    if (step === undefined) {
      throw new QStreamError("OPTION_INVALID", `output "${output}" of flow "${name}" is no sink of this flow`, {
        advice: "Return sinks: { counts: counts.collect() }",
      });
    }
    graph.name(step, output);
    outputs[output] = step.id;
    steps[output] = step;
  }
  graph.finish(steps);
  return { graph, outputs };
}
