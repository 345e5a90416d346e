import { isDeepStrictEqual } from "node:util";
import { loadedBatches, representationOf } from "../../core/batch/index.ts";
import { sameMultiset } from "../multiset.ts";

/** What a run left beside its outputs. */
export interface Outcome {
  /** What sinks wrote, by path. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/**
 * True if two runs gave the same: lists as multisets, batches by their rows, files by how many rows they have and by the
 * lines of all text files together, anything else by its value.
 */
export function sameOutputs(
  outputs: Readonly<Record<string, unknown>>,
  without: Readonly<Record<string, unknown>>,
  outcome: Outcome,
  outcomeWithout: Outcome,
): boolean {
  const names = Object.keys(without);
  if (!isDeepStrictEqual(Object.keys(outputs).toSorted(), names.toSorted())) return false;
  return (
    names.every((name) => sameOutput(outputs[name], without[name])) &&
    sameMultiset(linesOf(outcome), linesOf(outcomeWithout))
  );
}

function sameOutput(left: unknown, right: unknown): boolean {
  if (Array.isArray(left) && Array.isArray(right)) return sameMultiset(rowsOf(left), rowsOf(right));
  const [leftRows, rightRows] = [rowsWritten(left), rowsWritten(right)];
  if (leftRows !== undefined) return leftRows === rightRows;
  return isDeepStrictEqual(left, right);
}

function rowsOf(objects: readonly unknown[]): readonly unknown[] {
  const batches = loadedBatches();
  if (batches === undefined) return objects;
  return objects.flatMap((object) => (representationOf(object) === undefined ? [object] : batches.toObjects(object)));
}

/** Which channel of a file sink gets what may differ from run to run: how many rows there are may not. */
function rowsWritten(output: unknown): number | undefined {
  const { files, rows } = (output ?? {}) as { readonly files?: unknown; readonly rows?: unknown };
  return Array.isArray(files) && typeof rows === "number" ? rows : undefined;
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** A header comes once a file, and how many files there are may differ: equal lines count once. */
function linesOf({ files }: Outcome): readonly string[] {
  const lines = new Set<string>();
  for (const bytes of files.values()) {
    for (const line of textOf(bytes)?.split("\n") ?? []) if (line !== "") lines.add(line);
  }
  return [...lines];
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    // Columnar files: their rows are counted.
    return undefined;
  }
}
