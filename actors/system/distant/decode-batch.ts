import { decodeObjects } from "../../../lib/core/codec/index.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import type { Reference } from "../reference.ts";
import { batchMagic, groupFormats, headWords, noString, sectionsOf, type BatchView } from "./batch-layout.ts";
import { batchRowsMax, isQuestion, rowKind, type RowKind } from "./message-rows.ts";
import type { Binder } from "./reference-codec.ts";

/** A message that came from another node. */
export interface ArrivedRow {
  kind: RowKind;
  name: string;
  id: number;
  payload: unknown;
  sender: Reference | undefined;
  ask: number;
  /** Kind and key of the entity that it is for. */
  entityKind: string;
  entityKey: string;
}

/**
 * Decodes messages of another node, and hands them over one after the other: always in the same object. Everything is checked before
 * the first one is handed over.
 *
 * @returns how many actors live in the sending node
 * @throws QStreamError FRAME_INVALID
 */
export function decodeBatch(bytes: ArrayBuffer, binder: Binder, take: (row: ArrivedRow) => void): number {
  const head = headOf(bytes);
  const [, rows = 0, asks = 0, entities = 0, senders = 0, strings = 0, groups = 0, stringsBytes = 0, groupsBytes = 0] =
    head;
  const sections = sectionsOf({ rows, asks, entities, senders, strings, groups, stringsBytes, groupsBytes });
  if (rows > batchRowsMax) throw invalid(`it has ${rows} rows`);
  if (sections.length !== bytes.byteLength)
    throw invalid(`it has ${bytes.byteLength} bytes instead of ${sections.length}`);
  const view = sections.over(bytes);
  check(view, { rows, asks, entities, senders, strings, groups });
  const texts = textsOf(view);
  const values = valuesOf(view, bytes);
  const names = Array.from(view.groupNames, (name) => texts[name] ?? "");
  const references = Array.from(view.senderLives, (life, index): Reference => {
    const kind = texts[view.senderKinds[index] ?? 0] ?? "";
    const key = view.senderKeys[index] ?? noString;
    return key === noString
      ? binder.refer(life, view.senderIds[index] ?? 0, kind)
      : binder.entity(kind, texts[key] ?? "");
  });
  const cursors = new Uint32Array(groups);
  const row: ArrivedRow = {
    kind: rowKind.nothing,
    name: "",
    id: 0,
    payload: undefined,
    sender: undefined,
    ask: 0,
    entityKind: "",
    entityKey: "",
  };
  let [asked, entity] = [0, 0];
  for (let index = 0; index < rows; index++) {
    const group = view.groupOf[index] ?? 0;
    const kind = view.kinds[index] as RowKind;
    row.kind = kind;
    row.name = names[group] ?? "";
    row.id = view.ids[index] ?? 0;
    const at = cursors[group] ?? 0;
    row.payload = values[group]?.[at];
    cursors[group] = at + 1;
    row.sender = references[(view.senderOf[index] ?? 0) - 1];
    if (isQuestion(kind)) row.ask = view.asks[asked++] ?? 0;
    if (kind === rowKind.entityTell || kind === rowKind.entityAsk) {
      row.entityKind = texts[view.entityKinds[entity] ?? 0] ?? "";
      row.entityKey = texts[view.entityKeys[entity++] ?? 0] ?? "";
    }
    take(row);
  }
  return head[headWords - 1] ?? 0;
}

function headOf(bytes: ArrayBuffer): Uint32Array {
  if (bytes.byteLength < headWords * 4) throw invalid("it has no head");
  const head = new Uint32Array(bytes, 0, headWords);
  if (head[0] !== batchMagic) throw invalid("it isn't one");
  return head;
}

/** All that refers to something else refers to something that is there. */
function check(
  view: BatchView,
  counts: Readonly<Record<"rows" | "asks" | "entities" | "senders" | "strings" | "groups", number>>,
): void {
  const { rows, asks, entities, senders, strings, groups } = counts;
  const below = (values: Iterable<number>, limit: number): boolean => {
    for (const value of values) if (value >= limit) return false;
    return true;
  };
  const isWhole =
    below(view.groupNames, strings) &&
    below(view.entityKinds, strings) &&
    below(view.entityKeys, strings) &&
    below(view.senderKinds, strings) &&
    below(view.groupFormats, groupFormats.length) &&
    sumOf(view.stringLengths) === view.strings.byteLength &&
    sumOf(view.groupLengths) === view.groups.byteLength;
  if (!isWhole) throw invalid("its sections don't fit together");
  for (const key of view.senderKeys) if (key !== noString && key >= strings) throw invalid("a sender's key is missing");
  const inGroup = new Uint32Array(groups);
  let [questions, forEntities] = [0, 0];
  for (let row = 0; row < rows; row++) {
    const kind = view.kinds[row] ?? 255;
    const group = view.groupOf[row] ?? 0;
    if (kind > rowKind.nothing || group >= groups || (view.senderOf[row] ?? 0) > senders)
      throw invalid("a row is wrong");
    inGroup[group] = (inGroup[group] ?? 0) + 1;
    if (isQuestion(kind as RowKind)) questions++;
    if (kind === rowKind.entityTell || kind === rowKind.entityAsk) forEntities++;
  }
  // What couldn't travel was a question, or for an entity, when it was counted.
  if (questions > asks || forEntities > entities) throw invalid("its rows lack something");
  for (let group = 0; group < groups; group++) {
    if (inGroup[group] !== view.groupRows[group]) throw invalid("a group has other rows");
  }
}

function textsOf({ stringLengths, strings }: BatchView): string[] {
  const buffer = Buffer.from(strings.buffer, strings.byteOffset, strings.byteLength);
  let at = 0;
  return Array.from(stringLengths, (length) => buffer.toString("utf8", at, (at += length)));
}

function valuesOf(view: BatchView, bytes: ArrayBuffer): (readonly unknown[] | undefined)[] {
  let at = view.groups.byteOffset;
  return Array.from(view.groupFormats, (format, group) => {
    if (format === 0) return undefined;
    const from = at;
    at += view.groupLengths[group] ?? 0;
    const name = groupFormats[format];
    if (name === undefined || name === "none") return undefined;
    return decodeObjects({ format: name, rows: view.groupRows[group] ?? 0, bytes: bytes.slice(from, at) });
  });
}

function sumOf(values: Uint32Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

function invalid(why: string): QStreamError {
  return new QStreamError("FRAME_INVALID", `a batch of messages of actors can't be read: ${why}`);
}
