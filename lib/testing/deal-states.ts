import type { OperatorDefinition } from "../core/contracts/operator.ts";
import { dealState } from "../core/deal.ts";

/**
 * Deals the states of a step's channels to another number of channels, by the operator's `deal`.
 *
 * @param definition - the step's operator
 * @param states - what `snapshot` gave in each channel
 * @param channels - how many there are to be
 * @returns the state of each new channel; undefined for one that begins with none
 * @throws QStreamError UNSUPPORTED for an operator without `deal`, and for keys that `hash` sends to other channels
 * @example
 * const dealt = await dealStates(definition, [channels[0].snapshot(), channels[1].snapshot()], 3);
 */
export function dealStates<State>(
  definition: Pick<OperatorDefinition<never, never, State>, "kind" | "deal">,
  states: readonly State[],
  channels: number,
): Promise<(State | undefined)[]> {
  return Promise.all(
    Array.from({ length: channels }, (_, channel) =>
      dealState(definition, (from) => states[from] as State, { before: states.length, channels, channel }),
    ),
  );
}
