import type { Context } from "../../../lib/core/contracts/context.ts";

/** What to do where the target has files already: refuse, replace its part files, or write beside them. */
export type IfExists = "error" | "overwrite" | "append";

/** Options that all file sinks have. */
export interface FileSinkOptions {
  /** Default `error`: a folder that isn't empty is SINK_TARGET_EXISTS. */
  readonly ifExists?: IfExists;
  /** Rows after which a channel starts another file. Default: no limit. */
  readonly rowsPerFile?: number;
  /** Bytes after which a channel starts another file, up to one task's more. */
  readonly bytesPerFile?: number;
}

/** Their names, for the lists of those sinks. */
export const ofFileSinks = { ifExists: true, rowsPerFile: true, bytesPerFile: true } as const;

/** What a file sink wrote. */
export interface FilesWritten {
  /** Paths or URLs, by channel. */
  readonly files: string[];
  readonly rows: number;
  readonly bytes: number;
}

/** Rows that an encoder keeps until the end of the file, in the order in which they came. */
export interface HeldRows {
  readonly objects: readonly unknown[];
  readonly batches: readonly unknown[];
  /** Takes the rows of an earlier life again, and what it had counted for them. */
  readonly restore: (objects: readonly unknown[], batches: readonly unknown[], bytes: number) => void;
}

/** Makes the bytes of one file. Rows are given in runs, which the sink cuts where a file is full. */
export interface PartEncoder {
  /** Takes objects; returns bytes to write now. */
  readonly objects: (objects: readonly unknown[]) => Uint8Array | undefined;
  /** Takes a columnar batch; returns bytes to write now. */
  readonly batch: (batch: unknown) => Uint8Array | undefined;
  /** Bytes kept until the end of the file. */
  readonly heldBytes: number;
  /** The rest of the file, in pieces. */
  readonly end: () => Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  /** What going on in the middle of a file depends on, besides the bytes that were returned: small plain data. */
  readonly state?: () => unknown;
  /** Present where rows are kept until the end of the file. */
  readonly held?: HeldRows;
}

/** A format: its name, how its files end, and what makes them. */
export interface FileFormat {
  readonly kind: string;
  readonly extension: string;
  /** The format's own options, for the fingerprint. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Bytes after which a file is full, where the user says nothing. */
  readonly bytesPerFile: number;
  /** Makes the encoder of a file, or of the rest of one: with what `state` gave. */
  readonly encoder: (ctx: Context, state?: unknown) => PartEncoder;
}
