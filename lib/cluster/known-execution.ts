import { deserialize, serialize } from "node:v8";
import type { KeptExecution } from "../core/contracts/coordination.ts";
import { errorToData, QStreamError, type ErrorData } from "../core/errors.ts";
import type { DriverHandle } from "./driver-process.ts";
import type { EncodedOutputs } from "./outputs.ts";
import type { FromClient, ListedExecution, PlainEvent, Submission, ToClient } from "./protocol.ts";
import type { Talk } from "./talk.ts";

export type Client = Talk<ToClient, FromClient>;

/** How an execution ended. */
export type End =
  | { readonly kind: "done"; readonly outputs: EncodedOutputs }
  | { readonly kind: "failed"; readonly error: ErrorData };

/** The same as a head remembers it: outputs are in Redis. */
export type KnownEnd = { readonly kind: "done" } | Extract<End, { readonly kind: "failed" }>;

/** An execution as its head knows it. */
export interface KnownExecution {
  readonly execution: string;
  readonly flow: string;
  /** Milliseconds since 1970. */
  readonly submittedAt: number;
  /** Undefined for one that had ended when this head began to lead. */
  readonly submission: Submission | undefined;
  driver: DriverHandle | undefined;
  /** Drivers that it has had. */
  drivers: number;
  /** Those of them that ended by themselves, on this head. */
  crashes: number;
  readonly clients: Set<Client>;
  /** What a client that comes later is told first: all but progress, and the latest progress. */
  readonly told: PlainEvent[];
  /** How much that is: an event may name each channel. */
  toldItems: number;
  progress: PlainEvent | undefined;
  status: ListedExecution["status"];
  /** Its driver has said how it ended; kept in Redis once `end` is there. */
  ending: boolean;
  end: KnownEnd | undefined;
  cancel: string | undefined;
  /** Runs while no client is there. */
  abandoned: (() => void) | undefined;
}

const toldItemsMax = 20_000;
const keptBytesMax = 64 * 2 ** 20;

export function newExecution(execution: string, submission: Submission, submittedAt: number): KnownExecution {
  return {
    execution,
    flow: submission.flow,
    submittedAt,
    submission,
    driver: undefined,
    drivers: 1,
    crashes: 0,
    clients: new Set(),
    told: [],
    toldItems: 0,
    progress: undefined,
    status: "running",
    ending: false,
    end: undefined,
    cancel: undefined,
    abandoned: undefined,
  };
}

/** What a head before this one has kept of an execution. */
export function keptExecution(kept: KeptExecution): KnownExecution {
  const { execution, flow, submittedAt, driver, cancel } = kept;
  const status = kept.status as ListedExecution["status"];
  const isRunning = status === "running";
  return {
    ...newExecution(execution, { flow } as Submission, submittedAt),
    submission: isRunning ? (deserialize(kept.submission) as Submission) : undefined,
    drivers: driver,
    status,
    ending: !isRunning,
    end: isRunning ? undefined : knownEnd(decodeEnd(kept.end)),
    cancel,
  };
}

/** An end as Redis keeps it, and how many bytes of outputs are too many for that: this head has to hold them. */
export function encodeEnd(end: End): { readonly bytes: Uint8Array; readonly bytesLeftOut: number } {
  const bytes = serialize(end);
  if (bytes.byteLength <= keptBytesMax) return { bytes, bytesLeftOut: 0 };
  const error = new QStreamError(
    "LIMIT_EXCEEDED",
    `the results have ${bytes.byteLength} bytes, too many to be kept for long, or for another head`,
    { advice: "Results of that size are for a file: write them with a sink, for example toParquet" },
  );
  const kept: End = { kind: "failed", error: errorToData(error) };
  return { bytes: serialize(kept), bytesLeftOut: bytes.byteLength };
}

/** @param bytes - what this head, or one before it, has kept */
export function decodeEnd(bytes: Uint8Array): End {
  return deserialize(bytes) as End;
}

export function knownEnd(end: End): KnownEnd {
  return end.kind === "done" ? { kind: "done" } : end;
}

export function statusOf(end: End): ListedExecution["status"] {
  if (end.kind === "done") return "done";
  return end.error.code === "ABORTED" ? "cancelled" : "failed";
}

export function listExecution(known: KnownExecution): ListedExecution {
  const { execution, flow, status, submittedAt, progress, end } = known;
  const metrics = progress !== undefined && "metrics" in progress ? progress.metrics : undefined;
  return {
    execution,
    flow,
    status,
    submittedAt,
    // Nobody asks where channels were, and there may be thousands.
    ...(metrics === undefined ? {} : { metrics: end === undefined ? metrics : { ...metrics, channels: [] } }),
    ...(end?.kind === "failed" ? { error: end.error.message } : {}),
  };
}

/** Remembers an event for clients that come later. */
export function remember(known: KnownExecution, event: PlainEvent): void {
  if (event.kind === "progress") {
    known.progress = event;
    return;
  }
  const items = itemsOf(event);
  if (known.toldItems + items > toldItemsMax) return;
  known.toldItems += items;
  known.told.push(event);
}

function itemsOf(event: PlainEvent): number {
  return Object.values(event).reduce((sum: number, value) => sum + (Array.isArray(value) ? value.length : 0), 1);
}

/** Tells a client all that has happened so far. */
export function tellAll({ execution, told, progress }: KnownExecution, client: Client): void {
  client.tell({ kind: "submitted", execution });
  for (const event of told) client.tell({ kind: "event", execution, event });
  if (progress !== undefined) client.tell({ kind: "event", execution, event: progress });
}

/** @param over - `held`: its outputs are nowhere but in this head's memory */
export function tellEnd(
  client: Client,
  { execution, end, held }: { readonly execution: string; readonly end: End; readonly held: boolean },
): void {
  try {
    client.tell({ ...end, execution, ...(held ? { held } : {}) });
  } catch (refused) {
    client.tell({ kind: "failed", execution, error: errorToData(refused) });
  }
}
