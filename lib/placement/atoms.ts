import type { Plan } from "../core/plan.ts";
import { pairsOf, passesOn } from "./peers.ts";

/** Number of the first channel of each step. */
export function offsetsOf(plan: Plan): number[] {
  const offsets: number[] = [];
  let channels = 0;
  for (const step of plan.steps) {
    offsets.push(channels);
    channels += step.channels;
  }
  return offsets;
}

/** Index of the step of each channel, by its number. */
export function stepsOf(plan: Plan): number[] {
  return plan.steps.flatMap((step, index) => new Array<number>(step.channels).fill(index));
}

/**
 * Channels that are placed as one: those of a step that goes with another, and those that an edge passes straight on, channel to
 * channel. Steps of one channel aren't among the latter, since a slot each is what lets them work at the same time.
 *
 * @param channels - those to be placed, by number
 * @param together - false for two channels that may as well be apart
 */
export function atomsOf(
  plan: Plan,
  channels: readonly number[],
  together: (left: number, right: number) => boolean = () => true,
): number[][] {
  const parent = new Map(channels.map((channel) => [channel, channel]));
  const rootOf = (channel: number): number => {
    let root = channel;
    for (let up = parent.get(root); up !== undefined && up !== root; up = parent.get(root)) root = up;
    return root;
  };
  const join = (left: number, right: number): void => {
    if (!parent.has(left) || !parent.has(right) || !together(left, right)) return;
    parent.set(rootOf(right), rootOf(left));
  };
  const offsets = offsetsOf(plan);
  plan.steps.forEach(({ placement, channels: count }, step) => {
    if (placement.kind !== "with-step") return;
    for (let index = 0; index < count; index++) {
      join((offsets[placement.step] ?? 0) + index, (offsets[step] ?? 0) + index);
    }
  });
  plan.edges.forEach(({ from, to, partition }, edge) => {
    const count = plan.steps[from]?.channels ?? 0;
    const isAligned = partition.kind === "pass-through" && count > 1 && count === plan.steps[to]?.channels;
    if (!isAligned || !passesOn(plan, edge)) return;
    for (const [left, right] of pairsOf(plan, edge)) join((offsets[from] ?? 0) + left, (offsets[to] ?? 0) + right);
  });
  const atoms = new Map<number, number[]>();
  for (const channel of channels) {
    const root = rootOf(channel);
    const atom = atoms.get(root);
    if (atom === undefined) atoms.set(root, [channel]);
    else atom.push(channel);
  }
  return [...atoms.values()];
}
