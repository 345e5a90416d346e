import type { Table } from "apache-arrow";
import type { DataFrame } from "nodejs-polars";
import { QStreamError } from "../errors.ts";
import { compactTable } from "./arrow-tables.ts";
import { type ArrowLibrary, loadPolars } from "./libraries.ts";

/** Polars frames cross as Arrow IPC stream bytes only: as JavaScript values, 64-bit integers would be damaged. */
export function frameToIpc(frame: DataFrame): Buffer {
  try {
    return frame.writeIPCStream();
  } catch (error) {
    throw new QStreamError("UNSUPPORTED", "Polars can't write a frame as Arrow", {
      advice: `Convert its columns of unusual types first: it has ${frame.dtypes.map(String).join(", ")}.`,
      cause: error,
    });
  }
}

/** Reads a frame from Arrow IPC stream bytes that are known to be sound. */
export function ipcToFrame(bytes: Uint8Array): DataFrame {
  return loadPolars().readIPCStream(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}

export function frameToTable(arrow: ArrowLibrary, frame: DataFrame): Table {
  return arrow.tableFromIPC(frameToIpc(frame));
}

export function tableToFrame(arrow: ArrowLibrary, table: Table): DataFrame {
  try {
    return ipcToFrame(arrow.tableToIPC(compactTable(arrow, table), "stream"));
  } catch (error) {
    if (error instanceof QStreamError) throw error;
    throw new QStreamError("UNSUPPORTED", `Polars can't hold a table of ${table.schema.toString()}`, {
      advice: "Convert the columns whose types Polars doesn't have (maps, intervals, 256-bit decimals) first.",
      cause: error,
    });
  }
}

const widths: Readonly<Record<string, number>> = {
  Null: 0,
  Bool: 1 / 8,
  Int8: 1,
  UInt8: 1,
  Int16: 2,
  UInt16: 2,
  Int32: 4,
  UInt32: 4,
  Float32: 4,
  Date: 4,
  Categorical: 4,
  Enum: 4,
  Decimal: 16,
};

const widthOfOthers = 8;
const sampledRows = 64;

/**
 * Bytes of a frame's rows: exact for fixed widths and text; lists, structs and binary values are estimated from the first
 * rows.
 */
export function frameBytes(frame: DataFrame): number {
  const { columns, dtypes, height } = frame;
  let bytes = 0;
  for (const [index, type] of dtypes.entries()) {
    const { variant } = type as unknown as { readonly variant: string };
    const name = columns[index] as string;
    if (variant === "String" || variant === "Utf8") bytes += height * 8 + textBytes(frame, name);
    else if (["Binary", "List", "FixedSizeList", "Array", "Struct"].includes(variant))
      bytes += sampledBytes(frame, name);
    else bytes += height * (widths[variant] ?? widthOfOthers);
  }
  return Math.ceil(bytes);
}

function textBytes(frame: DataFrame, name: string): number {
  return Number(frame.getColumn(name).str.lengths().sum() ?? 0);
}

function sampledBytes(frame: DataFrame, name: string): number {
  const sampled = Math.min(frame.height, sampledRows);
  if (sampled === 0) return 0;
  return (frameToIpc(frame.select(name).head(sampled)).byteLength / sampled) * frame.height;
}
