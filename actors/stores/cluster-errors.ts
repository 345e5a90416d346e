import { QStreamError } from "../../lib/core/errors.ts";

/** A write of a head that doesn't lead (any more). */
export function headDeposed(): QStreamError {
  return new QStreamError("HEAD_DEPOSED", "another head leads the cluster by now", {
    advice: "Nothing is to be done: it goes on with what this one had begun",
  });
}

/** An execution whose code isn't kept. */
export function bundleGone(): QStreamError {
  return new QStreamError("FLOW_NOT_FOUND", "the code of the flow isn't here (any more)", {
    advice: "Submit it again",
  });
}
