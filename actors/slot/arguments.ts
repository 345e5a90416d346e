import { loadBatches, representationOf } from "../../lib/core/batch/index.ts";
import { decodeObjects, encodeObjects } from "../../lib/core/codec/index.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import type { Payload } from "../../lib/core/payload.ts";
import { arrivingIn, leavingSystem } from "../system/distant/reference-codec.ts";

/** A flow's arguments as they travel: objects as one payload, Arrow tables and Polars frames among them by name. */
export interface EncodedArguments {
  readonly plain: Payload;
  readonly batches: readonly (readonly [string, Payload])[];
}

/** Encodes arguments for every slot. What can't travel is ARGUMENT_CANNOT_TRAVEL. */
export async function encodeArguments(args: unknown): Promise<EncodedArguments> {
  const plain: Record<string, unknown> = {};
  const batches: [string, Payload][] = [];
  for (const [name, value] of Object.entries(args ?? {})) {
    if (representationOf(value) === undefined) plain[name] = value;
    else batches.push([name, (await loadBatches()).encode(value)]);
  }
  try {
    return { plain: leavingSystem(() => encodeObjects([plain])), batches };
  } catch (error) {
    throw new QStreamError(
      "ARGUMENT_CANNOT_TRAVEL",
      `an argument of the flow can't travel to its slots: ${(error as Error).message}`,
      {
        advice: "Arguments are data; put functions into the flow's module and pass what they depend on",
        cause: error,
      },
    );
  }
}

/** @param slot - to which they came; references to actors among them go by the node that is there */
export async function decodeArguments(encoded: unknown, slot?: string): Promise<unknown> {
  const { plain, batches } = encoded as EncodedArguments;
  const args = arrivingIn(slot, () => decodeObjects(plain))[0] as Record<string, unknown>;
  for (const [name, payload] of batches) args[name] = (await loadBatches()).decode(payload);
  return args;
}
