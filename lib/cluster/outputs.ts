import type { ExecutionEvent } from "../../actors/scheduler/execution-events.ts";
import { loadBatches, representationOf } from "../core/batch/index.ts";
import { decodeObjects, encodeObjects } from "../core/codec/index.ts";
import { errorFromData, errorToData, QStreamError } from "../core/errors.ts";
import type { Payload } from "../core/payload.ts";
import type { PlainEvent } from "./protocol.ts";

/** The outputs of a flow as they travel, by name. */
export type EncodedOutputs = readonly (readonly [string, EncodedOutput])[];

export interface EncodedOutput {
  /** One value, as the only object of a payload; one batch; an array of objects; an array of batches. */
  readonly kind: "value" | "batch" | "objects" | "batches";
  readonly payloads: readonly Payload[];
}

/** Bytes that all outputs of an execution together may have on their way from a cluster to its client. */
export const outputBytesMax = 128 * 2 ** 20;

// Small enough that a result which is too large is found before all of it has been encoded.
const chunkObjects = 1 << 14;

/**
 * Encodes the outputs of a flow for the process that asked for them.
 *
 * @throws QStreamError COLLECT_LIMIT naming the output that is too large, CANNOT_TRAVEL
 */
export async function encodeOutputs(
  outputs: Readonly<Record<string, unknown>>,
  bytesMax: number = outputBytesMax,
): Promise<EncodedOutputs> {
  const encoded: [string, EncodedOutput][] = [];
  let bytesLeft = bytesMax;
  for (const [name, value] of Object.entries(outputs)) {
    const payloads: Payload[] = [];
    // oxlint-disable-next-line no-await-in-loop -- the library is loaded once
    const { kind, parts } = await partsOf(value);
    for (const payload of parts) {
      bytesLeft -= payload.bytes.byteLength;
      if (bytesLeft < 0) throw tooLarge(name, bytesMax);
      payloads.push(payload);
    }
    encoded.push([name, { kind, payloads }]);
  }
  return encoded;
}

function tooLarge(name: string, bytesMax: number): QStreamError {
  return new QStreamError(
    "COLLECT_LIMIT",
    `output "${name}" is too large for a client of a cluster: all outputs together may have ${bytesMax} bytes`,
    { advice: "Write results of that size to files: toParquet, toCsv and the other sinks run where the data is" },
  );
}

async function partsOf(
  value: unknown,
): Promise<{ readonly kind: EncodedOutput["kind"]; readonly parts: Iterable<Payload> }> {
  const objects: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (representationOf(objects[0]) === undefined) {
    if (!Array.isArray(value)) return { kind: "value", parts: [encodeObjects([value])] };
    return { kind: "objects", parts: chunksOf(objects) };
  }
  const batches = await loadBatches();
  return {
    kind: Array.isArray(value) ? "batches" : "batch",
    parts: objects.map((batch) => batches.encode(batch)),
  };
}

function* chunksOf(objects: readonly unknown[]): Generator<Payload, void> {
  for (let from = 0; from < objects.length; from += chunkObjects) {
    yield encodeObjects(objects.slice(from, from + chunkObjects));
  }
}

/** @throws QStreamError CANNOT_TRAVEL where a class's codec isn't here, FRAME_INVALID */
export async function decodeOutputs(encoded: EncodedOutputs): Promise<Record<string, unknown>> {
  const outputs: Record<string, unknown> = {};
  for (const [name, { kind, payloads }] of encoded) {
    if (kind === "value" || kind === "objects") {
      const objects = payloads.flatMap((payload) => decodeObjects(payload));
      outputs[name] = kind === "value" ? objects[0] : objects;
    } else {
      // oxlint-disable-next-line no-await-in-loop -- the library is loaded once
      const support = await loadBatches();
      const batches = payloads.map((payload) => support.decode(payload));
      outputs[name] = kind === "batch" ? batches[0] : batches;
    }
  }
  return outputs;
}

/** An event as data: an error loses its class where it is cloned. */
export function plainEvent(event: ExecutionEvent): PlainEvent {
  if (!("error" in event) || !(event.error instanceof Error)) return event as PlainEvent;
  const { error, ...rest } = event;
  return { kind: "with-error", event: rest, error: errorToData(error) };
}

export function eventFrom(plain: PlainEvent): ExecutionEvent {
  if (plain.kind !== "with-error") return plain;
  return { ...plain.event, error: errorFromData(plain.error) } as ExecutionEvent;
}
