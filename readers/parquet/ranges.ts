import type { Context } from "../../lib/core/contracts/context.ts";
import type { OpenFile } from "../../lib/core/contracts/file-system.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { createSparseFile } from "../../lib/core/seam/sparse-file.ts";
import type { SparseFile } from "../../lib/core/seam/sparse-file.ts";
import type { ByteRange, ParquetFooter } from "./footer.ts";
import type { ParquetSettings } from "./options.ts";
import type { ParquetSplit } from "./splits.ts";

const gapMax = 64 << 10;
const requestBytes = 8 << 20;

/**
 * Fetches the row groups of a split, the columns that are needed of them and the footer into a sparse temporary file, each
 * at its own position, so that Polars scans it as if it were the whole file. The caller removes it.
 */
export async function fetchRanges(
  file: OpenFile,
  footer: ParquetFooter,
  split: ParquetSplit,
  settings: ParquetSettings,
  ctx: Context,
): Promise<SparseFile> {
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
  const copy = await createSparseFile(path, footer.end);
  try {
    for (const range of neededRanges(footer, split, settings)) {
      for (let at = range.start; at < range.end; at += requestBytes) {
        ctx.signal.throwIfAborted();
        await copyRange(file, copy, { start: at, end: Math.min(at + requestBytes, range.end) });
      }
    }
  } catch (error) {
    await copy.close();
    await copy.remove();
    throw error;
  }
  await copy.close();
  return copy;
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

async function copyRange(from: OpenFile, to: SparseFile, { start, end }: ByteRange): Promise<void> {
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
  await to.write(start, bytes);
}
