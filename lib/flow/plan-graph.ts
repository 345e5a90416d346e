import { QStreamError } from "../core/errors.ts";
import { topologicalOrder, type Plan, type PlannedEdge, type PlannedStep } from "../core/plan.ts";
import type { PlacementStrategy, SlotPlace } from "../core/placement-strategy.ts";
import { spoolingEdges, type StagedEdge } from "./blocked-edges.ts";
import { channelsOf, nothingFits, type ChosenSplits } from "../placement/index.ts";
import { chosen } from "../partition/index.ts";
import { endsOf } from "./loop-options.ts";
import { functionIds, type Graph, type StepNode } from "./graph.ts";

/** What is known only when a flow runs: the slots, and where readers of datasets find their data. */
export interface Topology {
  readonly slots: readonly SlotPlace[];
  /** For readers placed with their data: a slot for each channel, by step id. */
  readonly dataSlots?: ReadonlyMap<string, readonly string[]>;
  /** For readers placed near their files: the channels of their splits, by step id. */
  readonly near?: ReadonlyMap<string, ChosenSplits>;
  /** Channels of steps, by step id, where others are wanted than the flow asks for. */
  readonly channels?: ReadonlyMap<string, number>;
}

/** Resolves channel counts, partition functions and placement of a graph for given slots. Refuses what can't run. */
export function planGraph(graph: Graph, topology: Topology): Plan {
  const indexOf = new Map(graph.steps.map((step, index) => [step, index]));
  const edges = edgesOf(graph, indexOf);
  const sorted = topologicalOrder(graph.steps.length, edges);
  if ("cycle" in sorted) throw cycleError(graph, sorted.cycle);
  const steps: PlannedStep[] = [];
  for (const index of sorted.order) {
    const step = graph.steps[index] as StepNode;
    checkPlacement(graph, step);
    const forward = step.inputs.filter(({ from }) => from.step !== step);
    const producers = forward.map((input): Producer => {
      const at = indexOf.get(input.from.step) ?? -1;
      return { step: at, channels: steps[at]?.channels ?? 1, slots: steps[at]?.slots ?? [] };
    });
    steps[index] = planStep(step, index, edges, producers, topology);
  }
  // What a loop feeds back it reads itself, once it can: it holds back nobody else.
  const forward = edges.flatMap((edge, at) => (edge.kind === "forward" ? at : []));
  const staged = forward.map((at) => stagedEdge(graph, edges[at] as RawEdge));
  const spooling = new Set([...spoolingEdges(staged)].map((at) => forward[at]));
  return {
    flow: graph.flow,
    fingerprint: graph.fingerprint(),
    steps,
    edges: edges.map((edge, at) => planEdge(graph, edge, edge.kind === "feedback" || spooling.has(at), steps)),
  };
}

function stagedEdge(graph: Graph, { from, to, at }: RawEdge): StagedEdge {
  const consumer = graph.steps[to];
  return { from, to, stage: consumer?.inputs[at]?.stage ?? 0, inStep: consumer?.mayBlock === true };
}

interface RawEdge {
  readonly from: number;
  readonly to: number;
  readonly at: number;
  readonly kind: "forward" | "feedback";
}

function edgesOf(graph: Graph, indexOf: ReadonlyMap<StepNode, number>): RawEdge[] {
  return graph.steps.flatMap((step, to) =>
    step.inputs.map((input, at) => ({
      from: indexOf.get(input.from.step) ?? -1,
      to,
      at,
      kind: input.from.step === step ? ("feedback" as const) : ("forward" as const),
    })),
  );
}

function planStep(
  step: StepNode,
  index: number,
  edges: readonly RawEdge[],
  producers: readonly Producer[],
  topology: Topology,
): PlannedStep {
  const asked = placementOf(step, producers);
  const near = topology.near?.get(step.id);
  const data = near?.slots ?? dataSlotsOf(step, asked, producers, topology);
  const usual = data?.length ?? (asked.kind === "with-data" ? 1 : channelsOf(asked, topology.slots)) ?? 1;
  if (usual < 1) throw nothingFits(step.id, asked, topology.slots);
  const channels = topology.channels?.get(step.id) ?? usual;
  const placement = channels === usual ? asked : placementFor(channels, asked);
  const { code } = step;
  return {
    id: step.id,
    kind: code.kind,
    what: step.what,
    channels,
    placement,
    inputs: step.inputs.map((input, at) => ({
      name: input.name,
      stage: input.stage,
      edge: edges.findIndex((edge) => edge.to === index && edge.at === at),
      ...(step.loop !== undefined && input.from.step === step ? { feedback: step.loop.mode } : {}),
    })),
    outputs: edges.flatMap((edge, at) => (edge.from === index ? [at] : [])),
    endless: code.kind === "reader" && code.reader.endless === true,
    ...(step.declares === undefined ? {} : { declares: step.declares }),
    ...(step.skips ? { skips: true } : {}),
    ...(step.loop === undefined ? {} : { loop: { mode: step.loop.mode, ends: endsOf(step.loop) } }),
    ...(code.kind === "sink" ? { guarantee: code.sink.guarantee } : {}),
    ...(data === undefined ? {} : { slots: data }),
    ...(near === undefined ? {} : { near: near.near }),
  };
}

/** Where a step that goes with the data finds it: a dataset's reader by its splits, any other step where its producers are. */
function dataSlotsOf(
  step: StepNode,
  placement: PlacementStrategy,
  producers: readonly Producer[],
  { dataSlots }: Topology,
): readonly string[] | undefined {
  const own = dataSlots?.get(step.id);
  if (own !== undefined || placement.kind !== "with-data" || dataSlots === undefined) return own;
  const inherited = [...new Set(producers.flatMap((producer) => producer.slots))].toSorted();
  if (inherited.length > 0) return inherited;
  throw new QStreamError(
    "PLACEMENT_IMPOSSIBLE",
    `step "${step.id}" is placed with its data, and none of its streams comes from a dataset`,
    {
      step: step.id,
      advice: "Place it by perSlot() or single(), or read a dataset before it",
    },
  );
}

/** Refuses strategies that make no sense for a step. */
function checkPlacement(graph: Graph, { id, place, code }: StepNode): void {
  if (place?.kind === "near-files" && code.kind !== "reader") {
    throw new QStreamError("OPTION_INVALID", `step "${id}" is placed by nearFiles(), and is no reader`, {
      step: id,
      advice: "Place the reader before it so: what is next to it goes where it is",
    });
  }
  const unknown = place?.kind === "apart" ? place.from.find((other) => !isOther(graph, id, other)) : undefined;
  if (unknown === undefined) return;
  throw new QStreamError("OPTION_INVALID", `step "${id}" is kept apart from "${unknown}", which is no other step`, {
    step: id,
    advice: `The steps are: ${graph.steps.map((step) => step.id).join(", ")}`,
  });
}

function isOther(graph: Graph, id: string, other: string): boolean {
  return other !== id && graph.steps.some((step) => step.id === other);
}

/** The table of defaults of docs/defaults.md: what the user set, else what the kind of step asks for. */
function placementOf(step: StepNode, producers: readonly Producer[]): PlacementStrategy {
  const { place, channels } = step;
  if (place !== undefined) {
    if (channels === undefined) return place;
    if (place.kind === "single" && channels !== 1) throw conflicting(step.id, channels);
    if (place.kind === "per-slot") return { kind: "spread", channels };
    if (place.kind === "apart") return { ...place, channels };
    return place;
  }
  if (channels !== undefined) return channels === 1 ? { kind: "single" } : { kind: "spread", channels };
  switch (step.parallelism) {
    case "single":
      return { kind: "single" };
    case "client":
      return { kind: "client" };
    case "with-data":
      return { kind: "with-data" };
    case "per-slot":
      return { kind: "per-slot", channels: 1 };
    case "same":
      return withProducer(producers);
  }
}

/** Where another number of channels goes than a step would have. */
function placementFor(channels: number, asked: PlacementStrategy): PlacementStrategy {
  // These place any number.
  if (asked.kind === "tagged" || asked.kind === "per-slot" || asked.kind === "client") return asked;
  return channels === 1 ? { kind: "single" } : { kind: "spread", channels };
}

/** What is known of the step behind an input: its place in the plan, its channels, and the slots of its data. */
interface Producer {
  readonly step: number;
  readonly channels: number;
  readonly slots: readonly string[];
}

/** Beside the producer, so that what passes stays in its slot; beside the widest one where there are several. */
function withProducer(producers: readonly Producer[]): PlacementStrategy {
  const widest = producers.toSorted((left, right) => right.channels - left.channels)[0];
  return widest === undefined
    ? { kind: "single" }
    : { kind: "with-step", step: widest.step, channels: widest.channels };
}

function planEdge(graph: Graph, edge: RawEdge, spools: boolean, steps: readonly PlannedStep[]): PlannedEdge {
  const consumer = graph.steps[edge.to] as StepNode;
  const input = consumer.inputs[edge.at];
  if (input === undefined) throw new QStreamError("INTERNAL", `edge ${edge.at} of "${consumer.id}" has no input`);
  const producers = steps[edge.from]?.channels ?? 1;
  const channels = steps[edge.to]?.channels ?? 1;
  const partition = input.partition ?? chosen(producers, channels);
  const refused = partition.check?.(producers, channels);
  if (refused !== undefined) {
    throw new QStreamError("CHANNEL_OUT_OF_RANGE", refused, {
      step: consumer.id,
      input: input.name,
      advice: "Change the partition function, or the channels of one of the two steps",
    });
  }
  return {
    from: edge.from,
    port: input.from.port,
    to: edge.to,
    input: input.name,
    kind: edge.kind,
    partition: { kind: partition.kind, label: partition.label },
    before: functionIds(input.from.functions),
    after: input.after.map((step) => step.id),
    spools,
  };
}

function cycleError(graph: Graph, cycle: readonly number[]): QStreamError {
  const ids = cycle.map((step) => `"${graph.steps[step]?.id}"`);
  return new QStreamError("CYCLE", `the steps ${ids.join(" -> ")} -> ${ids[0]} form a cycle`, {
    advice: "Only feedback edges may lead back to an earlier step",
  });
}

function conflicting(step: string, channels: number): QStreamError {
  return new QStreamError("OPTION_INVALID", `step "${step}" asks for ${channels} channels and for single()`, {
    step,
    advice: "Leave one of the two out",
  });
}
