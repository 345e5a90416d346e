import { encodeObjects } from "../../../lib/core/codec/index.ts";
import type { Payload } from "../../../lib/core/payload.ts";
import { EntityReference } from "../entities.ts";
import type { Reference } from "../reference.ts";
import { batchMagic, headWords, noString, sectionsOf } from "./batch-layout.ts";
import { isQuestion, rowKind, type MessageRows } from "./message-rows.ts";
import { known, nameOf } from "./reference-codec.ts";

/** Payloads of one name, which most often are of one shape. */
interface Group {
  readonly name: number;
  readonly values: unknown[];
  /** The row of each value. */
  readonly rows: number[];
  isEmpty: boolean;
  payload: Payload | undefined;
}

/** Texts of a batch, each once. */
class Strings {
  readonly texts: Buffer[] = [];
  readonly #indexes = new Map<string, number>();
  bytes = 0;

  indexOf(text: string): number {
    let index = this.#indexes.get(text);
    if (index !== undefined) return index;
    const buffer = Buffer.from(text);
    index = this.texts.push(buffer) - 1;
    this.bytes += buffer.byteLength;
    this.#indexes.set(text, index);
    return index;
  }
}

/**
 * Encodes messages for another node: targets, senders and numbers of questions as columns, and the payloads of each name by the
 * codec of objects, as columns where they are of one shape.
 *
 * @param actors - how many live in the sending node: others place theirs by that
 * @param refused - is told of each message that can't travel; it isn't in the batch then
 */
export function encodeBatch(
  rows: MessageRows,
  actors: number,
  refused: (row: number, error: unknown) => void,
): Payload {
  return new BatchEncoder(rows, refused).encode(actors);
}

class BatchEncoder {
  readonly #rows: MessageRows;
  readonly #refused: (row: number, error: unknown) => void;
  readonly #strings = new Strings();
  readonly #groups: Group[] = [];
  readonly #groupOf: Uint16Array;
  readonly #senderOf: Uint16Array;
  readonly #senders: Reference[] = [];

  constructor(rows: MessageRows, refused: (row: number, error: unknown) => void) {
    this.#rows = rows;
    this.#refused = refused;
    this.#groupOf = new Uint16Array(rows.size);
    this.#senderOf = new Uint16Array(rows.size);
  }

  encode(actors: number): Payload {
    this.#gather();
    for (const group of this.#groups) this.#encodeGroup(group);
    const asks = this.#rows.asks.filter((_, row) => isQuestion(this.#rows.kinds[row]));
    const entities = this.#rows.targets.filter((_, row) => isEntity(this.#rows.kinds[row])) as EntityReference[];
    const names = entities.map(({ definition }) => this.#strings.indexOf(nameOf(definition)));
    const keys = entities.map(({ entityKey }) => this.#strings.indexOf(entityKey));
    const senderKinds = this.#senders.map((sender) => this.#strings.indexOf(kindOf(sender)));
    const senderKeys = this.#senders.map((sender) =>
      sender instanceof EntityReference ? this.#strings.indexOf(sender.entityKey) : noString,
    );
    const groupsBytes = this.#groups.reduce((sum, { payload }) => sum + (payload?.bytes.byteLength ?? 0), 0);
    const counts = {
      rows: this.#rows.size,
      asks: asks.length,
      entities: entities.length,
      senders: this.#senders.length,
      strings: this.#strings.texts.length,
      groups: this.#groups.length,
      stringsBytes: this.#strings.bytes,
      groupsBytes,
    };
    const sections = sectionsOf(counts);
    const bytes = new ArrayBuffer(sections.length);
    const head = new Uint32Array(bytes, 0, headWords);
    head.set([batchMagic, ...Object.values(counts), actors]);
    const view = sections.over(bytes);
    view.ids.set(this.#rows.ids);
    view.asks.set(asks);
    view.entityKinds.set(names);
    view.entityKeys.set(keys);
    this.#senders.forEach(({ life, id }, index) => {
      view.senderLives[index] = life;
      view.senderIds[index] = id;
    });
    view.senderKinds.set(senderKinds);
    view.senderKeys.set(senderKeys);
    view.groupOf.set(this.#groupOf);
    view.senderOf.set(this.#senderOf);
    view.kinds.set(this.#rows.kinds);
    this.#writeStrings(view.stringLengths, view.strings);
    this.#writeGroups(view);
    return { format: "columns", rows: this.#rows.size, bytes };
  }

  #writeStrings(lengths: Uint32Array, into: Uint8Array): void {
    let at = 0;
    this.#strings.texts.forEach((text, index) => {
      lengths[index] = text.byteLength;
      into.set(text, at);
      at += text.byteLength;
    });
  }

  #writeGroups(view: ReturnType<ReturnType<typeof sectionsOf>["over"]>): void {
    let at = 0;
    this.#groups.forEach(({ name, values, payload }, index) => {
      view.groupNames[index] = name;
      view.groupRows[index] = values.length;
      view.groupFormats[index] = payload === undefined ? 0 : payload.format === "columns" ? 1 : 2;
      view.groupLengths[index] = payload?.bytes.byteLength ?? 0;
      if (payload === undefined) return;
      view.groups.set(new Uint8Array(payload.bytes), at);
      at += payload.bytes.byteLength;
    });
  }

  /** Sorts rows into groups, and finds who sent them. */
  #gather(): void {
    const { kinds, names, payloads, senders } = this.#rows;
    const messages = new Map<string, number>();
    const answers = new Map<string, number>();
    const numbers = new Map<Reference, number>();
    let [lastName, lastKind, lastGroup] = ["", -1, -1];
    let lastSender: Reference | undefined;
    let lastNumber = 0;
    for (let row = 0; row < kinds.length; row++) {
      const name = names[row] ?? "";
      const kind = kinds[row] ?? rowKind.nothing;
      if (name !== lastName || kind !== lastKind || lastGroup < 0) {
        lastGroup = this.#groupNamed(kind === rowKind.answer || kind === rowKind.refusal ? answers : messages, name, kind);
        lastName = name;
        lastKind = kind;
      }
      const group = this.#groups[lastGroup];
      if (group !== undefined) {
        const value = payloads[row];
        if (value !== undefined) group.isEmpty = false;
        group.values.push(value);
        group.rows.push(row);
      }
      this.#groupOf[row] = lastGroup;
      const sender = senders[row];
      if (sender === undefined) continue;
      if (sender !== lastSender) {
        lastSender = sender;
        lastNumber = numbers.get(sender) ?? 0;
        if (lastNumber === 0) numbers.set(sender, (lastNumber = this.#senders.push(known(sender))));
      }
      this.#senderOf[row] = lastNumber;
    }
  }

  #groupNamed(groups: Map<string, number>, name: string, kind: number): number {
    // Refusals carry errors, and what nodes say to each other has names of its own.
    const key = kind === rowKind.refusal ? "!" : kind >= rowKind.nodeTell ? `${kind}${name}` : name;
    let index = groups.get(key);
    if (index !== undefined) return index;
    index = this.#groups.push({
      name: this.#strings.indexOf(name),
      values: [],
      rows: [],
      isEmpty: true,
      payload: undefined,
    }) - 1;
    groups.set(key, index);
    return index;
  }

  #encodeGroup(group: Group): void {
    if (group.isEmpty) return;
    try {
      group.payload = encodeObjects(group.values);
    } catch {
      this.#refuseSome(group);
      group.payload = encodeObjects(group.values);
    }
  }

  /** Something in it can't travel: that is refused, and all else goes. */
  #refuseSome({ values, rows }: Group): void {
    values.forEach((value, index) => {
      try {
        encodeObjects([value]);
      } catch (error) {
        const row = rows[index] ?? 0;
        this.#refused(row, error);
        this.#rows.kinds[row] = rowKind.nothing;
        values[index] = undefined;
      }
    });
  }
}

function isEntity(kind: number | undefined): boolean {
  return kind === rowKind.entityTell || kind === rowKind.entityAsk;
}

function kindOf(reference: Reference): string {
  return reference instanceof EntityReference ? nameOf(reference.definition) : reference.kind;
}
