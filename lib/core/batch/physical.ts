import type { DataType } from "apache-arrow";
import { QStreamError } from "../errors.ts";

/** How the values of an Arrow type lie in memory: all that copying a column needs to know of its type. */
export type Physical =
  | { readonly kind: "null" }
  | { readonly kind: "bits" }
  | { readonly kind: "fixed"; readonly width: number }
  | { readonly kind: "bytes"; readonly wide: boolean }
  | { readonly kind: "view" }
  | { readonly kind: "list"; readonly wide: boolean }
  | { readonly kind: "fixed-list"; readonly size: number }
  | { readonly kind: "struct" }
  | { readonly kind: "dictionary"; readonly width: number };

/** Arrow's type numbers, as every copy and version of the package has them. */
export const typeIds = {
  null: 1,
  int: 2,
  float: 3,
  binary: 4,
  utf8: 5,
  bool: 6,
  decimal: 7,
  date: 8,
  time: 9,
  timestamp: 10,
  interval: 11,
  list: 12,
  struct: 13,
  union: 14,
  fixedSizeBinary: 15,
  fixedSizeList: 16,
  map: 17,
  duration: 18,
  largeBinary: 19,
  largeUtf8: 20,
  largeList: 21,
  binaryView: 23,
  utf8View: 24,
  dictionary: -1,
} as const;

/** The memory layout of a type. @throws UNSUPPORTED for unions and types that this version doesn't know. */
export function physicalOf(type: DataType, column: string): Physical {
  const known = variableLayout(type) ?? fixedLayout(type);
  if (known !== undefined) return known;
  throw new QStreamError("UNSUPPORTED", `columns of type ${String(type)} can't be routed, sent or converted`, {
    column,
    advice: "Convert the column first, for example to text or to a struct, or drop it.",
  });
}

function variableLayout(type: DataType): Physical | undefined {
  switch (type.typeId as number) {
    case typeIds.null:
      return { kind: "null" };
    case typeIds.bool:
      return { kind: "bits" };
    case typeIds.utf8:
    case typeIds.binary:
      return { kind: "bytes", wide: false };
    case typeIds.largeUtf8:
    case typeIds.largeBinary:
      return { kind: "bytes", wide: true };
    case typeIds.utf8View:
    case typeIds.binaryView:
      return { kind: "view" };
    case typeIds.list:
    case typeIds.map:
      return { kind: "list", wide: false };
    case typeIds.largeList:
      return { kind: "list", wide: true };
    case typeIds.fixedSizeList:
      return { kind: "fixed-list", size: (type as unknown as { readonly listSize: number }).listSize };
    case typeIds.struct:
      return { kind: "struct" };
    case typeIds.dictionary:
      return {
        kind: "dictionary",
        width: (type as unknown as { indices: { bitWidth: number } }).indices.bitWidth >> 3,
      };
    default:
      return undefined;
  }
}

function fixedLayout(type: DataType): Physical | undefined {
  const sized = type as unknown as {
    readonly bitWidth: number;
    readonly precision: number;
    readonly unit: number;
    readonly byteWidth: number;
  };
  switch (type.typeId as number) {
    case typeIds.int:
    case typeIds.time:
    case typeIds.decimal:
      return { kind: "fixed", width: sized.bitWidth >> 3 };
    case typeIds.float:
      return { kind: "fixed", width: 2 << sized.precision };
    case typeIds.date:
      return { kind: "fixed", width: sized.unit === 0 ? 4 : 8 };
    case typeIds.timestamp:
    case typeIds.duration:
      return { kind: "fixed", width: 8 };
    case typeIds.interval:
      return { kind: "fixed", width: ([4, 8, 16] as const)[sized.unit] ?? 0 };
    case typeIds.fixedSizeBinary:
      return { kind: "fixed", width: sized.byteWidth };
    default:
      return undefined;
  }
}

/** Length of a byte range, rounded up to whole eight-byte words. */
export function aligned(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}
