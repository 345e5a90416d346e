// What a history means, written down as plainly as can be: every order is tried. For six calls that is quick enough.
import {
  unknownResult,
  type MaybeResult,
  type Model,
  type RecordedCall,
} from "../../../../lib/testing/history/index.ts";

/** Which calls have to come before which. */
export type Promised = "real time" | "client" | "any";

/** True if some order of all calls that were ok, and of some of those that are unknown, gives every result. */
export function hasOrder<State, Operation, Result>(
  calls: readonly RecordedCall<Operation, Result>[],
  model: Model<State, Operation, Result>,
  promised: Promised,
): boolean {
  const fromHere = (state: State, left: readonly RecordedCall<Operation, Result>[]): boolean => {
    if (left.every(({ outcome }) => outcome !== "ok")) return true;
    return left.some((call) => {
      if (left.some((other) => other.outcome === "ok" && other !== call && isBefore(other, call, promised)))
        return false;
      const result: MaybeResult<Result> = call.outcome === "ok" ? call.result : unknownResult;
      const others = left.filter((other) => other !== call);
      return model.step(state, call.operation, result).some((after) => fromHere(after, others));
    });
  };
  return fromHere(
    model.init,
    calls.filter(({ outcome }) => outcome !== "fail"),
  );
}

function isBefore(
  one: RecordedCall<unknown, unknown>,
  other: RecordedCall<unknown, unknown>,
  promised: Promised,
): boolean {
  if (promised === "any") return false;
  if (promised === "real time") return one.endedAt < other.invokedAt;
  return one.client === other.client && one.invokedAt < other.invokedAt;
}
