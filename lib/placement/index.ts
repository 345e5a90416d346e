import type { Needs, PlacementStrategy } from "../core/placement-strategy.ts";
import { QStreamError } from "../core/errors.ts";

export { channelsOf, nothingFits, placeChannels, type Places } from "./place-channels.ts";
export { chooseSplits, filesTag, nearnessOf, onlyTags, type ChosenSplits } from "./nearness.ts";
export { edgeSizes, type StepBytes } from "./edge-sizes.ts";
export { isMissing, missingPlace, type MissingPlace } from "./missing.ts";
export { placeAgain, type AgainInput, type LiveChannel } from "./place-again.ts";
export { placePlan, type PlanPlaces } from "./place-plan.ts";
export { imbalanceOf, planRebalance, type Move, type RebalanceInput } from "./rebalance.ts";
export { whyThere } from "./why.ts";

/** One channel, on any one slot. */
export function single(): PlacementStrategy {
  return { kind: "single" };
}

/** `channels` channels on every slot (default 1). */
export function perSlot(channels = 1): PlacementStrategy {
  return { kind: "per-slot", channels: checked(channels, "perSlot") };
}

/**
 * `channels` channels on every machine (default 1).
 *
 * @param needs - how many machines there have to be, and whether a cluster is to wait for them
 */
export function perMachine(channels = 1, needs: Needs = {}): PlacementStrategy {
  return { kind: "per-machine", channels: checked(channels, "perMachine"), ...checkedNeeds(needs, "perMachine") };
}

/**
 * `channels` channels on every slot of the machines that carry a tag (default 1).
 *
 * @param needs - how many such machines there have to be (default 1), and whether a cluster is to wait for them
 * @example q.apply("train", { rows }, () => new Train(), { place: tagged("gpu", 1, { whenMissing: "wait" }) })
 */
export function tagged(tag: string, channels = 1, needs: Needs = {}): PlacementStrategy {
  return { kind: "tagged", tag, channels: checked(channels, "tagged"), ...checkedNeeds(needs, "tagged") };
}

/** Channels where the data of the reader's dataset is, one for each slot that holds some. */
export function withData(): PlacementStrategy {
  return { kind: "with-data" };
}

/**
 * A reader's channels near to what they read: each on a machine that has a replica of the files of its splits, which machines
 * say by `qstream worker --has FOLDER`, and readers of one's own by `replicas`. `channels` (default 1) on each slot of such machines.
 *
 * @param options.whenMissing - for files that no machine has: `anywhere` (default) reads them over the network, from wherever
 * the path leads; `fail` and `wait` want each file to be on a machine
 * @example q.read("lines", lines("/data/books/*.txt"), { place: nearFiles() })
 */
export function nearFiles(
  options: {
    readonly channels?: number;
    readonly whenMissing?: "anywhere" | "fail" | "wait";
    readonly waitMs?: number;
  } = {},
): PlacementStrategy {
  const { channels = 1, whenMissing, waitMs } = options;
  checkedNeeds(waitMs === undefined ? {} : { waitMs }, "nearFiles");
  checkChoice("nearFiles", whenMissing, ["anywhere", "fail", "wait"]);
  return {
    kind: "near-files",
    channels: checked(channels, "nearFiles"),
    ...(whenMissing === undefined ? {} : { whenMissing }),
    ...(waitMs === undefined ? {} : { waitMs }),
  };
}

/**
 * Keeps channels apart, so that one lost machine takes one of them, or that two greedy steps don't share one. Without `from`: the
 * step's own channels, each on a machine of its own. With `from`: all of them on machines that have no channel of those steps.
 *
 * @param options.from - ids of the other steps
 * @param options.channels - how many; one a machine that they may be on, unless told
 * @param options.by - `slot` keeps them on different slots only. Default `machine`
 * @example q.apply("index", { rows }, () => new Index(), { place: apart({ channels: 3, whenMissing: "wait" }) })
 */
export function apart(
  options: {
    readonly from?: string | readonly string[];
    readonly channels?: number;
    readonly by?: "machine" | "slot";
  } & Omit<Needs, "machines"> = {},
): PlacementStrategy {
  const { from = [], channels, by = "machine", ...needs } = options;
  checkChoice("apart", by, ["machine", "slot"]);
  return {
    kind: "apart",
    from: typeof from === "string" ? [from] : [...from],
    by,
    // Zero: as many as there are places.
    channels: channels === undefined ? 0 : checked(channels, "apart"),
    ...checkedNeeds(needs, "apart"),
  };
}

function checked(channels: number, name: string): number {
  if (Number.isInteger(channels) && channels >= 1 && channels <= 65536) return channels;
  throw new QStreamError(
    "OPTION_INVALID",
    `${name}(${channels}): a number of channels is a whole number from 1 to 65536`,
  );
}

function checkedNeeds(needs: Needs, name: string): Needs {
  const { machines, whenMissing, waitMs } = needs;
  checkChoice(name, whenMissing, ["fail", "wait"]);
  for (const [option, value] of Object.entries({ machines, waitMs })) {
    if (value === undefined || (Number.isSafeInteger(value) && value >= 1)) continue;
    throw new QStreamError("OPTION_INVALID", `${name}: ${option} is ${value}, and not a whole number from 1 on`);
  }
  return {
    ...(machines === undefined ? {} : { machines }),
    ...(whenMissing === undefined ? {} : { whenMissing }),
    ...(waitMs === undefined ? {} : { waitMs }),
  };
}

function checkChoice(name: string, value: string | undefined, choices: readonly string[]): void {
  if (value === undefined || choices.includes(value)) return;
  throw new QStreamError("OPTION_INVALID", `${name}: "${value}" is none of ${choices.join(", ")}`);
}
