import { QStreamError } from "../errors.ts";
import type { Payload } from "../payload.ts";
import { ColumnsDecoder } from "./columns-decode.ts";
import { ColumnsEncoder } from "./columns-encode.ts";
import { frameRowsMax, FrameWriter, invalidFrame, readFrame } from "./frame.ts";
import { codecNamed, codecOf, type RegisteredCodec } from "./registry.ts";
import { type Gathered, type Shape, shapeNamed, shapeOf, wrongKind, wrongShape } from "./shape.ts";
import { cannotTravel, propertyPath } from "./travel.ts";

export { type Codec, registerCodec } from "./registry.ts";
export { estimateBytes } from "./size.ts";
export { assertTravels } from "./travel.ts";

/** Memory that encoding uses again for every parcel. */
class Workspace {
  readonly frame = new FrameWriter();
  readonly #floats: Float64Array[] = [];

  /** A float array for the column at `place`, of at least `rows` numbers. */
  floats(place: number, rows: number): Float64Array {
    if (rows > keptRows || place >= keptColumns) return new Float64Array(rows);
    const kept = this.#floats[place];
    if (kept !== undefined && kept.length >= rows) return kept;
    return (this.#floats[place] = new Float64Array(2 ** Math.ceil(Math.log2(Math.max(rows, 64)))));
  }
}

const keptRows = 1 << 14;
const keptColumns = 64;
/** Taken while encoding runs: a codec's own code may encode in turn, and then gets another one. */
let idle: Workspace | undefined = new Workspace();

/**
 * Encodes a parcel's objects into one buffer. Objects of one shape (plain, with the same properties in the same order) go as
 * columns, and so do plain values; everything else as structured clone, with codecs for registered classes. Own enumerable
 * properties named by strings travel; objects without a prototype arrive as plain ones.
 *
 * @param room - bytes to leave free in front of what is encoded: they have to be cut off before it can be decoded
 * @throws QStreamError CANNOT_TRAVEL naming what can't travel, with its path inside of the object
 */
export function encodeObjects(objects: readonly unknown[], room: number = 0): Payload {
  if (objects.length > frameRowsMax) {
    throw new QStreamError("LIMIT_EXCEEDED", `a parcel can't hold ${objects.length} objects: ${frameRowsMax} at most`, {
      advice: "Send them in several parcels",
    });
  }
  const workspace = idle ?? new Workspace();
  idle = undefined;
  try {
    const format = writeObjects(workspace, objects);
    const payload = { format, rows: objects.length, bytes: workspace.frame.finish(objects.length, room) };
    return workspace.frame.cloned ? { ...payload, cloned: true } : payload;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new QStreamError("LIMIT_EXCEEDED", "objects are too large to be sent in one parcel", {
      advice: "Send smaller objects, or set a smaller limit for the objects of a parcel",
      cause: error,
    });
  } finally {
    idle = workspace;
  }
}

function writeObjects(workspace: Workspace, objects: readonly unknown[]): "columns" | "clone" {
  const { frame } = workspace;
  const codec = commonCodec(objects);
  const values = codec === undefined ? objects : encodeAll(codec, objects);
  const name = codec?.name ?? "";
  const shape = shapeOf(values[0]);
  if (shape !== undefined) {
    if (writeShape(workspace, shape, name, values)) return "columns";
  } else if (values.length === 0 || !isContainer(values[0])) {
    frame.begin("", name);
    if (new ColumnsEncoder(frame, []).values(values, "")) return "columns";
  }
  frame.begin("", "");
  new ColumnsEncoder(frame, []).clone(objects, "");
  return "clone";
}

/** A first object that only structured clone can take, so that no column of it is tried. */
function isContainer(value: unknown): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    !ArrayBuffer.isView(value) &&
    !(value instanceof ArrayBuffer) &&
    !(value instanceof Date)
  );
}

/** The codec of all objects, if they are of one registered class. */
function commonCodec(objects: readonly unknown[]): RegisteredCodec | undefined {
  const [first] = objects;
  if (typeof first !== "object" || first === null) return undefined;
  const prototype = Object.getPrototypeOf(first) as object | null;
  if (prototype === null || prototype === Object.prototype) return undefined;
  const codec = codecOf(prototype);
  if (codec === undefined) return undefined;
  const same = objects.every(
    (object) => typeof object === "object" && object !== null && Object.getPrototypeOf(object) === prototype,
  );
  return same ? codec : undefined;
}

function encodeAll(codec: RegisteredCodec, objects: readonly unknown[]): unknown[] {
  try {
    return objects.map((object) => codec.encode(object));
  } catch (error) {
    throw cannotTravel(`an object whose codec "${codec.name}" failed to encode it`, "", error);
  }
}

/** Writes objects as columns. False if they aren't all of the shape, or share objects that columns would tear apart. */
function writeShape(workspace: Workspace, shape: Shape, codec: string, objects: readonly unknown[]): boolean {
  const columns = gather(workspace, shape, objects);
  if (columns === undefined) return false;
  workspace.frame.begin(shape.text, codec);
  const encoder = new ColumnsEncoder(workspace.frame, objects);
  for (let place = 0; place < columns.length; place += 1) {
    const column = columns[place] ?? [];
    if (column instanceof Float64Array) encoder.floats(column, objects.length);
    else if (!encoder.values(column, propertyPath(shape.keys[place] ?? ""))) return false;
  }
  return true;
}

function gather(workspace: Workspace, shape: Shape, objects: readonly unknown[]): readonly Gathered[] | undefined {
  const rows = objects.length;
  const first = objects[0] as Record<string, unknown>;
  const columns = shape.keys.map((key, place) =>
    typeof first[key] === "number" ? workspace.floats(place, rows) : new Array<unknown>(rows),
  );
  const gathered = shape.gather(objects, columns);
  if (gathered === wrongShape) return undefined;
  if (gathered !== wrongKind) return columns;
  // A column that began with a number has something else further down.
  const anything = shape.keys.map(() => new Array<unknown>(rows));
  return shape.gather(objects, anything) === rows ? anything : undefined;
}

/**
 * Decodes what `encodeObjects` encoded. All bounds are checked before anything is read; whether the bytes are the same ones is
 * for whoever carried them to check. The payload's buffer is only read, and nothing that is returned refers to it.
 *
 * @throws QStreamError FRAME_INVALID for bytes that aren't a whole frame
 */
export function decodeObjects(payload: Payload): unknown[] {
  if (payload.format === "batch")
    throw new QStreamError("INTERNAL", "a columnar batch was given to the codec of objects");
  const frame = readFrame(payload.bytes);
  if (frame.rows !== payload.rows) throw invalidFrame(`it has ${frame.rows} rows instead of ${payload.rows}`);
  const decoder = new ColumnsDecoder(frame);
  const objects =
    frame.shape === "" ? toArray(decoder.column(frame.rows)) : buildObjects(frame.shape, frame.rows, decoder);
  decoder.end();
  return frame.codec === "" ? objects : decodeAll(codecNamed(frame.codec), objects);
}

function buildObjects(text: string, rows: number, decoder: ColumnsDecoder): unknown[] {
  const shape = shapeNamed(text);
  if (shape === undefined) throw invalidFrame("the names of its columns can't be read");
  return shape.build(
    rows,
    shape.keys.map(() => decoder.column(rows)),
  );
}

function toArray(column: ArrayLike<unknown>): unknown[] {
  return Array.isArray(column) ? (column as unknown[]) : Array.from(column);
}

function decodeAll(codec: RegisteredCodec, encoded: readonly unknown[]): unknown[] {
  try {
    return encoded.map((value) => codec.decode(value));
  } catch (error) {
    throw new QStreamError("CANNOT_TRAVEL", `codec "${codec.name}" failed to decode an object`, {
      advice: "Its decode function must take everything that its encode function gives",
      cause: error,
    });
  }
}
