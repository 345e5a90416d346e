/*
 * A batch of messages from one node to another, little-endian, is
 *   a head of 32-bit words: magic, the counts below, and how many actors the sending node has;
 *   64-bit floats: what each row is for, numbers of questions, lives and numbers of senders;
 *   32-bit words: kind and key of each entity, kinds and keys of senders, lengths of texts, and of each group of payloads its name,
 *   rows and length;
 *   16-bit words: the group and the sender of each row, 0 for none;
 *   bytes: the kind of each row, the format of each group, the texts in UTF-8, the groups' payloads one after the other.
 */
export const batchMagic = 0x31424151;
export const headWords = 10;
export const noString = 0xffffffff;

/** By their numbers in a batch; 0 is a group in which no message carries anything. */
export const groupFormats = ["none", "columns", "clone"] as const;

export interface BatchCounts {
  readonly rows: number;
  readonly asks: number;
  readonly entities: number;
  readonly senders: number;
  readonly strings: number;
  readonly groups: number;
  readonly stringsBytes: number;
  readonly groupsBytes: number;
}

/** The sections of a batch, as views of its bytes. */
export interface BatchView {
  readonly ids: Float64Array;
  readonly asks: Float64Array;
  readonly senderLives: Float64Array;
  readonly senderIds: Float64Array;
  readonly entityKinds: Uint32Array;
  readonly entityKeys: Uint32Array;
  readonly senderKinds: Uint32Array;
  readonly senderKeys: Uint32Array;
  readonly stringLengths: Uint32Array;
  readonly groupNames: Uint32Array;
  readonly groupRows: Uint32Array;
  readonly groupLengths: Uint32Array;
  readonly groupOf: Uint16Array;
  readonly senderOf: Uint16Array;
  readonly kinds: Uint8Array;
  readonly groupFormats: Uint8Array;
  readonly strings: Uint8Array;
  readonly groups: Uint8Array;
}

/** Where the sections of a batch are, and how long it is. */
export function sectionsOf(counts: BatchCounts): {
  readonly length: number;
  readonly over: (bytes: ArrayBuffer) => BatchView;
} {
  const { rows, asks, entities, senders, strings, groups, stringsBytes, groupsBytes } = counts;
  const floatsAt = headWords * 4;
  const wordsAt = floatsAt + 8 * (rows + asks + 2 * senders);
  const shortsAt = wordsAt + 4 * (2 * entities + 2 * senders + strings + 3 * groups);
  const bytesAt = shortsAt + 2 * (2 * rows);
  const length = bytesAt + rows + groups + stringsBytes + groupsBytes;
  const over = (bytes: ArrayBuffer): BatchView => {
    let at = floatsAt;
    const floats = (count: number): Float64Array => new Float64Array(bytes, advance(8 * count), count);
    const words = (count: number): Uint32Array => new Uint32Array(bytes, advance(4 * count), count);
    const shorts = (count: number): Uint16Array => new Uint16Array(bytes, advance(2 * count), count);
    const plain = (count: number): Uint8Array => new Uint8Array(bytes, advance(count), count);
    const advance = (by: number): number => {
      const from = at;
      at += by;
      return from;
    };
    return {
      ids: floats(rows),
      asks: floats(asks),
      senderLives: floats(senders),
      senderIds: floats(senders),
      entityKinds: words(entities),
      entityKeys: words(entities),
      senderKinds: words(senders),
      senderKeys: words(senders),
      stringLengths: words(strings),
      groupNames: words(groups),
      groupRows: words(groups),
      groupLengths: words(groups),
      groupOf: shorts(rows),
      senderOf: shorts(rows),
      kinds: plain(rows),
      groupFormats: plain(groups),
      strings: plain(stringsBytes),
      groups: plain(groupsBytes),
    };
  };
  return { length, over };
}
