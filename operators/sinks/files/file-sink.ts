import type { FileSystem } from "../../../lib/core/contracts/file-system.ts";
import type { OutputSink } from "../../../lib/core/contracts/sink.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import type { FilesPart } from "./file-channel.ts";
import type { FileFormat, FileSinkOptions, FilesWritten } from "./format.ts";
import { discard } from "./part-files.ts";
import { fileChannel } from "./recoverable-channel.ts";
import { checkTarget, folderOf } from "./target.ts";

/**
 * A sink that writes part files into a folder or under an S3 prefix. Files have temporary names until everything of the
 * execution is done, and names that don't depend on how often a task was tried.
 */
export function fileSink<T>(path: string, options: FileSinkOptions, format: FileFormat): OutputSink<T, FilesWritten> {
  const { ifExists = "error", rowsPerFile = Infinity, bytesPerFile = format.bytesPerFile } = options;
  if (!(rowsPerFile >= 1) || !(bytesPerFile >= 1)) {
    throw new QStreamError("OPTION_INVALID", `${format.kind}: rowsPerFile and bytesPerFile must be at least 1`, {
      file: path,
    });
  }
  const folder = folderOf(path);
  const prepared = new Map<string, Prepared>();
  return {
    kind: format.kind,
    options: { path, ifExists, rowsPerFile, bytesPerFile, ...format.options },
    guarantee: "transactional",
    placement: "per-slot",
    prepare: async ({ files, execution, resuming = false }) => {
      const old = await checkTarget(files, { folder, extension: format.extension, ifExists, resuming });
      // Of executions that fail nobody asks for the result.
      for (const forgotten of [...prepared.keys()].slice(0, -preparedMax)) prepared.delete(forgotten);
      prepared.set(execution, { files, old });
    },
    open: (ctx) => {
      const mark = ifExists === "append" ? ctx.execution : undefined;
      return fileChannel({ folder, format, rowsPerFile, bytesPerFile, mark }, ctx);
    },
    result: async (given) => {
      const parts = (given as readonly (FilesPart | undefined)[]).filter((part) => part !== undefined);
      const result = {
        files: parts.flatMap((part) => part.files),
        rows: parts.reduce((sum, part) => sum + part.rows, 0),
        bytes: parts.reduce((sum, part) => sum + part.bytes, 0),
      };
      const execution = parts[0]?.execution;
      if (execution === undefined) return result;
      const { files, old } = prepared.get(execution) ?? {};
      prepared.delete(execution);
      // Everything is committed, so no later life of a channel needs what earlier ones have left.
      if (files !== undefined) await Promise.all(parts.map((part) => discard(files, folder, part.owner)));
      await files?.remove(notAmong(old ?? [], result.files));
      return result;
    },
  };
}

/** What the result needs of an execution that was prepared. */
interface Prepared {
  readonly files: FileSystem;
  /** Part files of an earlier execution: they go once the new ones are there, and stay if this one fails. */
  readonly old: readonly string[];
}

const preparedMax = 1000;

function notAmong(old: readonly string[], written: readonly string[]): string[] {
  const names = new Set(written.map((path) => nameOf(path)));
  return old.filter((path) => !names.has(nameOf(path)));
}

function nameOf(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}
