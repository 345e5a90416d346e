import type { NumberedSplit } from "../../actors/channel/reader-work.ts";
import { locate } from "../../actors/channel/failure.ts";
import { assertTravels } from "../core/codec/index.ts";
import type { FileSystem } from "../core/contracts/file-system.ts";
import type { Reader } from "../core/contracts/reader.ts";
import type { Plan } from "../core/plan.ts";
import type { SlotPlace } from "../core/placement-strategy.ts";
import type { Graph } from "./graph.ts";
import { orAborted } from "./aborting.ts";
import { planGraph } from "./plan-graph.ts";

type Numbered = readonly NumberedSplit[];

/** The splits of a flow's readers, before and after they are dealt to channels. */
export interface DealtSplits {
  /** For readers of datasets: the slot of each channel, by step. */
  readonly dataSlots: ReadonlyMap<string, readonly string[]>;
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
  for (const [index, step] of graph.steps.entries()) {
    if (step.code.kind !== "reader") continue;
    const { reader } = step.code;
    const channels = plan.steps[index]?.channels ?? 1;
    const found = await splitsOf(step.id, reader, { ...context, channels });
    splits.set(
      step.id,
      found.map((split, at) => ({ index: at, split })),
    );
    const slotOf = reader.locate;
    if (slotOf !== undefined) dataSlots.set(step.id, [...new Set(found.map((split) => slotOf(split)))].toSorted());
  }
  return {
    dataSlots,
    byStep: (final) => {
      const dealt = new Map<number, readonly Numbered[]>();
      for (const [index, step] of final.steps.entries()) {
        const own = splits.get(step.id);
        const code = graph.steps[index]?.code;
        if (own !== undefined && code?.kind === "reader")
          dealt.set(index, deal(own, step.channels, step.slots, code.reader));
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

/** Round robin, or to the channel whose slot holds the split. */
function deal(
  splits: Numbered,
  channels: number,
  slots: readonly string[] | undefined,
  reader: Reader<unknown>,
): Numbered[] {
  const dealt = Array.from({ length: channels }, (): NumberedSplit[] => []);
  splits.forEach((split, at) => {
    const channel = slots === undefined ? at % channels : slots.indexOf(reader.locate?.(split.split) ?? "");
    dealt[channel]?.push(split);
  });
  return dealt;
}
