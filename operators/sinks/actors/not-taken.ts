import type { AnyReference } from "../../../lib/core/contracts/actor.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import { shown } from "../../../lib/core/shown.ts";

/** The error of an object that an actor didn't take: says who, what and which. */
export function notTaken(error: unknown, to: AnyReference, name: string, payload: unknown): QStreamError {
  const object = shown(payload);
  if (!(error instanceof QStreamError)) {
    const what = `${to.label} failed at "${name}" with ${object}: ${textOf(error)}`;
    return new QStreamError("STEP_FAILED", what, { cause: error });
  }
  if (error.code === "ACTOR_STOPPED" && error.cause !== undefined) {
    const what = `${to.label} failed, and didn't take "${name}" with ${object}: ${textOf(error.cause)}`;
    return new QStreamError("STEP_FAILED", what, { cause: error.cause });
  }
  const advice = error.code === "ACTOR_STOPPED" ? endedAdvice : error.code === "ASK_TIMEOUT" ? lateAdvice : undefined;
  return new QStreamError(error.code, `${to.label} didn't take "${name}" with ${object}: ${error.message}`, {
    ...(advice === undefined ? {} : { advice }),
    cause: error,
  });
}

const endedAdvice =
  "An actor that a flow sends to has to outlive it: end it after the flow, or send to an entity, which goes on elsewhere when its slot is lost";
const lateAdvice = "Give a slow actor fewer messages at once (`inFlight`), or more time (`timeoutMs`)";

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
