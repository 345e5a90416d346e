import { QStreamError } from "../../lib/core/errors.ts";

/** Throws where user code sets timers that nobody would be told of, or that replay wouldn't set again. */
export function refuseTimers(hasOnTimer: boolean, inside: boolean): void {
  if (!hasOnTimer) {
    throw new QStreamError("OPTION_INVALID", "a timer is set, and nothing is there to call when it goes off", {
      advice: "Give the operator onTimer(name, ctx). Readers and sinks have no timers",
    });
  }
  if (inside) return;
  throw new QStreamError(
    "UNSUPPORTED",
    "a timer is set or cleared between two tasks, where replay wouldn't do it again",
    {
      advice:
        "Set it before execute, inputDone or onTimer returns, or what they return has ended: wait for promises in them",
    },
  );
}

/** The error of an operator that goes on with timers and has nothing to call: other code than what had set them. */
export function nobodyToTell(name: string): QStreamError {
  // Older checkpoints are of no use either: who recovers tells that by the cause.
  const cause = new QStreamError("CODE_CHANGED", "the operator that set the timer had onTimer(name, ctx)");
  return new QStreamError("NOT_RECOVERABLE", `the timer "${name}" is pending, and the operator has no onTimer`, {
    advice:
      "Give it onTimer(name, ctx) again, or go on with the code that the execution was started with; or run the flow from its start",
    cause,
  });
}
