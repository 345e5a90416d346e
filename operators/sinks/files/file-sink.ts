import type { Context } from "../../../lib/core/contracts/context.ts";
import type { OutputSink } from "../../../lib/core/contracts/sink.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import { FileChannel, type FilesPart } from "./file-channel.ts";
import { checkTarget, folderOf, type Leftovers } from "./target.ts";

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

/** What a file sink wrote. */
export interface FilesWritten {
  /** Paths or URLs, by channel. */
  readonly files: string[];
  readonly rows: number;
  readonly bytes: number;
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
}

/** A format: its name, how its files end, and what makes them. */
export interface FileFormat {
  readonly kind: string;
  readonly extension: string;
  /** The format's own options, for the fingerprint. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Bytes after which a file is full, where the user says nothing. */
  readonly bytesPerFile: number;
  readonly encoder: (ctx: Context) => PartEncoder;
}

/**
 * A sink that writes part files into a folder or under an S3 prefix. Files have temporary names until everything of the
 * execution is done, and names that don't depend on how often a task was tried.
 */
export function fileSink<T>(path: string, options: FileSinkOptions, format: FileFormat): OutputSink<T, FilesWritten> {
  const { ifExists = "error", rowsPerFile = Infinity, bytesPerFile = format.bytesPerFile } = options;
  if (!(rowsPerFile >= 1) || !(bytesPerFile >= 1)) {
    throw new QStreamError("OPTION_INVALID", `${format.kind}: rowsPerFile and bytesPerFile must be at least 1`, { file: path });
  }
  const folder = folderOf(path);
  // Old part files by execution: they go once the new ones are there, and stay if the execution fails.
  const leftovers = new Map<string, Leftovers>();
  return {
    kind: format.kind,
    options: { path, ifExists, rowsPerFile, bytesPerFile, ...format.options },
    guarantee: "transactional",
    placement: "per-slot",
    prepare: async ({ files, execution }) => {
      const old = await checkTarget(files, folder, ifExists);
      if (old.length > 0) leftovers.set(execution, { files, paths: old });
    },
    open: (ctx) =>
      new FileChannel({ folder, format, rowsPerFile, bytesPerFile, mark: ifExists === "append" ? ctx.execution : undefined }, ctx),
    result: async (given) => {
      const parts = given.filter((part) => part !== undefined) as readonly FilesPart[];
      const result = {
        files: parts.flatMap((part) => part.files),
        rows: parts.reduce((sum, part) => sum + part.rows, 0),
        bytes: parts.reduce((sum, part) => sum + part.bytes, 0),
      };
      const execution = parts[0]?.execution;
      if (execution !== undefined) await removeLeftovers(leftovers, execution, result.files);
      return result;
    },
  };
}

async function removeLeftovers(leftovers: Map<string, Leftovers>, execution: string, written: readonly string[]): Promise<void> {
  const old = leftovers.get(execution);
  leftovers.delete(execution);
  if (old === undefined) return;
  const names = new Set(written.map((path) => nameOf(path)));
  await old.files.remove(old.paths.filter((path) => !names.has(nameOf(path))));
}

function nameOf(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}
