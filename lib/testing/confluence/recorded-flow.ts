import { decodeObjects, encodeObjects } from "../../core/codec/index.ts";
import { representationOf } from "../../core/batch/index.ts";
import type { Declares } from "../../core/contracts/operator.ts";
import type { OutputSink } from "../../core/contracts/sink.ts";
import { registerFlow } from "../../core/flow-registry.ts";
import type { StepCode } from "../../core/program.ts";
import type { Flow } from "../../flow/define-flow.ts";
import type { Execution } from "../../flow/execution.ts";
import type { Graph, StepNode } from "../../flow/graph.ts";
import { planGraph } from "../../flow/plan-graph.ts";
import { local } from "../../flow/session.ts";
import type { FlowSession, SessionStart } from "../../flow/session-contract.ts";
import { automatic, chosen } from "../../partition/index.ts";
import type { Partitions } from "./deal-units.ts";
import type { AnyDefinition, AnyOperator } from "./order.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- flows of any arguments
export type AnyFlow = Flow<any, any>;

/** A step of a flow that has an operator. */
export interface OperatorStep {
  /** Set for a loop, whose orders can't be tried apart from those of its other channels. */
  readonly isLoop?: true;
  readonly id: string;
  readonly what: string;
  readonly declares: Declares;
  readonly definition: AnyDefinition;
  /** How objects reach its channels; none where there is but one. */
  readonly partitions: Partitions;
  /** The numbers of channels that it may have. */
  readonly channels: readonly number[];
  /** What it was given in an ordinary run, by input. */
  readonly inputs: Readonly<Record<string, readonly unknown[]>>;
}

export interface RecordOptions {
  /** Objects of each input that are recorded at most. */
  readonly objectsMax: number;
  /** Milliseconds after which a run that isn't done is stopped: what was recorded by then counts. */
  readonly withinMs: number;
}

type Recorded = Map<string, unknown[]>;

/** The definition of each operator of a flow, by step, without running it. */
export async function operatorSteps(flow: AnyFlow, args: object): Promise<readonly OperatorStep[]> {
  const { graph } = await startOf(flow, args);
  return stepsOf(graph, new Map());
}

/** Runs a flow in this thread, in one slot and without its sinks, and records what its operators are given. */
export async function recordFlow(
  flow: AnyFlow,
  args: object,
  options: RecordOptions,
): Promise<readonly OperatorStep[]> {
  const start = await startOf(flow, args);
  const recorded = new Map<StepNode, Recorded>();
  const plain = new Map(start.graph.steps.map((step) => [step, step.code]));
  for (const step of start.graph.steps) replaceCode(step, recorded, options.objectsMax);
  await runOnce(start, recorded, options);
  for (const [step, code] of plain) (step as { code: StepCode }).code = code;
  return stepsOf(start.graph, recorded);
}

/** What a flow gives a session to start: nothing is started. */
async function startOf(flow: AnyFlow, args: object): Promise<SessionStart> {
  let started: SessionStart | undefined;
  const never = new Promise<never>(() => {});
  const session: FlowSession = {
    start: (start) => {
      started = start;
      return Promise.resolve({ id: "check", outputs: never, metrics: undefined, events: noEvents, cancel: () => {} });
    },
    findStored: () => never,
    close: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  await (flow.start as (args: object, options: object) => Promise<unknown>)(args, { on: session });
  const { graph } = started as SessionStart;
  for (const step of graph.steps) (step as { place: StepNode["place"] }).place = placedHere(step);
  return started as SessionStart;
}

/** One slot has to do, whatever machines a step is meant for. */
function placedHere({ place, code }: StepNode): StepNode["place"] {
  if (place === undefined || !("channels" in place)) return place;
  if (place.kind === "near-files" && code.kind === "reader") return undefined;
  return { kind: "spread", channels: Math.max(1, place.channels) };
}

async function* noEvents(): AsyncGenerator<never, void> {}

/** Has an operator's inputs recorded, and what sinks are given dropped. */
function replaceCode(step: StepNode, recorded: Map<StepNode, Recorded>, objectsMax: number): void {
  const { code } = step;
  if (code.kind === "sink") (step as { code: StepCode }).code = { kind: "sink", sink: dropping(code.sink) };
  // What a loop takes depends on what all of its channels gave: an order of it is none of its own.
  if (code.kind !== "operator" || code.loop !== undefined) return;
  const lists: Recorded = new Map(step.inputs.map(({ name }) => [name, []]));
  recorded.set(step, lists);
  // A broadcast gives every channel the same: one is enough. What a custom partition function takes may be other objects than
  // those that it makes of them, so that these can't be dealt again: one channel stands for all.
  const ofFirst = new Set(
    step.inputs.flatMap(({ name, partition }) => (isCustom(step) || partition?.kind === "broadcast" ? [name] : [])),
  );
  const create = (): AnyOperator => {
    const operator = code.create();
    let channel = 0;
    // Its own properties, as it may have private ones that no proxy reaches.
    const open = operator.open?.bind(operator);
    const execute = operator.execute.bind(operator);
    operator.open = (ctx) => {
      ({ channel } = ctx);
      return open?.(ctx);
    };
    operator.execute = (task, ctx) => {
      const { input, objects } = task as { readonly input: string; readonly objects: readonly unknown[] };
      if (channel === 0 || !ofFirst.has(input)) record(lists.get(input), objects, objectsMax);
      return execute(task, ctx);
    };
    return operator;
  };
  (step as { code: StepCode }).code = { kind: "operator", create };
}

/** Copies, so that it doesn't show what an operator does to its objects afterwards. */
function record(list: unknown[] | undefined, objects: readonly unknown[], most: number): void {
  if (list === undefined || list.length >= most) return;
  for (const object of objects.slice(0, most - list.length)) list.push(copyOf(object));
}

function copyOf(object: unknown): unknown {
  if (representationOf(object) !== undefined) return object;
  try {
    return decodeObjects(encodeObjects([object]))[0];
  } catch {
    // What can't travel is passed by reference in a slot: it is what it is.
    return object;
  }
}

function dropping({ kind, options, placement }: OutputSink<never, unknown>): OutputSink<unknown, undefined> {
  return {
    kind,
    options,
    placement,
    guarantee: "idempotent",
    open: () => ({ write: () => {} }),
    result: () => undefined,
  };
}

async function runOnce(
  start: SessionStart,
  recorded: ReadonlyMap<StepNode, Recorded>,
  { objectsMax, withinMs }: RecordOptions,
): Promise<void> {
  // Under a name of its own: what the flow's own module has registered stays as it is.
  const module = `qstream-check:${start.reference.name}-${++checks}`;
  const program = { build: () => start.graph.program(automatic() as never), prepare: () => start };
  const reference = { module, name: registerFlow(module, undefined, program), load: module };
  await using session = await local({ slots: 1, isolation: "none", store: "none", stdout: "stderr" });
  const execution: Execution<unknown> = await session.start({ ...start, reference, options: {} });
  let enough = false;
  const stop = (): void => {
    enough = true;
    execution.cancel("enough was recorded");
  };
  const isFull = (): boolean =>
    [...recorded.values()].every((lists) => [...lists.values()].every((list) => list.length >= objectsMax));
  const looking = setInterval(() => (isFull() ? stop() : undefined), 50);
  const late = setTimeout(stop, withinMs);
  try {
    await execution.outputs;
  } catch (error) {
    if (!enough) throw error;
  } finally {
    clearInterval(looking);
    clearTimeout(late);
  }
}

let checks = 0;
const slots = [{ id: "slot-0", machine: "local", tags: [] }];
const channelsOfKeys = [1, 2, 3];

function stepsOf(graph: Graph, recorded: ReadonlyMap<StepNode, Recorded>): readonly OperatorStep[] {
  const plan = planGraph(graph, { slots });
  return graph.steps.flatMap((step, index): readonly OperatorStep[] => {
    const { id, what, code, declares = "order-sensitive", dealing } = step;
    if (code.kind !== "operator") return [];
    const planned = plan.steps[index]?.channels ?? 1;
    const lists = recorded.get(step) ?? new Map<string, unknown[]>();
    const definition: AnyDefinition = {
      ...dealing,
      kind: what,
      declares,
      parallelism: "per-slot",
      representations: step.representations ?? [],
      stages: Object.fromEntries(step.inputs.map(({ name, stage }) => [name, stage])),
      create: code.create,
    };
    const inputs = Object.fromEntries(step.inputs.map(({ name }) => [name, lists.get(name) ?? []]));
    const loop = code.loop === undefined ? {} : { isLoop: true as const };
    return [{ id, what, declares, definition, inputs, ...routes(step, planned), ...loop }];
  });
}

function isCustom({ inputs }: StepNode): boolean {
  return inputs.some(({ partition }) => partition?.kind === "custom");
}

/** How a step's objects reach its channels, and how many of these there may be. */
function routes(step: StepNode, planned: number): Pick<OperatorStep, "partitions" | "channels"> {
  const { inputs } = step;
  const isByKey = inputs.some(({ partition }) => partition?.kind === "hash" || partition?.kind === "range");
  const isKeyed = isByKey && inputs.every(({ partition }) => /^(?:hash|range|broadcast)$/u.test(partition?.kind ?? ""));
  // What a function behind the partition function makes of objects tells nothing of where they go.
  const isHidden = isCustom(step) || inputs.some(({ after }) => after.length > 0);
  if (isHidden || (planned === 1 && !isKeyed)) return { partitions: {}, channels: [1] };
  const partitions = Object.fromEntries(
    inputs.map(({ name, partition }) => [name, (partition ?? chosen(1, planned)) as Partitions[string]]),
  );
  const isOpen = isKeyed && step.channels === undefined && step.place === undefined;
  return { partitions, channels: isOpen ? channelsOfKeys : [planned] };
}
