/** Every code that an error of QStream can carry. Codes are stable; messages may be reworded. */
export type ErrorCode =
  | "ABORTED"
  | "ACTOR_FAILED"
  | "ACTOR_FENCED"
  | "ACTOR_INVALID"
  | "ACTOR_STOPPED"
  | "ACTOR_UNREACHABLE"
  | "ARGUMENT_CANNOT_TRAVEL"
  | "ARGUMENT_INVALID"
  | "ASK_TIMEOUT"
  | "BAD_INPUT"
  | "BUILDER_IMPURE"
  | "CANNOT_TRAVEL"
  | "CHANNEL_OUT_OF_RANGE"
  | "CLUSTER_FULL"
  | "CODE_CHANGED"
  | "COLLECT_LIMIT"
  | "CYCLE"
  | "DATASET_RELEASED"
  | "DEADLOCK"
  | "DUPLICATE_STEP"
  | "EMPTY_FLOW"
  | "EXECUTION_EXISTS"
  | "EXECUTION_FAILED"
  | "EXECUTION_TAKEN"
  | "EXECUTION_UNKNOWN"
  | "EXPLORATION_FAILED"
  | "FINGERPRINT_CHANGED"
  | "FLOW_NOT_FOUND"
  | "FRAME_INVALID"
  | "HEAD_DEPOSED"
  | "HISTORY_INVALID"
  | "INPUT_UNKNOWN"
  | "INTERNAL"
  | "LIMIT_EXCEEDED"
  | "LINEAGE_REGRESSED"
  | "MACHINE_REFUSED"
  | "MACHINE_UNREACHABLE"
  | "MAILBOX_FULL"
  | "MESSAGE_UNHANDLED"
  | "MIGRATION_MISSING"
  | "MIXED_REPRESENTATION"
  | "NAME_TAKEN"
  | "NONDETERMINISTIC"
  | "NOT_RECOVERABLE"
  | "OPTION_INVALID"
  | "PACKAGE_MISSING"
  | "PATH_FORBIDDEN"
  | "PATH_NOT_FOUND"
  | "PLACEMENT_IMPOSSIBLE"
  | "SESSION_CLOSED"
  | "SINK_TARGET_EXISTS"
  | "SLOT_LOST"
  | "SPOOL_DAMAGED"
  | "STEP_FAILED"
  | "STORE_LOST"
  | "STORE_REFUSED"
  | "STORE_UNAVAILABLE"
  | "UNSUPPORTED";

/** Where in a flow something went wrong. All parts are optional: an error names what it knows. */
export interface Place {
  readonly step?: string;
  readonly channel?: number;
  /** Number of the task within its channel. */
  readonly seq?: number;
  readonly input?: string;
  /** Name of the timer that went off. */
  readonly timer?: string;
  readonly file?: string;
  /** 1-based line of `file`. */
  readonly line?: number;
  readonly rowGroup?: number;
  readonly column?: string;
}

export interface ErrorDetails extends Place {
  /** What the reader of the message can do about it: a full sentence. */
  readonly advice?: string;
  readonly cause?: unknown;
}

/** An error as plain data, the form in which it crosses threads and processes. */
export interface ErrorData {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: ErrorCode;
  readonly place?: Place;
  readonly cause?: ErrorData;
}

/**
 * The error that everything in QStream throws. `code` is stable, the message says what happened, where, and what to do.
 *
 * @example
 * try { await flow.run(args); } catch (error) {
 *   if (error instanceof QStreamError && error.code === "PATH_NOT_FOUND") console.error(error.message);
 * }
 */
export class QStreamError extends Error {
  override readonly name: string = "QStreamError";
  readonly code: ErrorCode;
  readonly place: Place;

  constructor(code: ErrorCode, what: string, details: ErrorDetails = {}) {
    const { advice, cause, ...place } = details;
    const where = describePlace(place);
    super(
      `${what}${where === "" ? "" : ` (${where})`}${advice === undefined ? "" : `. ${advice}`}`,
      cause === undefined ? undefined : { cause },
    );
    this.code = code;
    this.place = place;
  }
}

function describePlace(place: Place): string {
  const parts: string[] = [];
  if (place.step !== undefined) parts.push(`step "${place.step}"`);
  if (place.channel !== undefined) parts.push(`channel ${place.channel}`);
  if (place.seq !== undefined) parts.push(`task ${place.seq}`);
  if (place.input !== undefined) parts.push(`input "${place.input}"`);
  if (place.timer !== undefined) parts.push(`timer "${place.timer}"`);
  if (place.file !== undefined) parts.push(`file ${place.file}`);
  if (place.line !== undefined) parts.push(`line ${place.line}`);
  if (place.rowGroup !== undefined) parts.push(`row group ${place.rowGroup}`);
  if (place.column !== undefined) parts.push(`column "${place.column}"`);
  return parts.join(", ");
}

const causeDepthMax = 8;

/** Turns anything that was thrown into plain data. Causes are kept to a depth of eight. */
export function errorToData(error: unknown, depth = 0): ErrorData {
  if (!(error instanceof Error)) return { name: "Error", message: describeThrown(error) };
  const cause = error.cause === undefined || depth >= causeDepthMax ? undefined : errorToData(error.cause, depth + 1);
  return {
    name: error.name,
    message: error.message,
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...(error instanceof QStreamError ? { code: error.code, place: error.place } : {}),
    ...(cause === undefined ? {} : { cause }),
  };
}

/** Rebuilds an error from data that crossed a thread or process; the original stack is kept. */
export function errorFromData(data: ErrorData): Error {
  const cause = data.cause === undefined ? undefined : { cause: errorFromData(data.cause) };
  let error: Error;
  if (data.code === undefined) {
    error = new Error(data.message, cause);
    error.name = data.name;
  } else {
    error = Object.assign(new QStreamError(data.code, data.message, cause), { place: data.place ?? {} });
  }
  if (data.stack !== undefined) error.stack = data.stack;
  return error;
}

function describeThrown(thrown: unknown): string {
  if (typeof thrown === "string") return thrown;
  try {
    return `${JSON.stringify(thrown) ?? String(thrown)} was thrown`;
  } catch {
    return `a ${typeof thrown} was thrown`;
  }
}

/** The error of an invariant that doesn't hold: a defect of QStream itself, never of a flow. */
export function invariant(holds: boolean, what: string): asserts holds {
  if (holds) return;
  throw new QStreamError("INTERNAL", `QStream broke an invariant of its own: ${what}`, {
    advice: "This is a defect of QStream: please report it with the flow that showed it.",
  });
}
