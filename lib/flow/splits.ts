import type { NumberedSplit } from "../../actors/channel/reader-work.ts";
import { locate } from "../../actors/channel/failure.ts";
import { assertTravels } from "../core/codec/index.ts";
import type { FileSystem } from "../core/contracts/file-system.ts";
import type { Reader } from "../core/contracts/reader.ts";
import type { Plan, PlannedStep } from "../core/plan.ts";
import type { SlotPlace } from "../core/placement-strategy.ts";
import type { Graph } from "./graph.ts";
import { orAborted } from "./aborting.ts";
import { planGraph } from "./plan-graph.ts";
import { chooseSplits, missingPlace, type ChosenSplits } from "../placement/index.ts";

type Numbered = readonly NumberedSplit[];

/** The splits of a flow's readers, before and after they are dealt to channels. */
export interface DealtSplits {
  /** For readers of datasets: the slot of each channel, by step. */
  readonly dataSlots: ReadonlyMap<string, readonly string[]>;
  /** For readers that are placed near their files: which channel reads what, by step. */
  readonly near: ReadonlyMap<string, ChosenSplits>;
  /** Splits of each channel, by the plan's index of the reader. */
  readonly byStep: (plan: Plan) => ReadonlyMap<number, readonly Numbered[]>;
}

/** Asks every reader for its splits, once, here, and deals them to its channels. */
export async function dealSplits(
  graph: Graph,
  slots: readonly SlotPlace[],
  context: { readonly files: FileSystem; readonly signal: AbortSignal },
): Promise<DealtSplits> {
  const plan = planGraph(graph, { slots });
  const splits = new Map<string, Numbered>();
  const dataSlots = new Map<string, readonly string[]>();
  const near = new Map<string, ChosenSplits>();
  for (const [index, step] of graph.steps.entries()) {
    if (step.code.kind !== "reader") continue;
    const { reader } = step.code;
    const channels = plan.steps[index]?.channels ?? 1;
    const found = await splitsOf(step.id, reader, { ...context, channels });
    splits.set(
      step.id,
      found.map((split, at) => ({ index: at, split })),
    );
    const planned = plan.steps[index];
    if (planned?.placement.kind === "near-files") near.set(step.id, chooseNear(planned, reader, found, slots));
    const slotOf = reader.locate;
    if (slotOf !== undefined) dataSlots.set(step.id, [...new Set(found.map((split) => slotOf(split)))].toSorted());
  }
  return {
    dataSlots,
    near,
    byStep: (final) => {
      const dealt = new Map<number, readonly Numbered[]>();
      for (const [index, step] of final.steps.entries()) {
        const own = splits.get(step.id);
        const code = graph.steps[index]?.code;
        if (own === undefined || code?.kind !== "reader") continue;
        const chosen = step.near === undefined ? undefined : near.get(step.id);
        dealt.set(index, deal(own, step, chosen, code.reader));
      }
      return dealt;
    },
  };
}

async function splitsOf(
  step: string,
  reader: Reader<unknown>,
  request: Parameters<Reader<unknown>["splits"]>[0],
): Promise<readonly unknown[]> {
  try {
    const splits = await orAborted(reader.splits(request), request.signal);
    for (const split of splits) assertTravels(split);
    return splits;
  } catch (error) {
    if (request.signal.aborted) throw error;
    throw locate(error, { step });
  }
}

/** Deals splits to channels on machines that have them. @throws QStreamError PLACEMENT_IMPOSSIBLE where one has to be near and can't */
function chooseNear(
  step: PlannedStep,
  reader: Reader<unknown>,
  splits: readonly unknown[],
  slots: readonly SlotPlace[],
): ChosenSplits {
  const { placement } = step;
  const replicas = splits.map((split) => reader.replicas?.(split) ?? {});
  const sizes = splits.map((split) => reader.sizeOf?.(split) ?? 0);
  const perSlot = placement.kind === "near-files" ? placement.channels : 1;
  const chosen = chooseSplits(replicas, sizes, slots, perSlot);
  const isBound = placement.kind === "near-files" && (placement.whenMissing ?? "anywhere") !== "anywhere";
  if (!isBound || chosen.missing.length === 0) return chosen;
  const some = chosen.missing.slice(0, 3).join(", ");
  const more = chosen.missing.length > 3 ? ` and ${chosen.missing.length - 3} others` : "";
  throw missingPlace(step.id, placement, `a machine with ${some}${more}`, slots);
}

/** Round robin, to the channel whose slot holds the split, or as was chosen. */
function deal(
  splits: Numbered,
  { channels, slots }: PlannedStep,
  chosen: ChosenSplits | undefined,
  reader: Reader<unknown>,
): Numbered[] {
  const dealt = Array.from({ length: channels }, (): NumberedSplit[] => []);
  splits.forEach((split, at) => {
    const located = slots?.indexOf(reader.locate?.(split.split) ?? "") ?? at % channels;
    dealt[chosen?.channels[at] ?? located]?.push(split);
  });
  return dealt;
}
