import { open, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import type { Context } from "../../lib/core/contracts/context.ts";
import type { OpenFile } from "../../lib/core/contracts/file-system.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import type { ByteRange, ParquetFooter } from "./footer.ts";
import type { ParquetSettings } from "./options.ts";
import type { ParquetSplit } from "./splits.ts";

/** A local stand-in for a remote file: of the same length, with only the needed bytes in it. */
export interface PartialCopy {
  readonly path: string;
  remove: () => Promise<void>;
}

const gapMax = 64 << 10;
const requestBytes = 8 << 20;

/**
 * Fetches the row groups of a split, the columns that are needed of them and the footer into a sparse temporary file, each
 * at its own position, so that Polars scans it as if it were the whole file.
 */
export async function fetchRanges(
  file: OpenFile,
  footer: ParquetFooter,
  split: ParquetSplit,
  settings: ParquetSettings,
  ctx: Context,
): Promise<PartialCopy> {
  const path = await ctx.spill.path(`${ctx.step.replaceAll(/[^\w-]/g, "_")}-${ctx.channel}-${split.firstRow}.parquet`);
  if (path === undefined) {
    throw new QStreamError(
      "UNSUPPORTED",
      "a remote Parquet file needs room for temporary files, and there is none here",
      {
        file: split.path,
        advice: "Copy the file to this machine and read it from there.",
      },
    );
  }
  const remove = (): Promise<void> => rm(path, { force: true });
  const copy = await open(path, "w", 0o600);
  try {
    await copy.truncate(footer.end);
    for (const range of neededRanges(footer, split, settings)) {
      for (let at = range.start; at < range.end; at += requestBytes) {
        ctx.signal.throwIfAborted();
        await copyRange(file, copy, { start: at, end: Math.min(at + requestBytes, range.end) });
      }
    }
  } catch (error) {
    await copy.close();
    await remove();
    throw error;
  }
  await copy.close();
  return { path, remove };
}

/** The byte ranges that a scan of the split touches, in order, with small gaps closed. */
export function neededRanges(footer: ParquetFooter, split: ParquetSplit, settings: ParquetSettings): ByteRange[] {
  const names = settings.names === undefined ? undefined : new Set(settings.names);
  for (const [name] of settings.where) names?.add(name);
  const ranges = footer.rowGroups
    .slice(split.firstGroup, split.endGroup)
    .flatMap(({ chunks }) => chunks.filter(({ column }) => names === undefined || names.has(column)))
    .map(({ start, end }) => ({ start, end }))
    .toSorted((a, b) => a.start - b.start);
  const merged: { start: number; end: number }[] = [{ start: 0, end: 4 }];
  for (const range of [...ranges, { start: footer.start, end: footer.end }]) {
    const last = merged.at(-1);
    if (last !== undefined && range.start - last.end <= gapMax) last.end = Math.max(last.end, range.end);
    else merged.push({ ...range });
  }
  return merged;
}

async function copyRange(from: OpenFile, to: FileHandle, { start, end }: ByteRange): Promise<void> {
  const bytes = await from.read(start, end - start);
  if (bytes.byteLength < end - start) {
    throw new QStreamError(
      "BAD_INPUT",
      `the file ends at byte ${start + bytes.byteLength}, before its row group does`,
      {
        file: from.entry.path,
        advice: "It became shorter while it was read: let its writer finish, and run again.",
      },
    );
  }
  for (let done = 0; done < bytes.byteLength;) {
    const { bytesWritten } = await to.write(bytes, done, bytes.byteLength - done, start + done);
    done += bytesWritten;
  }
}
