import { decodeSnapshot } from "../../../actors/channel/channel-snapshot.ts";
import type { PlannedStep } from "../../core/plan.ts";
import type { ChannelHistory } from "./log-history.ts";

/**
 * Looks whether a saved state takes for ended just the inputs whose ends its channel had taken by then. A life that begins with one
 * too many takes nothing more from it, and says that it is done.
 *
 * @returns what is wrong, if anything is
 */
export function wrongEnds(
  state: Uint8Array,
  seq: number,
  step: PlannedStep | undefined,
  history: ChannelHistory,
): string | undefined {
  // Readers have no inputs; and it takes time to read a state.
  if (step === undefined || step.inputs.length === 0) return undefined;
  const ended = history.endedInputs(seq);
  if (ended === undefined) return undefined;
  const { inputs } = decodeSnapshot(state);
  for (const [index, { name }] of step.inputs.entries()) {
    const done = inputs[index]?.done === true;
    if (done === ended.has(name)) continue;
    return done ? `takes input "${name}" for ended, which it isn't` : `doesn't have it that input "${name}" had ended`;
  }
  return undefined;
}
