import { deserialize, serialize } from "node:v8";
import type { KeptExecution } from "../../actors/stores/cluster-state.ts";
import { errorToData, QStreamError, type ErrorData } from "../core/errors.ts";
import type { DriverProcess } from "./driver-process.ts";
import type { EncodedOutputs } from "./outputs.ts";
import type { FromClient, ListedExecution, PlainEvent, Submission, ToClient } from "./protocol.ts";
import type { Talk } from "./talk.ts";

export type Client = Talk<ToClient, FromClient>;

/** How an execution ended. */
export type End =
  | { readonly kind: "done"; readonly outputs: EncodedOutputs }
  | { readonly kind: "failed"; readonly error: ErrorData };

/** An execution as its head knows it. */
export interface KnownExecution {
  readonly execution: string;
  readonly flow: string;
  /** Milliseconds since 1970. */
  readonly submittedAt: number;
  /** Undefined for one that had ended when this head began to lead. */
  readonly submission: Submission | undefined;
  driver: DriverProcess | undefined;
  /** Drivers that it has had. */
  drivers: number;
  /** Those of them that ended by themselves, on this head. */
  crashes: number;
  readonly clients: Set<Client>;
  /** What a client that comes later is told first: all but progress, and the latest progress. */
  readonly told: PlainEvent[];
  progress: PlainEvent | undefined;
  status: ListedExecution["status"];
  /** Its driver has said how it ended; kept in Redis once `end` is there. */
  ending: boolean;
  end: End | undefined;
  cancel: string | undefined;
  /** Runs while no client is there. */
  abandoned: (() => void) | undefined;
}

const eventsMax = 1000;
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
    end: isRunning ? undefined : (deserialize(kept.end) as End),
    cancel,
  };
}

/** An end as Redis keeps it. Results that are too large for it are told to clients of this head only. */
export function encodeEnd(end: End): Uint8Array {
  const bytes = serialize(end);
  if (bytes.byteLength <= keptBytesMax) return bytes;
  const error = new QStreamError(
    "LIMIT_EXCEEDED",
    `the results have ${bytes.byteLength} bytes, too many for a head to keep for another one`,
    { advice: "Results of that size are for a file: write them with a sink, for example toParquet" },
  );
  return serialize({ kind: "failed", error: errorToData(error) } satisfies End);
}

export function statusOf(end: End): ListedExecution["status"] {
  if (end.kind === "done") return "done";
  return end.error.code === "ABORTED" ? "cancelled" : "failed";
}

export function listExecution(known: KnownExecution): ListedExecution {
  const { execution, flow, status, submittedAt, progress, end } = known;
  return {
    execution,
    flow,
    status,
    submittedAt,
    ...(progress !== undefined && "metrics" in progress ? { metrics: progress.metrics } : {}),
    ...(end?.kind === "failed" ? { error: end.error.message } : {}),
  };
}

/** Remembers an event for clients that come later. */
export function remember(known: KnownExecution, event: PlainEvent): void {
  if (event.kind === "progress") known.progress = event;
  else if (known.told.length < eventsMax) known.told.push(event);
}

/** Tells a client all that has happened so far. */
export function tellAll(known: KnownExecution, client: Client): void {
  const { execution, told, progress } = known;
  for (const event of told) client.tell({ kind: "event", execution, event });
  if (progress !== undefined) client.tell({ kind: "event", execution, event: progress });
  tellEnd(known, client);
}

export function tellEnd({ execution, end }: KnownExecution, client: Client): void {
  if (end === undefined) return;
  try {
    client.tell({ ...end, execution });
  } catch (refused) {
    client.tell({ kind: "failed", execution, error: errorToData(refused) });
  }
}
