import type { PlacementStrategy } from "../core/placement-strategy.ts";
import { QStreamError } from "../core/errors.ts";

export { channelsOf, placeChannels, type Places } from "./place-channels.ts";

/** One channel, on any one slot. */
export function single(): PlacementStrategy {
  return { kind: "single" };
}

/** `channels` channels on every slot (default 1). */
export function perSlot(channels = 1): PlacementStrategy {
  return { kind: "per-slot", channels: checked(channels, "perSlot") };
}

/** `channels` channels on every machine (default 1). */
export function perMachine(channels = 1): PlacementStrategy {
  return { kind: "per-machine", channels: checked(channels, "perMachine") };
}

/** `channels` channels on every slot of the machines that carry a tag (default 1). */
export function tagged(tag: string, channels = 1): PlacementStrategy {
  return { kind: "tagged", tag, channels: checked(channels, "tagged") };
}

/** Channels where the data of the reader's dataset is, one for each slot that holds some. */
export function withData(): PlacementStrategy {
  return { kind: "with-data" };
}

function checked(channels: number, name: string): number {
  if (Number.isInteger(channels) && channels >= 1 && channels <= 65536) return channels;
  throw new QStreamError(
    "OPTION_INVALID",
    `${name}(${channels}): a number of channels is a whole number from 1 to 65536`,
  );
}
