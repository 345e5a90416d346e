import { deserialize, serialize } from "node:v8";
import type { ExecutionMetrics } from "../../actors/scheduler/execution-events.ts";
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

/** The same as Redis keeps it, with what the execution did. */
type KeptEnd = End & { readonly name?: string; readonly metrics?: ExecutionMetrics };

/** The same as a head remembers it: outputs are in Redis. */
export type KnownEnd = { readonly kind: "done" } | Extract<End, { readonly kind: "failed" }>;

/** An execution as its head knows it. */
export interface KnownExecution {
  /** The name that it was submitted under. */
  readonly execution: string;
  /** What it is called, and its lineage is kept under: since it got other channels, another name. */
  name: string;
  /** False while a driver is to give it other channels. */
  isNamed: boolean;
  readonly flow: string;
  /** Milliseconds since 1970. */
  readonly submittedAt: number;
  /** Undefined for one that had ended when this head began to lead. */
  readonly submission: Submission | undefined;
  driver: DriverHandle | undefined;
  /** Drivers that it has had. */
  drivers: number;
  /** Number of the one with which it began, or was gone on with. */
  readonly firstDriver: number;
  /** Of one that keeps no lineage: machines have heard of it, and may have done something. */
  begun: boolean;
  /** Why a driver couldn't go on with it, though another one may. */
  trouble: ErrorData | undefined;
  /** Those of them that ended by themselves, on this head. */
  crashes: number;
  /** Runs until another one follows. */
  pause: (() => void) | undefined;
  readonly clients: Set<Client>;
  /** What a client that comes later is told first: all but progress, and the latest progress. */
  readonly told: PlainEvent[];
  /** How much that is: an event may name each channel. */
  toldItems: number;
  progress: PlainEvent | undefined;
  /** The latest that is known of what it did. */
  metrics: ExecutionMetrics | undefined;
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

export function newExecution(
  execution: string,
  submission: Submission,
  submittedAt: number,
  driver = 1,
): KnownExecution {
  const { resume } = submission;
  return {
    execution,
    name: resume?.execution ?? execution,
    isNamed: resume?.rescale === undefined,
    flow: submission.flow,
    submittedAt,
    submission,
    driver: undefined,
    drivers: driver,
    firstDriver: driver,
    begun: false,
    trouble: undefined,
    crashes: 0,
    pause: undefined,
    clients: new Set(),
    told: [],
    toldItems: 0,
    progress: undefined,
    metrics: undefined,
    status: "running",
    ending: false,
    end: undefined,
    cancel: undefined,
    abandoned: undefined,
  };
}

/** What a head before this one has kept of an execution. */
export function keptExecution(kept: KeptExecution): KnownExecution {
  const { execution, flow, submittedAt, driver, begun, cancel } = kept;
  const status = kept.status as ListedExecution["status"];
  if (status === "running") {
    const submission = deserialize(kept.submission) as Submission;
    return { ...newExecution(execution, submission, submittedAt), drivers: driver, begun, cancel };
  }
  const { name = execution, metrics, end } = decodeKept(kept.end);
  return {
    ...newExecution(execution, { flow } as Submission, submittedAt),
    name,
    submission: undefined,
    drivers: driver,
    metrics,
    status,
    ending: true,
    end: knownEnd(end),
    cancel,
  };
}

/** An end as Redis keeps it, and how many bytes of outputs are too many for that: this head has to hold them. */
export function encodeEnd(
  end: End,
  { execution, name, metrics }: KnownExecution,
): { readonly bytes: Uint8Array; readonly bytesLeftOut: number } {
  const beside = {
    ...(name === execution ? {} : { name }),
    // Nobody asks where channels were, and there may be thousands.
    ...(metrics === undefined ? {} : { metrics: { ...metrics, channels: [] } }),
  };
  const bytes = serialize({ ...end, ...beside } satisfies KeptEnd);
  if (bytes.byteLength <= keptBytesMax) return { bytes, bytesLeftOut: 0 };
  const error = new QStreamError(
    "LIMIT_EXCEEDED",
    `the results have ${bytes.byteLength} bytes, too many to be kept for long, or for another head`,
    { advice: "Results of that size are for a file: write them with a sink, for example toParquet" },
  );
  const kept: KeptEnd = { kind: "failed", error: errorToData(error), ...beside };
  return { bytes: serialize(kept), bytesLeftOut: bytes.byteLength };
}

/** @param bytes - what this head, or one before it, has kept */
export function decodeEnd(bytes: Uint8Array): End {
  return decodeKept(bytes).end;
}

function decodeKept(bytes: Uint8Array): Pick<KeptEnd, "name" | "metrics"> & { readonly end: End } {
  const { name, metrics, ...end } = deserialize(bytes) as KeptEnd;
  return { ...(name === undefined ? {} : { name }), ...(metrics === undefined ? {} : { metrics }), end };
}

export function knownEnd(end: End): KnownEnd {
  return end.kind === "done" ? { kind: "done" } : end;
}

export function statusOf(end: End): ListedExecution["status"] {
  if (end.kind === "done") return "done";
  return end.error.code === "ABORTED" ? "cancelled" : "failed";
}

/** The end of one whose driver has ended, and that nobody can go on with. */
export function lostForGood(): End {
  const what =
    'it ran with the store "none", and its driver, or the head, ended: without lineage nobody can go on with it';
  const error = new QStreamError("EXECUTION_FAILED", what, {
    advice:
      "Run it again: without that option lineage is in the store of the cluster, and another driver goes on with it",
  });
  return { kind: "failed", error: errorToData(error) };
}

// Drivers of one execution that may end by themselves.
const crashesMax = 4;

/**
 * Milliseconds until another driver follows one that ended by itself; undefined where that was too often. The first one does at once;
 * then the head may have to find out first which machines are gone, and others may have to join.
 *
 * @param crashes - drivers that did so, with this one
 */
export function pauseBefore(crashes: number, leaseMs: number): number | undefined {
  if (crashes > crashesMax) return undefined;
  return crashes === 1 ? 0 : leaseMs * 2 ** (crashes - 3);
}

export function endPause(known: KnownExecution): void {
  known.pause?.();
  known.pause = undefined;
}

export function executionUnknown(execution: string): QStreamError {
  return new QStreamError("EXECUTION_UNKNOWN", `the cluster has no execution ${execution}`, {
    advice: "qstream ps lists those that it has",
  });
}

/** The cluster knows that an execution is done, and has its outputs no more. */
export function outputsGone(execution: string): QStreamError {
  return new QStreamError("EXECUTION_UNKNOWN", `execution ${execution} is done, and its outputs aren't kept any more`, {
    advice: "Run it again; what is to be there for long is for files: toParquet, toCsv",
  });
}

export function listExecution(known: KnownExecution): ListedExecution {
  const { name: execution, flow, submittedAt, driver, end, metrics } = known;
  const status = driver?.waits === true ? "waiting" : known.status;
  return {
    execution,
    flow,
    status,
    submittedAt,
    ...(metrics === undefined ? {} : { metrics: end === undefined ? metrics : { ...metrics, channels: [] } }),
    ...(end?.kind === "failed" ? { error: end.error.message } : {}),
  };
}

/** Remembers an event for clients that come later. */
export function remember(known: KnownExecution, event: PlainEvent): void {
  if ("metrics" in event) known.metrics = event.metrics;
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
export function tellAll(known: KnownExecution, client: Client): void {
  const { execution, name, isNamed, submission, told, progress } = known;
  client.tell({ kind: "submitted", execution });
  const isResumed = submission?.resume !== undefined || name !== execution;
  if (isResumed && isNamed) client.tell({ kind: "named", execution, name });
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
