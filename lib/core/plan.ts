import type { Declares } from "./contracts/operator.ts";
import type { Guarantee } from "./contracts/sink.ts";
import type { PlacementStrategy } from "./placement-strategy.ts";

export type StepKind = "reader" | "operator" | "sink" | "actors";

/** One reader, operator or sink of a plan, as data. */
export interface PlannedStep {
  readonly id: string;
  readonly kind: StepKind;
  /** What it is: "csv", "hash-join", "collect". */
  readonly what: string;
  readonly channels: number;
  readonly placement: PlacementStrategy;
  readonly declares?: Declares;
  readonly guarantee?: Guarantee;
  readonly inputs: readonly PlannedInput[];
  /** Edges that leave this step, by index. */
  readonly outputs: readonly number[];
  /** True if objects that its operator fails on again and again are passed over. */
  readonly skips?: boolean;
  /** For a step with an edge to itself: how it takes what it feeds back, and when that ends. */
  readonly loop?: PlannedLoop;
  /** True for a reader that may never end. */
  readonly endless: boolean;
  /** For readers: slot that holds each channel's data, when the reader says so. */
  readonly slots?: readonly string[];
  /** For readers that are placed near their files: what each channel's splits want of a machine, any of some tags each. */
  readonly near?: readonly (readonly (readonly string[])[])[];
}

/** A loop, as data. */
export interface PlannedLoop {
  readonly mode: "rounds" | "asynchronous";
  /** What ends it: "20 rounds", "until a condition", "nothing fed back". */
  readonly ends: string;
}

export interface PlannedInput {
  readonly name: string;
  readonly edge: number;
  readonly stage: number;
  /** Set for the input that a loop feeds back: it is taken apart from the others. */
  readonly feedback?: PlannedLoop["mode"];
}

/** The connection of two steps, as data. */
export interface PlannedEdge {
  readonly from: number;
  /** Output port of the producer: "out", or a side output's name. */
  readonly port: string;
  readonly to: number;
  readonly input: string;
  readonly kind: "forward" | "feedback";
  readonly partition: { readonly kind: string; readonly label: string };
  /** Ids of the functions that ride on the edge, before and after the partition function. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** The consumer may refuse this input for long while another input of the same origin is needed: it spools to disk. */
  readonly spools: boolean;
}

/** Steps and edges as data: what the scheduler places and every slot builds its channels from. */
export interface Plan {
  readonly flow: string;
  /** Hash of step ids, kinds, options, edges and partition functions; equal wherever the same flow was built. */
  readonly fingerprint: string;
  readonly steps: readonly PlannedStep[];
  readonly edges: readonly PlannedEdge[];
}

/** The edge by which a loop feeds back; undefined for a step that is no loop. */
export function feedbackEdgeOf(step: PlannedStep | undefined): number | undefined {
  return step?.inputs.find(({ feedback }) => feedback !== undefined)?.edge;
}

/** True for a system of actors, whose channels are hosts. */
export function hasActors({ steps }: Plan): boolean {
  return steps[0]?.kind === "actors";
}

/** Steps in an order in which producers come before consumers, or the ids of a cycle of forward edges. */
export function topologicalOrder(
  steps: number,
  edges: readonly { readonly from: number; readonly to: number; readonly kind: "forward" | "feedback" }[],
): { readonly order: readonly number[] } | { readonly cycle: readonly number[] } {
  const forward = edges.filter((edge) => edge.kind === "forward");
  const waiting = new Array<number>(steps).fill(0);
  for (const edge of forward) waiting[edge.to] = (waiting[edge.to] ?? 0) + 1;
  const ready = waiting.flatMap((count, step) => (count === 0 ? [step] : []));
  const order: number[] = [];
  for (let step = ready.shift(); step !== undefined; step = ready.shift()) {
    order.push(step);
    for (const edge of forward) {
      if (edge.from !== step) continue;
      const left = (waiting[edge.to] ?? 0) - 1;
      waiting[edge.to] = left;
      if (left === 0) ready.push(edge.to);
    }
  }
  if (order.length === steps) return { order };
  return { cycle: findCycle(forward, new Set(waiting.flatMap((count, step) => (count > 0 ? [step] : [])))) };
}

/** Walks backwards from any step that never became ready until one repeats: each of them has an unready producer. */
function findCycle(edges: readonly { readonly from: number; readonly to: number }[], unready: Set<number>): number[] {
  const path: number[] = [];
  let at = [...unready][0];
  while (at !== undefined && !path.includes(at)) {
    path.push(at);
    const current: number = at;
    at = edges.find((edge) => edge.to === current && unready.has(edge.from))?.from;
  }
  return at === undefined ? path : path.slice(path.indexOf(at)).reverse();
}
