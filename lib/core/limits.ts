import { QStreamError } from "./errors.ts";

/** The limits of one execution. Each is a setting; at each, credit stops or a named error is raised. */
export interface Limits {
  /** Objects in a parcel that a reader or operator makes, for each target channel up to sixteen. */
  readonly parcelObjects: number;
  /** Estimated bytes after which a parcel is closed though it has fewer objects. */
  readonly parcelBytes: number;
  /** Objects that a channel's input may hold unread, over all its links. A columnar batch counts as 1,024 at most. */
  readonly inputObjects: number;
  /** Bytes that a channel's input may hold unread, over all its links. */
  readonly inputBytes: number;
  /** Bytes of a blocked stage's parcels kept in memory by a producer, before its spool goes to disk. */
  readonly spoolMemoryBytes: number;
  /** Bytes that the spools of one slot may write to disk. */
  readonly spoolDiskBytes: number;
  /** Bytes that a collected result may have. */
  readonly collectBytes: number;
  /** Milliseconds that a reader that waits for its source holds back a parcel which isn't full. */
  readonly lingerMs: number;
  /** Tasks that a channel may run ahead of the commit of their lineage. */
  readonly uncommittedTasks: number;
  /** Bytes of state that an operator's channel should keep in memory before it spills. */
  readonly stateBytes: number;
  /** Timers that an operator's channel may have pending. */
  readonly timers: number;
}

export const defaultLimits: Limits = {
  parcelObjects: 1024,
  parcelBytes: 1 << 20,
  inputObjects: 1 << 16,
  inputBytes: 16 << 20,
  spoolMemoryBytes: 32 << 20,
  spoolDiskBytes: 64 * 2 ** 30,
  collectBytes: 1 << 30,
  lingerMs: 5,
  uncommittedTasks: 64,
  stateBytes: 256 << 20,
  timers: 100_000,
};

/**
 * Fills in what isn't set, and refuses what no limit can be: an unknown name, and what is no whole number from 1 on
 * (Infinity is no limit; `lingerMs` may have a fraction, and be 0).
 */
export function checkLimits(given: Partial<Limits> | undefined): Limits {
  const limits: Record<keyof Limits, number> = { ...defaultLimits };
  for (const [name, value] of Object.entries(given ?? {})) {
    if (!isLimit(name)) {
      throw new QStreamError("OPTION_INVALID", `there is no limit "${name}"`, {
        advice: `The limits are: ${Object.keys(defaultLimits).join(", ")}`,
      });
    }
    if (value === undefined) continue;
    if (!isPossible(name, value)) {
      const wanted =
        name === "lingerMs" ? "a number of milliseconds from 0 on" : `a whole number from ${leastOf(name)} on`;
      throw new QStreamError(
        "OPTION_INVALID",
        `limits.${name}: ${typeof value === "string" ? JSON.stringify(value) : String(value)} is not ${wanted}`,
      );
    }
    limits[name] = value;
  }
  return limits;
}

function isLimit(name: string): name is keyof Limits {
  return Object.hasOwn(defaultLimits, name);
}

/** Spools may have no memory, or no disk. */
function leastOf(name: keyof Limits): number {
  return name === "spoolMemoryBytes" || name === "spoolDiskBytes" ? 0 : 1;
}

function isPossible(name: keyof Limits, value: unknown): value is number {
  if (typeof value !== "number") return false;
  if (name === "lingerMs") return value >= 0;
  return value >= leastOf(name) && (Number.isInteger(value) || value === Infinity);
}
