import { loadedBatches, representationOf } from "../../core/batch/index.ts";
import type { PartitionFunction } from "../../core/contracts/partition.ts";
import { invariant } from "../../core/errors.ts";
import { keyedRandom } from "../../core/seam/random.ts";
import type { Draw } from "./draw-order.ts";
import type { Unit } from "./units.ts";

/** Partition functions by input. */
// oxlint-disable-next-line typescript/no-explicit-any -- of any objects
export type Partitions = Readonly<Record<string, PartitionFunction<any>>>;

/** Says which units of an input each channel gets. */
export interface Deals {
  readonly deal: (input: string, units: readonly Unit[], draw: Draw) => readonly (readonly Unit[])[];
  /** Whether it can be dealt otherwise to as many channels. */
  readonly varies: boolean;
}

// To so many channels objects are dealt by key, and from there to those that there are, in any way.
const virtualChannels = 64;
// Keeps these numbers apart from those of other parts of a draw.
const ofPartitioning = 8;

/**
 * Deals units by partition functions. Equal keys meet, whichever channel it is; those that promise nothing deal in any way.
 */
export function dealsBy(partitions: Partitions): Deals {
  const kinds = new Set(Object.values(partitions).map(({ kind }) => kind));
  return {
    varies: [...kinds].some((kind) => kind !== "custom" && kind !== "broadcast"),
    deal: (input, units, { channels, partitioning }) => {
      const partition = partitions[input];
      const dealt = Array.from({ length: channels }, (): Unit[] => []);
      if (partition === undefined || channels === 1) return [units, ...dealt.slice(1)];
      const isByKey = partition.kind === "hash" || partition.kind === "range";
      const isAny = partition.kind === "round-robin" || partition.kind === "pass-through";
      const wide = isByKey && partitioning !== 0;
      const router = partition.router({ from: 0, producers: 1, channels: wide ? virtualChannels : channels });
      const random = keyedRandom(partitioning, ofPartitioning);
      const place = Array.from({ length: virtualChannels }, () => Math.floor(random() * channels));
      for (const [seq, unit] of units.entries()) {
        const targets = isAny
          ? [partitioning === 0 ? seq % channels : Math.floor(random() * channels)]
          : routed(router, unit, wide ? virtualChannels : channels, seq);
        for (const target of targets) dealt[wide ? (place[target] ?? 0) : target]?.push(unit);
      }
      return dealt;
    },
  };
}

/** The channels that one unit goes to. */
function routed(
  router: ReturnType<PartitionFunction<unknown>["router"]>,
  { object }: Unit,
  channels: number,
  seq: number,
): readonly number[] {
  const task = { seq, random: keyedRandom(seq, ofPartitioning) };
  const all = Array.from({ length: channels }, (_, channel) => channel);
  if (representationOf(object) === undefined) {
    const targets = all.map((): unknown[] => []);
    const decided = router.objects([object], targets, task);
    if (decided === "all") return all;
    return typeof decided === "number" ? [decided] : all.filter((channel) => (targets[channel]?.length ?? 0) > 0);
  }
  const support = loadedBatches();
  invariant(support !== undefined, "the support for batches is loaded before rows are taken apart");
  const channelOfRow = new Uint16Array(1);
  const decided = router.batch(support.view(object), channelOfRow, task);
  if (decided === "all") return all;
  if (typeof decided === "number") return [decided];
  return decided === undefined ? [channelOfRow[0] ?? 0] : decided.map(([channel]) => channel);
}
