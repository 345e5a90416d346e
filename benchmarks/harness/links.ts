import type { ChannelSummary, Execution, ExecutionMetrics } from "qstream";

/** What must have passed between two steps. */
export interface Passage {
  /** The producing step, or all of them where the consuming one has several inputs. */
  readonly from: string | readonly string[];
  readonly to: string;
  /** Objects that the consuming step must have been given, where that is known. */
  readonly objects?: number;
  /** Consuming channels that the partition function sends to; all of them unless told. */
  readonly channels?: readonly number[];
  /** True if both ends must be in different slots, so that everything was encoded and decoded. */
  readonly leavesSlot?: boolean;
}

/**
 * Makes sure that objects took the way that they take with many slots: as parcels, counted at both ends of every link, to
 * channels of their own. Throws if anything was fused across the partition function or left out.
 */
export function assertPassed(metrics: ExecutionMetrics | undefined, passage: Passage): void {
  if (metrics === undefined) throw new Error("the execution has no metrics");
  // A reader's channel that was dealt no split has nothing to send.
  const steps = [passage.from].flat();
  const producers = steps
    .flatMap((step) => channelsOf(metrics, step))
    .filter(({ metrics: counts }) => counts.parcelsIn + counts.splits > 0);
  const consumers = channelsOf(metrics, passage.to).filter(
    ({ channel }) => passage.channels?.includes(channel) !== false,
  );
  const sent = total(producers, "parcelsOut");
  const taken = total(consumers, "parcelsIn");
  const where = `between "${steps.join('", "')}" and "${passage.to}"`;
  if (sent === 0 || sent !== taken) throw new Error(`${sent} parcels were sent and ${taken} taken ${where}`);
  for (const { step, channel, metrics: counts } of [...producers, ...consumers]) {
    const parcels = steps.includes(step) ? counts.parcelsOut : counts.parcelsIn;
    if (parcels === 0) throw new Error(`no parcel passed channel ${channel} of "${step}"`);
    if (counts.tasks === 0) throw new Error(`channel ${channel} of "${step}" ran no task`);
  }
  const objects = total(consumers, "objectsIn");
  const expected = passage.objects ?? total(producers, "objectsOut");
  if (objects !== expected) throw new Error(`${objects} objects instead of ${expected} passed ${where}`);
  if (passage.leavesSlot === true) assertLeft(producers, consumers, where);
}

/** The outputs of an execution that has ended, after its links were looked at. */
export async function outputsOf<Outs>(
  execution: Promise<Execution<Outs>>,
  ...passages: readonly Passage[]
): Promise<Outs> {
  const running = await execution;
  const outputs = await running.outputs;
  for (const passage of passages) assertPassed(running.metrics, passage);
  return outputs;
}

function assertLeft(producers: readonly ChannelSummary[], consumers: readonly ChannelSummary[], where: string): void {
  const from = new Set(producers.map(({ slot }) => slot));
  if (consumers.some(({ slot }) => from.has(slot))) throw new Error(`both ends are in one slot ${where}`);
  if (total(producers, "bytesExchanged") === 0) throw new Error(`no bytes left a slot ${where}`);
}

function channelsOf(metrics: ExecutionMetrics, step: string): readonly ChannelSummary[] {
  const channels = metrics.channels.filter((channel) => channel.step === step);
  if (channels.length === 0) throw new Error(`no step "${step}" ran: it was fused, or has another id`);
  return channels;
}

function total(
  channels: readonly ChannelSummary[],
  count: "parcelsIn" | "parcelsOut" | "objectsIn" | "objectsOut" | "bytesExchanged",
): number {
  return channels.reduce((sum, { metrics }) => sum + metrics[count], 0);
}
