import type { FlatBytes, FlatTable } from "./flat-bytes.ts";
import { typeIds } from "./physical.ts";

/** A field of an Arrow schema as the verifier needs it. */
export interface IpcField {
  readonly name: string;
  /** Arrow's number of the type; for a dictionary column that of its entries. */
  readonly typeId: number;
  /** Bytes of a fixed-width value, or elements of a fixed-size list. */
  readonly width: number;
  readonly children: readonly IpcField[];
  readonly dictionary: { readonly id: number; readonly width: number; readonly signed: boolean } | undefined;
  /** Of a union: whether it is dense, and the type numbers of its children. */
  readonly union: { readonly dense: boolean; readonly ids: readonly number[] } | undefined;
}

const nestingMax = 64;

/** Reads and checks a schema: every type and parameter must be one that the format has. */
export function readSchema(flat: FlatBytes, schema: FlatTable): IpcField[] {
  if (schema.int16(0, 0) !== 0) flat.fail("it is big-endian");
  const fields = schema.tables(1).map((field) => readField(flat, field, 0));
  readMetadata(schema, 2);
  return fields;
}

function readMetadata(table: FlatTable, number: number): void {
  for (const entry of table.tables(number)) {
    entry.text(0);
    entry.text(1);
  }
}

function readField(flat: FlatBytes, field: FlatTable, depth: number): IpcField {
  if (depth > nestingMax) flat.fail(`its columns are nested more than ${nestingMax} deep`);
  const name = field.text(0) ?? "";
  const typeId = field.byte(2, 0);
  const type = field.table(3) ?? flat.fail(`column "${name}" has no type`);
  const children = field.tables(5).map((child) => readField(flat, child, depth + 1));
  readMetadata(field, 6);
  const width = readType(typeId, type) ?? flat.fail(`column "${name}" has a type that doesn't exist (${typeId})`);
  checkChildren(flat, name, typeId, children);
  const encoding = field.table(4);
  return {
    name,
    typeId,
    width,
    children,
    dictionary: encoding === undefined ? undefined : readEncoding(flat, name, encoding),
    union: typeId === typeIds.union ? readUnion(flat, type, children.length) : undefined,
  };
}

function checkChildren(flat: FlatBytes, name: string, typeId: number, children: readonly IpcField[]): void {
  const lists: readonly number[] = [typeIds.list, typeIds.largeList, typeIds.fixedSizeList, typeIds.map];
  const nested = lists.includes(typeId)
    ? 1
    : typeId === typeIds.struct || typeId === typeIds.union
      ? children.length
      : 0;
  if (children.length !== nested) flat.fail(`column "${name}" has ${children.length} inner columns`);
  if (typeId === typeIds.map && (children[0]?.typeId !== typeIds.struct || children[0].children.length !== 2)) {
    flat.fail(`the map column "${name}" doesn't have keys and values`);
  }
}

function readEncoding(flat: FlatBytes, name: string, encoding: FlatTable): NonNullable<IpcField["dictionary"]> {
  const index = encoding.table(1);
  const bits = index?.int32(0, 0) ?? 32;
  if (![8, 16, 32, 64].includes(bits)) flat.fail(`the dictionary of column "${name}" has indices of ${bits} bits`);
  return { id: encoding.size(0), width: bits >> 3, signed: index === undefined || index.byte(1, 0) !== 0 };
}

function readUnion(flat: FlatBytes, type: FlatTable, children: number): NonNullable<IpcField["union"]> {
  const { at, length } = type.vector(1, 4);
  const declared = Array.from({ length }, (_, index) => flat.view.getInt32(at + index * 4, true));
  const ids = length === 0 ? Array.from({ length: children }, (_, index) => index) : declared;
  if (ids.length !== children || ids.some((id) => id < 0 || id > 127)) flat.fail("a union's type numbers are wrong");
  return { dense: type.int16(0, 0) === 1, ids };
}

const among = (value: number, allowed: readonly number[]): boolean => allowed.includes(value);
const units = [0, 1, 2, 3];

/** The width of a type's values, 0 where they have none; undefined for a type or parameter that the format doesn't have. */
function readType(typeId: number, type: FlatTable): number | undefined {
  switch (typeId) {
    case typeIds.int: {
      const bits = type.int32(0, 0);
      return among(bits, [8, 16, 32, 64]) ? bits >> 3 : undefined;
    }
    case typeIds.float: {
      const precision = type.int16(0, 0);
      return among(precision, [0, 1, 2]) ? 2 << precision : undefined;
    }
    case typeIds.decimal:
      return decimalWidth(type.int32(0, 0), type.int32(1, 0), type.int32(2, 128));
    case typeIds.date: {
      const unit = type.int16(0, 1);
      return among(unit, [0, 1]) ? (unit + 1) * 4 : undefined;
    }
    case typeIds.time: {
      const unit = type.int16(0, 1);
      const bits = type.int32(1, 32);
      return among(unit, units) && bits === (unit < 2 ? 32 : 64) ? bits >> 3 : undefined;
    }
    case typeIds.timestamp: {
      return among(type.int16(0, 0), units) && isZone(type.text(1) ?? "") ? 8 : undefined;
    }
    case typeIds.duration:
      return among(type.int16(0, 1), units) ? 8 : undefined;
    case typeIds.interval:
      return [4, 8, 16][type.int16(0, 0)];
    case typeIds.fixedSizeBinary:
    case typeIds.fixedSizeList: {
      const size = type.int32(0, 0);
      return size >= 0 ? size : undefined;
    }
    case typeIds.union:
      return among(type.int16(0, 0), [0, 1]) ? 0 : undefined;
    default:
      return among(typeId, widthless) ? 0 : undefined;
  }
}

const knownZones = new Set(["", "UTC"]);

/** Whether a time zone exists: Polars panics at one that doesn't. */
function isZone(zone: string): boolean {
  if (knownZones.has(zone) || /^[+-]\d\d:?\d\d$/.test(zone)) return true;
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone }).format(0);
  } catch {
    return false;
  }
  if (knownZones.size < 1000) knownZones.add(zone);
  return true;
}

const widthless: readonly number[] = [
  typeIds.null,
  typeIds.bool,
  typeIds.binary,
  typeIds.utf8,
  typeIds.list,
  typeIds.struct,
  typeIds.map,
  typeIds.largeBinary,
  typeIds.largeUtf8,
  typeIds.largeList,
  typeIds.binaryView,
  typeIds.utf8View,
];

function decimalWidth(precision: number, scale: number, bits: number): number | undefined {
  const digits = { 32: 9, 64: 18, 128: 38, 256: 76 }[bits];
  if (digits === undefined || precision < 1 || precision > digits || Math.abs(scale) > digits) return undefined;
  return bits >> 3;
}
