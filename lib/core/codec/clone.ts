import { Deserializer, Serializer } from "node:v8";
import { QStreamError } from "../errors.ts";
import { bytesKindOf, bytesOf, rebuildBytes } from "./bytes.ts";
import { type Placeholder, Replacement, Restoration } from "./placeholders.ts";
import { cannotTravel, type Inspection } from "./travel.ts";

/** What is written: the values, and the placeholders among them. */
type Cloned = readonly [values: readonly unknown[], placeholders?: readonly Placeholder[] | undefined];

/** Writes byte views with their own bytes only. */
class CloneSerializer extends Serializer {
  constructor() {
    super();
    // Missing in the types of Node, but documented as the way to get byte views to _writeHostObject.
    const untyped = this as unknown as { _setTreatArrayBufferViewsAsHostObjects: (on: boolean) => void };
    untyped._setTreatArrayBufferViewsAsHostObjects(true);
  }

  _writeHostObject(object: ArrayBufferView): void {
    const kind = ArrayBuffer.isView(object) ? bytesKindOf(object) : undefined;
    if (kind === undefined) throw new TypeError("an object that is bound to this thread");
    const bytes = bytesOf(object);
    this.writeUint32(kind);
    this.writeDouble(bytes.byteLength);
    this.writeRawBytes(bytes);
  }

  /** Called by Node with a message when V8 refuses a value. */
  _getDataCloneError(message: string): Error {
    return new TypeError(message);
  }
}

/** Copies byte views, so that one that is kept doesn't keep its whole parcel. */
class CloneDeserializer extends Deserializer {
  _readHostObject(): unknown {
    const kind = this.readUint32();
    const bytes = this.readRawBytes(this.readDouble());
    return rebuildBytes(kind, bytes, 0, bytes.byteLength);
  }
}

/** Structured-clone bytes of values that were inspected. Objects met twice among them are written once. */
export function serializeValues(values: readonly unknown[], inspection: Inspection): Uint8Array {
  const cloned: Cloned =
    inspection.encodings.size === 0 ? [values] : new Replacement(inspection.encodings).replaceAll(values);
  try {
    const serializer = new CloneSerializer();
    serializer.writeHeader();
    serializer.writeValue(cloned);
    return serializer.releaseBuffer();
  } catch (error) {
    if (error instanceof RangeError) {
      throw new QStreamError("LIMIT_EXCEEDED", "objects are too large to be sent in one parcel", {
        advice: "Send smaller objects, or set a smaller limit for the objects of a parcel",
        cause: error,
      });
    }
    throw cannotTravel(error instanceof Error ? error.message : "an object", "", error);
  }
}

/** Reads what `serializeValues` wrote. */
export function deserializeValues(bytes: Uint8Array, count: number): readonly unknown[] {
  const [values, placeholders] = readCloned(bytes, count);
  return placeholders === undefined ? values : new Restoration(placeholders).restoreAll(values);
}

function readCloned(bytes: Uint8Array, count: number): Cloned {
  let cloned: unknown;
  try {
    const deserializer = new CloneDeserializer(bytes);
    deserializer.readHeader();
    cloned = deserializer.readValue();
  } catch (error) {
    throw new QStreamError("FRAME_INVALID", "structured-clone bytes of a parcel can't be read", { cause: error });
  }
  const [values, placeholders] = Array.isArray(cloned) ? (cloned as unknown[]) : [];
  if (Array.isArray(values) && values.length === count && (placeholders === undefined || Array.isArray(placeholders))) {
    return [values, placeholders as readonly Placeholder[] | undefined];
  }
  throw new QStreamError(
    "FRAME_INVALID",
    `structured-clone bytes of a parcel don't hold the ${count} values they should`,
  );
}
