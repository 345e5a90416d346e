import type { Replicas } from "../core/contracts/reader.ts";
import type { SlotPlace } from "../core/placement-strategy.ts";

const prefix = "files:";
// A channel may read many files: the folders that most of its splits are in decide.
const nearMax = 32;

/** The tag of a machine that has the files below a folder. */
export function filesTag(folder: string): string {
  return `${prefix}${folder.length > 1 ? folder.replace(/\/+$/u, "") : folder}`;
}

/** Tags that a machine near to a split has: those that its reader names, and that of the folder of its file. */
function tagsOf({ file, tags = [] }: Replicas): string[] {
  return file === undefined ? [...tags] : [...tags, filesTag(file.slice(0, Math.max(1, file.lastIndexOf("/"))))];
}

/** True if a machine's tag says that it has what another tag names: the same, or a folder that it is in. */
function covers(own: string, wanted: string): boolean {
  if (own === wanted) return true;
  if (!own.startsWith(prefix) || !wanted.startsWith(prefix)) return false;
  return wanted.startsWith(own.endsWith("/") ? own : `${own}/`);
}

/** Tags of a machine that no other one has, nor any that covers them: what needs them, or is to be near to such files, can't go elsewhere. */
export function onlyTags(slots: readonly SlotPlace[], machine: string): string[] {
  const own = new Set(slots.flatMap((slot) => (slot.machine === machine ? slot.tags : [])));
  const others = new Set(slots.flatMap((slot) => (slot.machine === machine ? [] : slot.tags)));
  return [...own].filter((tag) => ![...others].some((other) => covers(other, tag)));
}

/** How much of what is wanted a slot's machine has: of each, any of some tags. */
export function nearnessOf(slot: SlotPlace, wanted: readonly (readonly string[])[]): number {
  return wanted.filter((tags) => isNear(slot, tags)).length;
}

function isNear(slot: SlotPlace, tags: readonly string[]): boolean {
  return tags.some((tag) => slot.tags.some((own) => covers(own, tag)));
}

/** Splits of a reader that is placed near its files, dealt to channels. */
export interface ChosenSplits {
  /** Channel of each split. */
  readonly channels: readonly number[];
  /** For each channel: what its splits want, any of some tags each; what most of them want comes first. */
  readonly near: readonly (readonly (readonly string[])[])[];
  /** Slot for each channel, as long as the slots are these. */
  readonly slots: readonly string[];
  /** Files, or tags, that no machine has. */
  readonly missing: readonly string[];
}

/**
 * Deals splits to channels on machines that have them, largest first, each to the channel that has least to read so far.
 *
 * @param perSlot - channels on each slot of a machine that has something
 * @param sizes - bytes of each split, or zeros
 */
export function chooseSplits(
  replicas: readonly Replicas[],
  sizes: readonly number[],
  slots: readonly SlotPlace[],
  perSlot: number,
): ChosenSplits {
  const wanted = replicas.map((split) => tagsOf(split));
  const nearby = wanted.map((tags) => slots.filter((slot) => isNear(slot, tags)));
  const isMissing = nearby.map((found) => found.length === 0);
  const isAnywhere = isMissing.length === 0 || isMissing.includes(true);
  const used = isAnywhere ? new Set(slots) : new Set(nearby.flat());
  const channelSlots = Array.from({ length: perSlot }, () => slots.filter((slot) => used.has(slot))).flat();
  const loads = channelSlots.map(() => ({ bytes: 0, splits: 0 }));
  const channels = new Array<number>(replicas.length).fill(0);
  const bySize = [...replicas.keys()].toSorted((left, right) => (sizes[right] ?? 0) - (sizes[left] ?? 0));
  for (const split of bySize) {
    const near = new Set(nearby[split]);
    let best = -1;
    channelSlots.forEach((slot, channel) => {
      if (near.size > 0 && !near.has(slot)) return;
      if (best < 0 || isLess(loads[channel], loads[best])) best = channel;
    });
    const load = loads[best];
    if (load === undefined) continue;
    channels[split] = best;
    load.bytes += sizes[split] ?? 0;
    load.splits++;
  }
  const missing = [...new Set(wanted.flatMap((tags, split) => (isMissing[split] === true ? tags.slice(-1) : [])))];
  const near = channelSlots.map((_, channel) => mostWanted(wanted.filter((__, split) => channels[split] === channel)));
  return { channels, near, slots: channelSlots.map(({ id }) => id), missing };
}

interface Load {
  bytes: number;
  splits: number;
}

function isLess(left: Load | undefined, right: Load | undefined): boolean {
  if (left === undefined || right === undefined) return false;
  return left.bytes === right.bytes ? left.splits < right.splits : left.bytes < right.bytes;
}

function mostWanted(wanted: readonly (readonly string[])[]): (readonly string[])[] {
  const counts = new Map<string, { readonly tags: readonly string[]; count: number }>();
  for (const tags of wanted) {
    if (tags.length === 0) continue;
    const known = counts.get(tags.join("\n"));
    if (known === undefined) counts.set(tags.join("\n"), { tags, count: 1 });
    else known.count++;
  }
  const sorted = [...counts.values()].toSorted((left, right) => right.count - left.count);
  return sorted.slice(0, nearMax).map(({ tags }) => tags);
}
