import { decodeSnapshot, type ChannelSnapshot } from "../../actors/channel/channel-snapshot.ts";
import { unpackCheckpoint } from "../../actors/lineage/checkpoint-bytes.ts";
import type { NumberedSplit } from "../../actors/channel/reader-work.ts";
import { offsetsOf } from "../../actors/slot/channel-work.ts";
import type { Cause } from "../core/contracts/lineage.ts";
import type { FencedChannel, LineageStore } from "../core/contracts/lineage-store.ts";
import { QStreamError } from "../core/errors.ts";
import { decodeRecord } from "../core/lineage/record-codec.ts";
import type { Graph, StepNode } from "./graph.ts";
import type { StoredFlow } from "./stored-flow.ts";

/** A channel of an execution that nobody runs any more, as the store has it. */
export interface EarlierChannel {
  readonly generation: number;
  /** Seq of its last task, or -1. */
  readonly lastSeq: number;
  readonly last: { readonly cause: Cause; readonly more: boolean } | undefined;
  /** Its splits, where it is a reader's. */
  readonly splits: readonly NumberedSplit[];
  /** True if it wants no more of its inputs. */
  readonly stopped: boolean;
  /** What it saved last: all of its state. */
  readonly load: () => Promise<ChannelSnapshot | undefined>;
}

/** Shuts out whoever runs an execution, and says how far its channels came, by step and channel. */
export async function earlierChannels(
  store: LineageStore,
  execution: string,
  { plan, splits }: StoredFlow,
): Promise<readonly (readonly EarlierChannel[])[]> {
  const offsets = offsetsOf(plan.steps);
  const count = plan.steps.reduce((sum, { channels }) => sum + channels, 0);
  const fenced = await store.fence(
    execution,
    Array.from({ length: count }, (_, number) => number),
  );
  const byNumber = new Map(fenced.map((channel) => [channel.channel, channel]));
  const splitsOf = new Map(splits);
  return Promise.all(
    plan.steps.map((step, index) =>
      Promise.all(
        Array.from({ length: step.channels }, (_, channel) => {
          const known = byNumber.get((offsets[index] ?? 0) + channel);
          if (known === undefined) throw new QStreamError("INTERNAL", `channel ${channel} of "${step.id}" is unknown`);
          return earlierChannel(store, execution, known, splitsOf.get(index)?.[channel] ?? []);
        }),
      ),
    ),
  );
}

async function earlierChannel(
  store: LineageStore,
  execution: string,
  { channel: number, generation, lastSeq, checkpoints }: FencedChannel,
  splits: readonly NumberedSplit[],
): Promise<EarlierChannel> {
  const load = async (): Promise<ChannelSnapshot | undefined> => {
    const seq = checkpoints.at(-1);
    const bytes = seq === undefined ? undefined : await store.loadCheckpoint(execution, number, seq);
    return bytes && decodeSnapshot(unpackCheckpoint(bytes).state);
  };
  const [read] = lastSeq < 0 ? [] : await store.read(execution, number, lastSeq - 1, 1);
  const last = read && decodeRecord(read.record);
  // The first record after an earlier change of channels is freed, and the checkpoint says what it would.
  const ended = last === undefined && lastSeq >= 0 ? (await load())?.ended : undefined;
  const stopped = last?.cause.kind === "stop" || ended === "stopped";
  return { generation, lastSeq, last, splits, stopped, load };
}

/** Steps whose channels have all come to their ends without their inputs having to: readers, and those that want no more. */
export function endedSteps(graph: Graph, channels: readonly (readonly EarlierChannel[])[]): ReadonlySet<StepNode> {
  const ended = graph.steps.filter(({ code }, index) => {
    if (code.kind === "sink") return false;
    return channels[index]?.every((channel) => channel.stopped || (code.kind === "reader" && isExhausted(channel)));
  });
  return new Set(ended);
}

function isExhausted({ splits, last }: EarlierChannel): boolean {
  if (splits.length === 0) return true;
  return last?.cause.kind === "read" && !last.more && last.cause.split === splits.at(-1)?.index;
}
