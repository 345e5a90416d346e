import type { AnyReference, StopOptions } from "../../lib/core/contracts/actor.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { checkOptionNames, namesOf } from "../../lib/core/option-names.ts";
import { checkReference, Reference } from "./reference.ts";

const optionNames = namesOf<StopOptions>({ afterMail: true });

/**
 * Refuses an order to stop that can't be followed.
 *
 * @throws QStreamError OPTION_INVALID, ACTOR_UNREACHABLE for an actor of another system
 */
export function checkStopOrder(
  actor: AnyReference,
  options: StopOptions | undefined,
): asserts actor is AnyReference & Reference {
  if (options !== undefined) checkOptionNames("stop()", options, optionNames);
  if (actor instanceof Reference) return;
  checkReference("stop()", actor);
  const what = `${actor.label} can't be stopped from here: it is of another system of actors`;
  throw new QStreamError("ACTOR_UNREACHABLE", what, { advice: "Tell it a message at which it stops itself" });
}
