import { QStreamError } from "../../core/errors.ts";
import { checkOptionNames, namesOf } from "../../core/option-names.ts";
import type { SlotPlace } from "../../core/placement-strategy.ts";
import type { Plan } from "../../core/plan.ts";
import { edgeSizes, placePlan, whyThere, type StepBytes } from "../../placement/index.ts";
import { checkSessionOptions, slotsOf } from "../check-options.ts";
import { refuseUnsavedState } from "../check-promises.ts";
import type { Graph } from "../graph.ts";
import { planGraph } from "../plan-graph.ts";
import { storeOf } from "../session-lineage.ts";
import { explainDot } from "./dot.ts";
import { channelsByMachine, type Explained } from "./explained.ts";
import { explainMermaid } from "./mermaid.ts";
import { explainText } from "./text.ts";

/** How a plan is drawn. */
export interface ExplainOptions {
  /** `text` (default), `mermaid` or `dot` (Graphviz). */
  readonly as?: "text" | "mermaid" | "dot";
  /** For how many slots; as many as the machine has cores unless told. */
  readonly slots?: number;
  readonly tags?: readonly string[];
  /** The store that it is going to run with, as `run` has it: with `none`, steps of endless streams needn't save their state. */
  readonly store?: string;
  /** The machines of a cluster, as its session lists them, instead of slots here: who is where, and why. */
  readonly machines?: readonly ExplainedMachine[];
  /**
   * An execution of the flow, as the session lists it: of one that runs, its channels are drawn where they are, and of one that has
   * ended, what its steps have sent tells where a run is going to have them.
   */
  readonly execution?: ExplainedExecution;
}

const explainOptionNames = namesOf<ExplainOptions>({
  as: true,
  slots: true,
  tags: true,
  store: true,
  machines: true,
  execution: true,
});

/** A machine of a cluster, as far as placement is concerned. */
export interface ExplainedMachine {
  readonly id: string;
  readonly slots: readonly string[];
  readonly tags: readonly string[];
}

/** An execution, as far as placement is concerned. */
export interface ExplainedExecution {
  readonly status: string;
  readonly metrics?:
    | {
        readonly steps: readonly { readonly step: string; readonly metrics: StepBytes }[];
        readonly channels: readonly { readonly step: string; readonly channel: number; readonly slot: string }[];
      }
    | undefined;
}

/** Draws what a graph becomes on some slots: steps, channels, stages, partition functions, placement, what steps declare. */
export function explainGraph(graph: Graph, options: ExplainOptions): string {
  checkOptionNames("explain()", options, explainOptionNames);
  const { machines, execution } = options;
  checkSessionOptions(options);
  if (machines === undefined && storeOf(options) !== "none") refuseUnsavedState(graph);
  const slots = machines === undefined ? slotsOf(options) : slotsOfMachines(machines);
  const placed = execution?.status === "running" ? placedBy(execution) : undefined;
  const channels = placed === undefined ? undefined : new Map([...placed].map(([step, own]) => [step, own.length]));
  const plan = planGraph(graph, { slots, ...(channels === undefined ? {} : { channels }) });
  const measured = new Map(execution?.metrics?.steps.map(({ step, metrics }) => [step, metrics]));
  const sizes = edgeSizes(
    plan,
    plan.steps.map(({ id }) => measured.get(id)),
  );
  const placement =
    placed === undefined ? placementOf(plan, slots, sizes) : plan.steps.map(({ id }) => placed.get(id) ?? []);
  const explained: Explained = {
    plan,
    placement,
    representations: graph.steps.map((step) => step.representations ?? []),
    slots,
    cluster:
      machines === undefined
        ? undefined
        : {
            why: plan.steps.map((_, step) => whyThere(plan, step, sizes)),
            machines: channelsByMachine(plan, placement, slots),
          },
  };
  return draw(explained, options.as ?? "text");
}

function draw(explained: Explained, as: "text" | "mermaid" | "dot"): string {
  switch (as) {
    case "text":
      return explainText(explained);
    case "mermaid":
      return explainMermaid(explained);
    case "dot":
      return explainDot(explained);
  }
}

/** @throws QStreamError PLACEMENT_IMPOSSIBLE which says what is missing */
function placementOf(plan: Plan, slots: readonly SlotPlace[], sizes: readonly number[] | undefined): string[][] {
  let next = 0;
  const turn = (): number => next++;
  return placePlan(plan, { slots, client: "client", turn, sizes });
}

function slotsOfMachines(machines: readonly ExplainedMachine[]): SlotPlace[] {
  const slots = machines.flatMap(({ id, slots: own, tags }) => own.map((slot) => ({ id: slot, machine: id, tags })));
  if (slots.length > 0) return slots;
  throw new QStreamError("MACHINE_UNREACHABLE", "the cluster has no machine that a flow could be placed on", {
    advice: "Start one: qstream worker --join with the URL of the head",
  });
}

/** Slots of the channels that run, by step. */
function placedBy({ metrics }: ExplainedExecution): ReadonlyMap<string, readonly string[]> | undefined {
  if (metrics === undefined || metrics.channels.length === 0) return undefined;
  const placed = new Map<string, string[]>();
  for (const { step, channel, slot } of metrics.channels) {
    const own = placed.get(step) ?? [];
    // The thread of its driver, which has no slot of a machine.
    own[channel] = slot.endsWith("/client") ? "client" : slot;
    placed.set(step, own);
  }
  return placed;
}
