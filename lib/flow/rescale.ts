import { encodeSnapshot, type ChannelSnapshot } from "../../actors/channel/channel-snapshot.ts";
import { packCheckpoint } from "../../actors/lineage/checkpoint-bytes.ts";
import { offsetsOf } from "../../actors/slot/channel-work.ts";
import type { Drain } from "../../actors/slot/protocol.ts";
import type { LineageStore } from "../core/contracts/lineage-store.ts";
import { QStreamError } from "../core/errors.ts";
import { encodeRecord } from "../core/lineage/record-codec.ts";
import type { Plan } from "../core/plan.ts";
import type { SlotPlace } from "../core/placement-strategy.ts";
import { earlierChannels, type EarlierChannel } from "./earlier-channels.ts";
import type { Graph } from "./graph.ts";
import { planGraph } from "./plan-graph.ts";
import { fixed, keep } from "./rescale-plan.ts";
import { NotDealt, splitsLeft, startOf, type RescaledStep } from "./rescale-start.ts";
import { nextName } from "./rescaled-name.ts";
import { encodeStoredFlow, type StoredFlow } from "./stored-flow.ts";

/** An execution whose links are drained, and what is to become of it. */
export interface Drained {
  readonly graph: Graph;
  readonly execution: string;
  readonly stored: StoredFlow;
  readonly drain: Drain;
  readonly slots: readonly SlotPlace[];
  /** Channels of each step from now on, by step id. */
  readonly wanted: ReadonlyMap<string, number>;
  /** True if a step whose channels turn out to be fixed is refused; else it keeps them. */
  readonly strict: boolean;
}

/**
 * Writes an execution to the store that goes on where another one paused, with other channels: their states are dealt from what
 * the channels before saved. The other one is dropped once this one is whole; until then only it can be gone on with.
 *
 * @throws QStreamError UNSUPPORTED where a state can't be dealt; EXECUTION_TAKEN if somebody else went on meanwhile
 */
export async function rescaleStored(
  store: LineageStore,
  drained: Drained,
): Promise<{ readonly execution: string; readonly stored: StoredFlow }> {
  const { execution, stored } = drained;
  const before = await earlierChannels(store, execution, stored);
  const next = await writeNext(store, drained, before);
  await store.drop(execution);
  return next;
}

async function writeNext(
  store: LineageStore,
  drained: Drained,
  before: readonly (readonly EarlierChannel[])[],
): Promise<{ readonly execution: string; readonly stored: StoredFlow }> {
  const { execution, stored, graph, strict } = drained;
  const wanted = channelsLeft(drained, before);
  for (;;) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- again only where a step turns out to be fixed
      const next = await write(store, drained, before, wanted);
      // oxlint-disable-next-line no-await-in-loop -- see above
      await refuseTaken(store, execution, stored.plan, before);
      return next;
    } catch (error) {
      // oxlint-disable-next-line no-await-in-loop -- see above
      await store.drop(nextName(execution)).catch(() => {});
      const step = error instanceof NotDealt && !strict ? error.place.step : undefined;
      if (step === undefined) throw error;
      keep(graph, stored.plan, wanted, step);
    }
  }
}

async function write(
  store: LineageStore,
  drained: Drained,
  before: readonly (readonly EarlierChannel[])[],
  wanted: ReadonlyMap<string, number>,
): Promise<{ readonly execution: string; readonly stored: StoredFlow }> {
  const { graph, execution, slots, drain } = drained;
  const plan = planGraph(graph, { slots, channels: wanted });
  const steps = graph.steps.flatMap((step, index): RescaledStep[] => {
    const planned = plan.steps[index];
    const channels = before[index] ?? [];
    return planned === undefined ? [] : [{ step, planned, plan, pausing: drain.pausing, index, before: channels }];
  });
  const next = await describe(drained, plan, steps);
  const id = nextName(execution);
  const known = await store.find(execution);
  // An earlier try may have come half way.
  await store.drop(id);
  await store.create(id, encodeStoredFlow(next), countOf(plan), known?.createdAt ?? 0);
  await writeStarts(store, id, plan, steps);
  return { execution: id, stored: next };
}

/** Channels of which only some want no more can't be dealt. */
function channelsLeft(
  { graph, stored, strict, ...drained }: Drained,
  before: readonly (readonly EarlierChannel[])[],
): Map<string, number> {
  const wanted = new Map(drained.wanted);
  for (const [index, { id }] of graph.steps.entries()) {
    const channels = before[index] ?? [];
    const stopped = channels.filter((channel) => channel.stopped).length;
    if (stopped === 0 || stopped === channels.length || wanted.get(id) === channels.length) continue;
    if (strict) throw fixed(id, "some of its channels want no more, and others do");
    keep(graph, stored.plan, wanted, id);
  }
  return wanted;
}

async function describe(
  { execution, stored }: Drained,
  plan: Plan,
  steps: readonly RescaledStep[],
): Promise<StoredFlow> {
  const { earlier } = stored;
  const readers = steps.filter(({ step }) => step.code.kind === "reader");
  const splits = await Promise.all(readers.map(async (reader) => [reader.index, await splitsLeft(reader)] as const));
  const tasks = Math.max(...steps.flatMap(({ before }) => before.map(({ lastSeq }) => lastSeq + 1)));
  const startedAs = earlier?.startedAs ?? execution;
  return { ...stored, plan, splits, earlier: { execution, startedAs, tasks: (earlier?.tasks ?? 0) + tasks } };
}

async function writeStarts(
  store: LineageStore,
  execution: string,
  plan: Plan,
  steps: readonly RescaledStep[],
): Promise<void> {
  const offsets = offsetsOf(plan.steps);
  for (const rescaled of steps) {
    for (let channel = 0; channel < rescaled.planned.channels; channel++) {
      // oxlint-disable-next-line no-await-in-loop -- one state after the other, so that they are never all in memory
      const start = await startOf(rescaled, channel);
      const number = (offsets[rescaled.index] ?? 0) + channel;
      // oxlint-disable-next-line no-await-in-loop -- see above
      if (start !== undefined) await writeStart(store, execution, number, start);
    }
  }
}

/** A checkpoint is behind a task. This one's did nothing, and its record isn't kept: what is before can't be done again. */
async function writeStart(
  store: LineageStore,
  execution: string,
  channel: number,
  start: ChannelSnapshot,
): Promise<void> {
  const nothing = { consumed: [], produced: [], taken: 0, more: false, content: undefined, now: undefined };
  const record = encodeRecord({ seq: 0, cause: { kind: "continue" }, ...nothing });
  const bytes = packCheckpoint({ consumed: [], made: [] }, (room) => encodeSnapshot(start, room));
  await store.commit(execution, [{ channel, generation: 0, firstSeq: 0, records: [record] }]);
  await store.saveCheckpoint(execution, channel, 0, 0, bytes);
  await store.free(execution, channel, 0, 0);
}

/** Who went on with the execution while its states were dealt would find it gone. */
async function refuseTaken(
  store: LineageStore,
  execution: string,
  plan: Plan,
  before: readonly (readonly EarlierChannel[])[],
): Promise<void> {
  const offsets = offsetsOf(plan.steps);
  const checks = before.flatMap((channels, step) =>
    channels.map(async ({ generation }, channel) => {
      const now = await store.progress(execution, (offsets[step] ?? 0) + channel);
      return now.generation === generation;
    }),
  );
  if ((await Promise.all(checks)).every(Boolean)) return;
  throw new QStreamError("EXECUTION_TAKEN", `another process goes on with execution ${execution}`, {
    advice: "It was resumed there while its channels were to change here: nothing was changed",
  });
}

function countOf({ steps }: Plan): number {
  return steps.reduce((sum, { channels }) => sum + channels, 0);
}
