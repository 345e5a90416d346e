import type { DataFrame } from "nodejs-polars";
import { type BatchSupport, loadPolars } from "../../lib/core/batch/index.ts";
import type { OrderTerm } from "../order.ts";
import { sortFrame } from "./sort-frame.ts";
import type { SortedRun } from "./sorted-run.ts";

/** A run that is being merged. */
interface Source {
  readonly run: SortedRun;
  readonly index: number;
  /** Rows read and not yet given. */
  held: number;
  /** Rows of the block that was read last. */
  block: number;
  ended: boolean;
}

/**
 * Merges sorted runs of frames in rounds: the held blocks of all runs are sorted as one frame by Polars, whose comparison of
 * values is then the only one, and given up to the first row that is the last held one of a run with more to come. No row
 * that is still to be read can come before it.
 */
export async function* mergeFrames<T>(
  runs: readonly SortedRun[],
  terms: readonly OrderTerm<T>[],
  support: BatchSupport,
): AsyncGenerator<DataFrame, void> {
  const sources = runs.map((run, index): Source => ({ run, index, held: 0, block: 0, ended: false }));
  let held: DataFrame | undefined;
  let columns: readonly string[] = [];
  for (;;) {
    const read: DataFrame[] = [];
    for (const source of sources) {
      // Those about to run out are read with those that did: else every round would sort all for one block.
      if (source.ended || source.held > source.block / 2) continue;
      const frame = await readBlock(source, support);
      if (frame === undefined) continue;
      if (columns.length === 0) columns = frame.columns;
      read.push(marked(frame, source.index, columns));
    }
    if (read.length > 0) {
      const frames: DataFrame[] = held === undefined ? read : [held, ...read];
      held = sortFrame(support.concat(frames) as DataFrame, terms, "sort");
    }
    if (held === undefined || held.height === 0) return;
    const runOfRow = held.getColumn(markOf(columns)).toArray() as unknown as readonly number[];
    const until = safeRows(runOfRow, sources);
    for (let row = 0; row < until; row += 1) (sources[runOfRow[row] as number] as Source).held -= 1;
    yield held.head(until).select(...(columns as string[]));
    held = held.slice(until, held.height - until);
  }
}

async function readBlock(source: Source, support: BatchSupport): Promise<DataFrame | undefined> {
  const payload = await source.run.next();
  if (payload === undefined) {
    source.ended = true;
    return undefined;
  }
  source.held += payload.rows;
  source.block = payload.rows;
  return support.decode(payload) as DataFrame;
}

/** The name of the column that says which run a row is of: one that the rows don't have. */
function markOf(columns: readonly string[]): string {
  let name = "run";
  while (columns.includes(name)) name += "_";
  return name;
}

function marked(frame: DataFrame, index: number, columns: readonly string[]): DataFrame {
  const pl = loadPolars();
  return frame.withColumns(pl.lit(index).cast(pl.Int32).alias(markOf(columns)));
}

/** How many rows come before, or are, the first row after which a run that goes on has none left. */
function safeRows(runOfRow: readonly number[], sources: readonly Source[]): number {
  const left = sources.map((source) => source.held);
  for (let row = 0; row < runOfRow.length; row += 1) {
    const index = runOfRow[row] as number;
    left[index] = (left[index] as number) - 1;
    if (left[index] === 0 && sources[index]?.ended !== true) return row + 1;
  }
  return runOfRow.length;
}
