import { Packer, type Packed, type Parcel } from "../../../actors/transport/compression.ts";
import { parcelOf } from "../../contract/transport.ts";

/** A parcel with numbers of two bytes in each eight, which pack well. */
export function evenParcelOf(seq: number, bytes: number): Parcel {
  const parcel = parcelOf(seq, 0) as Parcel;
  const words = Float64Array.from({ length: bytes / 8 }, (_, index) => (seq + index * 7) % 1000);
  return { ...parcel, payload: { ...parcel.payload, bytes: words.buffer } };
}

/** Such a parcel as it goes from machine to machine. */
export function packedParcelOf(seq: number, bytes: number): Parcel {
  const parcel = evenParcelOf(seq, bytes);
  return packedWith(parcel, new Packer().pack(parcel));
}

export function packedWith(parcel: Parcel, packed: Packed | undefined): Parcel {
  if (packed === undefined) throw new Error("it wasn't packed");
  const { format, rows, bytes } = parcel.payload;
  const payload = { format, rows, bytes: new Uint8Array(packed.bytes).buffer, checksum: packed.checksum };
  return { ...parcel, payload: { ...payload, unpackedBytes: bytes.byteLength } };
}
