import type { Vector } from "apache-arrow";
import type { BatchSupport } from "../../lib/core/batch/index.ts";
import type { Key } from "../../lib/core/contracts/partition.ts";
import { mapKey, type MapKey } from "../../lib/core/key.ts";
import { requireColumns } from "../require-columns.ts";
import { structuralKey } from "./structural-key.ts";

/** Arrow's number for timestamps, whose unit may be finer than a Date's. */
const timestampType = 10;
const millisecondUnit = 1;

/** A function that gives what stands for the key of each row of a batch: of the named columns, or of all. */
export function readKeys(
  support: BatchSupport,
  batch: unknown,
  names: readonly string[] | undefined,
): (row: number) => MapKey {
  const table = support.toArrow(batch);
  const columns = table.schema.fields.map((field) => field.name);
  if (names !== undefined) requireColumns({ columns }, names, "distinct");
  const view = support.view(batch);
  const values = (names ?? columns).map((name) => exactTimes(table.getChild(name)) ?? view.values(name));
  const [first] = values;
  if (names !== undefined && values.length === 1 && first !== undefined) {
    return (row) => keyOf(first[row]);
  }
  return (row) => mapKey(structuralKey(values.map((column) => column[row])));
}

function keyOf(value: unknown): MapKey {
  return mapKey(typeof value === "object" ? structuralKey(value) : (value as Key));
}

/** Timestamps in micro- and nanoseconds as they are: as milliseconds, neighbours would become equal. */
function exactTimes(vector: Vector | null): ArrayLike<unknown> | undefined {
  if (vector === null || (vector.type.typeId as number) !== timestampType) return undefined;
  if ((vector.type as unknown as { readonly unit: number }).unit <= millisecondUnit) return undefined;
  return vector.data.flatMap((data) => {
    const integers = data.values as unknown as BigInt64Array;
    const nulls = data.nullCount > 0 ? (data.nullBitmap as Uint8Array) : undefined;
    return Array.from({ length: data.length }, (_, row) => {
      const bit = data.offset + row;
      return nulls !== undefined && nulls.length > 0 && ((nulls[bit >> 3] as number) & (1 << (bit & 7))) === 0
        ? null
        : integers[row];
    });
  });
}
