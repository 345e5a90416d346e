import { QStreamError } from "../errors.ts";

/**
 * One field of a table: bytes of a scalar; or a string or a vector of structs of so many bytes, which are stored elsewhere. In
 * the order of the schema.
 */
export type FieldLayout = 1 | 4 | 8 | "string" | { readonly structBytes: number };

/**
 * Checks that a FlatBuffer whose root is one table of scalars, strings and vectors of structs can be read without leaving its bytes.
 * FlatBuffers in JavaScript has no verifier: its accessors believe every offset.
 *
 * @param bytes - the whole buffer
 * @param fields - the table's fields; those that the buffer has beyond them are ignored
 * @throws QStreamError FRAME_INVALID
 */
export function verifyTable(bytes: Uint8Array, fields: readonly FieldLayout[]): void {
  const size = bytes.byteLength;
  const view = new DataView(bytes.buffer, bytes.byteOffset, size);
  check(size >= 8, "it is too short");
  const table = view.getUint32(0, true);
  check(table >= 4 && table <= size - 4, "its table is outside");
  const vtable = table - view.getInt32(table, true);
  check(vtable >= 4 && vtable <= size - 4, "its field offsets are outside");
  const vtableSize = view.getUint16(vtable, true);
  const tableSize = view.getUint16(vtable + 2, true);
  check(vtableSize >= 4 && vtableSize % 2 === 0 && vtable + vtableSize <= size, "its field offsets are cut");
  check(tableSize >= 4 && table + tableSize <= size, "its table is cut");
  for (const [index, layout] of fields.entries()) {
    const slot = 4 + index * 2;
    const offset = slot < vtableSize ? view.getUint16(vtable + slot, true) : 0;
    // An offset of zero means the field's default.
    if (offset === 0) continue;
    const width = typeof layout === "number" ? layout : 4;
    check(offset >= 4 && offset + width <= tableSize, "a field is outside its table");
    if (layout === "string") verifyVector(view, table + offset, 1);
    else if (typeof layout === "object") verifyVector(view, table + offset, layout.structBytes);
  }
}

function verifyVector(view: DataView, position: number, elementBytes: number): void {
  const start = position + view.getUint32(position, true);
  check(start + 4 <= view.byteLength, "a string or vector is outside");
  check(start + 4 + view.getUint32(start, true) * elementBytes <= view.byteLength, "a string or vector is cut");
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new QStreamError("FRAME_INVALID", `the head of a frame can't be read: ${what}`);
}
