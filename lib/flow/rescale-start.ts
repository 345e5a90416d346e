import type { ChannelSnapshot } from "../../actors/channel/channel-snapshot.ts";
import type { NumberedSplit } from "../../actors/channel/reader-work.ts";
import type { Deal } from "../core/contracts/operator.ts";
import { dealState, dealTimers } from "../core/deal.ts";
import { QStreamError } from "../core/errors.ts";
import type { Plan, PlannedStep } from "../core/plan.ts";
import type { EarlierChannel } from "./earlier-channels.ts";
import type { Dealing, StepNode } from "./graph.ts";

/** A step whose channels go on with what as many or another number of channels before have left. */
export interface RescaledStep {
  readonly step: StepNode;
  readonly planned: PlannedStep;
  readonly plan: Plan;
  /** Steps that paused, by the plan's index; all others have come to their ends. */
  readonly pausing: readonly number[];
  readonly index: number;
  readonly before: readonly EarlierChannel[];
}

/** The state of a step can't be dealt, as its keys show. */
export class NotDealt extends QStreamError {
  constructor(step: string, { message, place }: QStreamError) {
    super("UNSUPPORTED", message, { ...place, step });
  }
}

const everything: Deal = { takes: () => true, takesGroup: () => true, takesRest: true };

/** The splits that are left to read, by channel. One that was begun is gone on with where it was left. */
export async function splitsLeft({ pausing, index, planned, before }: RescaledStep): Promise<NumberedSplit[][]> {
  const left: NumberedSplit[][] = Array.from({ length: planned.channels }, () => []);
  if (!pausing.includes(index)) return left;
  const of = await Promise.all(before.map(splitsOf));
  if (before.length === planned.channels) return of;
  // What was begun first, and the others in their order.
  const all = of.flat().toSorted((a, b) => Number(b.from !== undefined) - Number(a.from !== undefined));
  all.forEach((split, at) => left[at % planned.channels]?.push(split));
  return left;
}

async function splitsOf(channel: EarlierChannel): Promise<NumberedSplit[]> {
  if (channel.stopped) return [];
  const place = (await savedBy(channel))?.reading;
  const { splits } = channel;
  if (place === undefined) return [...splits];
  const rest = splits.slice(place.begun);
  const current = splits[place.begun - 1];
  if (!place.open || current === undefined) return rest;
  return [{ ...current, from: { position: place.position, mark: place.mark } }, ...rest];
}

/** The first checkpoint of a channel; undefined for one that begins with nothing. */
export async function startOf(rescaled: RescaledStep, channel: number): Promise<ChannelSnapshot | undefined> {
  const { step, planned, before } = rescaled;
  if (before.every(({ lastSeq }) => lastSeq < 0)) return undefined;
  const kept = before.length === planned.channels;
  if (step.code.kind === "reader") return readerStart(before, kept ? [channel] : channel === 0 ? before.keys() : []);
  if (kept) return keptStart(rescaled, before[channel]);
  return dealtStart(rescaled, channel);
}

/** A reader goes on by the splits that it is given; only its counters come from before. */
async function readerStart(before: readonly EarlierChannel[], from: Iterable<number>): Promise<ChannelSnapshot> {
  const own = [...from].flatMap((channel) => before[channel] ?? []);
  return { ...ended([]), ended: undefined, counters: await countersOf(own) };
}

async function keptStart(
  { pausing, index, planned, step }: RescaledStep,
  channel: EarlierChannel | undefined,
): Promise<ChannelSnapshot | undefined> {
  if (channel === undefined || channel.lastSeq < 0) return undefined;
  const end = channel.stopped ? "stopped" : pausing.includes(index) ? undefined : "done";
  // A sink that wants no more still hands over what it has.
  if (end !== undefined && step.code.kind === "operator") {
    return { ...ended(planned.inputs), ended: end, counters: await countersOf([channel]) };
  }
  const { inputs, state, timers, counters } = await mustHave(channel, step);
  const positions = inputs.map(({ done }) => ({ done, consumed: [] }));
  return { ...ended([]), inputs: positions, state, timers, counters, ended: end, stateless: undefined };
}

async function dealtStart(rescaled: RescaledStep, channel: number): Promise<ChannelSnapshot> {
  const { step, planned, plan, pausing, index, before } = rescaled;
  const counters = channel === 0 ? await countersOf(before) : {};
  if (before.every(({ stopped }) => stopped)) return { ...ended(planned.inputs), ended: "stopped", counters };
  if (!pausing.includes(index)) return { ...ended(planned.inputs), counters };
  const { dealing } = step;
  if (dealing === undefined) throw new QStreamError("INTERNAL", `the state of "${step.id}" can't be dealt`);
  const { state, timers } = await dealtTo(rescaled, dealing, channel).catch((error: unknown) => {
    throw error instanceof QStreamError && error.code === "UNSUPPORTED" ? new NotDealt(step.id, error) : error;
  });
  const inputs = planned.inputs.map(({ edge }) => ({
    done: !pausing.includes(plan.edges[edge]?.from ?? -1),
    consumed: [],
  }));
  const stateless = state === undefined ? true : undefined;
  return { ...ended([]), inputs, state, timers, counters, ended: undefined, stateless };
}

/** What a channel takes of the states and the timers of those before. */
async function dealtTo(
  { before, planned, step }: RescaledStep,
  dealing: Dealing,
  channel: number,
): Promise<Pick<ChannelSnapshot, "state" | "timers">> {
  const dealt = { before: before.length, channels: planned.channels, channel };
  const pending = new Map<number, (readonly [name: string, at: number])[]>();
  const load = async (from: number): Promise<unknown> => {
    const earlier = before[from];
    // A channel that did nothing has the state of one that got nothing.
    if (earlier === undefined || earlier.lastSeq < 0) return dealing.deal?.([], everything);
    const { state, timers = [] } = await mustHave(earlier, step);
    pending.set(
      from,
      timers.flatMap(([name, at]) => (at === undefined ? [] : [[name, at] as const])),
    );
    return state;
  };
  const state: unknown = await dealState<unknown>(dealing as never, load, dealt);
  const timers = dealTimers(dealing, pending, dealt);
  return { state, timers: timers.length === 0 ? undefined : timers };
}

/** A channel that has ended by itself. */
function ended(inputs: readonly unknown[]): ChannelSnapshot {
  return {
    seq: 0,
    inputs: inputs.map(() => ({ done: true, consumed: [] })),
    outputs: [],
    reading: undefined,
    state: undefined,
    counters: {},
    ended: "done",
    stateless: true,
  };
}

async function countersOf(channels: readonly EarlierChannel[]): Promise<Record<string, number>> {
  const sum: Record<string, number> = {};
  for (const channel of channels) {
    // oxlint-disable-next-line no-await-in-loop -- one state after the other, so that they are never all in memory
    const counters = (await savedBy(channel))?.counters ?? {};
    for (const [name, count] of Object.entries(counters)) sum[name] = (sum[name] ?? 0) + count;
  }
  return sum;
}

async function savedBy(channel: EarlierChannel): Promise<ChannelSnapshot | undefined> {
  return channel.lastSeq < 0 ? undefined : channel.load();
}

async function mustHave(channel: EarlierChannel, { id }: StepNode): Promise<ChannelSnapshot> {
  const snapshot = await channel.load();
  // A sink that was done with all it has is done again: what it saved is from before that.
  const last = channel.last?.cause.kind === "done" ? channel.lastSeq - 1 : channel.lastSeq;
  if (snapshot !== undefined && snapshot.seq >= last) return snapshot;
  throw new QStreamError("NOT_RECOVERABLE", `what a channel of "${id}" has saved before a change of channels is gone`, {
    step: id,
    advice: "Go on with as many channels as before: the store may hold older states, and the log behind them",
  });
}
