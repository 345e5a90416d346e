import type { OutputSink } from "../../../lib/core/contracts/sink.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import { FileChannel, type FilesPart } from "./file-channel.ts";
import type { FileFormat, FileSinkOptions, FilesWritten } from "./format.ts";
import { checkTarget, folderOf, type Leftovers } from "./target.ts";

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
      new FileChannel(
        { folder, format, rowsPerFile, bytesPerFile, mark: ifExists === "append" ? ctx.execution : undefined },
        ctx,
      ),
    result: async (given) => {
      const parts = (given as readonly (FilesPart | undefined)[]).filter((part) => part !== undefined);
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

async function removeLeftovers(
  leftovers: Map<string, Leftovers>,
  execution: string,
  written: readonly string[],
): Promise<void> {
  const old = leftovers.get(execution);
  leftovers.delete(execution);
  if (old === undefined) return;
  const names = new Set(written.map((path) => nameOf(path)));
  await old.files.remove(old.paths.filter((path) => !names.has(nameOf(path))));
}

function nameOf(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}
