import { QStreamError } from "../core/errors.ts";
import { checkOptionNames, namesOf } from "../core/option-names.ts";
import type { SimulationOptions } from "../testing/simulation/index.ts";

/** What `qstream simulate` takes as JSON, as it has no words for it. */
export interface SimulateSettings extends Omit<
  SimulationOptions,
  "seed" | "faults" | "slots" | "store" | "attempts" | "traceLines" | "onTask"
> {
  readonly store?: "none";
  /** Arguments of the flow that aren't texts, where it doesn't say what they are. */
  readonly args?: object;
}

const settingNames = namesOf<SimulateSettings>({
  args: true,
  atOnce: true,
  checkpointEveryMs: true,
  faultsMax: true,
  faultsWithinMs: true,
  finishWithinMs: true,
  invariants: true,
  leaseMs: true,
  limits: true,
  machines: true,
  rebalances: true,
  rescales: true,
  store: true,
  strict: true,
  taskMs: true,
  verifyReplay: true,
  wholeCheckpoints: true,
});

/** Reads what is given as --settings: what is wrong with it is OPTION_INVALID. */
export function readSettings(text: string): SimulateSettings {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch (cause) {
    throw new QStreamError("OPTION_INVALID", `--settings ${text} isn't JSON`, { cause });
  }
  checkOptionNames("--settings", read, settingNames);
  return read as SimulateSettings;
}
