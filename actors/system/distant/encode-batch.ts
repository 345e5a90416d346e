import { encodeObjects } from "../../../lib/core/codec/index.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import type { Payload } from "../../../lib/core/payload.ts";
import { EntityReference } from "../entities.ts";
import type { Reference } from "../reference.ts";
import { batchMagic, headWords, noString, sectionsOf } from "./batch-layout.ts";
import { isQuestion, rowKind, type MessageRows } from "./message-rows.ts";
import { known, nameOf } from "./reference-codec.ts";

/** Payloads of one name, which most often are of one shape. */
interface Group {
  readonly name: number;
  values: unknown[];
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
 * @param count - how many of the rows, from the first on
 */
export function encodeBatch(
  rows: MessageRows,
  actors: number,
  refused: (row: number, error: unknown) => void,
  count: number = rows.size,
): Payload {
  return new BatchEncoder(rows, count, refused).encode(actors);
}

class BatchEncoder {
  readonly #rows: MessageRows;
  readonly #refused: (row: number, error: unknown) => void;
  readonly #strings = new Strings();
  readonly #groups: Group[] = [];
  readonly #groupOf: Uint16Array;
  readonly #senderOf: Uint16Array;
  readonly #senders: Reference[] = [];
  readonly #count: number;

  constructor(rows: MessageRows, count: number, refused: (row: number, error: unknown) => void) {
    this.#rows = rows;
    this.#count = count;
    this.#refused = refused;
    this.#groupOf = new Uint16Array(count);
    this.#senderOf = new Uint16Array(count);
  }

  encode(actors: number): Payload {
    this.#gatherPayloads();
    this.#gatherSenders();
    this.#groups.forEach((group, index) => this.#encodeGroup(group, index));
    const { asks, entities } = this.#questionsAndEntities();
    const names = entities.map(({ definition }) => this.#strings.indexOf(nameOf(definition)));
    const keys = entities.map(({ entityKey }) => this.#strings.indexOf(entityKey));
    const senderKinds = this.#senders.map((sender) => this.#strings.indexOf(kindOf(sender)));
    const senderKeys = this.#senders.map((sender) =>
      sender instanceof EntityReference ? this.#strings.indexOf(sender.entityKey) : noString,
    );
    const groupsBytes = this.#groups.reduce((sum, { payload }) => sum + (payload?.bytes.byteLength ?? 0), 0);
    const counts = {
      rows: this.#count,
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
    view.ids.set(this.#rows.ids.subarray(0, this.#count));
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
    view.kinds.set(this.#rows.kinds.subarray(0, this.#count));
    this.#writeStrings(view.stringLengths, view.strings);
    this.#writeGroups(view);
    return { format: "columns", rows: this.#count, bytes };
  }

  #questionsAndEntities(): { readonly asks: readonly number[]; readonly entities: readonly EntityReference[] } {
    const { kinds, asks: numbers, targets } = this.#rows;
    const asks: number[] = [];
    const entities: EntityReference[] = [];
    for (let row = 0; row < this.#count; row++) {
      const kind = kinds[row];
      if (kind === rowKind.tell) continue;
      if (isQuestion(kind)) asks.push(numbers[row] ?? 0);
      if (isEntity(kind)) entities.push(targets[row] as EntityReference);
    }
    return { asks, entities };
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

  /** Sorts what messages carry into groups. */
  #gatherPayloads(): void {
    const { kinds, names, payloads } = this.#rows;
    const messages = new Map<string, number>();
    const answers = new Map<string, number>();
    const groupOf = (row: number): number => {
      const kind = kinds[row] ?? rowKind.nothing;
      const groups = kind === rowKind.answer || kind === rowKind.refusal ? answers : messages;
      return this.#groupNamed(groups, names[row] ?? "", kind);
    };
    const alike = this.#alikeAtFirst();
    if (alike > 0) {
      const first = this.#groups[groupOf(0)];
      if (first !== undefined) first.values = payloads.slice(0, alike);
    }
    let [lastName, lastKind, last] = ["", -1, -1];
    for (let row = alike; row < this.#count; row++) {
      if (last < 0 || names[row] !== lastName || kinds[row] !== lastKind) {
        last = groupOf(row);
        lastName = names[row] ?? "";
        lastKind = kinds[row] ?? -1;
      }
      this.#groups[last]?.values.push(payloads[row]);
      this.#groupOf[row] = last;
    }
  }

  /** How many rows, from the first on, are of one kind and name: often all. */
  #alikeAtFirst(): number {
    const { kinds, names } = this.#rows;
    const [kind, name] = [kinds[0], names[0]];
    let row = 0;
    while (row < this.#count && kinds[row] === kind && names[row] === name) row++;
    return row;
  }

  #gatherSenders(): void {
    const { senders } = this.#rows;
    const numbers = new Map<Reference, number>();
    let lastSender: Reference | undefined;
    let lastNumber = 0;
    for (let row = 0; row < this.#count; row++) {
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
    index =
      this.#groups.push({
        name: this.#strings.indexOf(name),
        values: [],
        payload: undefined,
      }) - 1;
    groups.set(key, index);
    return index;
  }

  #encodeGroup(group: Group, index: number): void {
    if (group.values.every((value) => value === undefined)) return;
    try {
      group.payload = encodeObjects(group.values);
    } catch (error) {
      // Fewer of them may fit.
      if (this.#count > 1 && isTooMuch(error)) throw error;
      this.#refuseSome(group, index);
      group.payload = encodeObjects(group.values);
    }
  }

  /** Something in it can't travel: that is refused, and all else goes. */
  #refuseSome({ values }: Group, group: number): void {
    let at = 0;
    for (let row = 0; row < this.#count; row++) {
      if (this.#groupOf[row] !== group) continue;
      const index = at++;
      try {
        encodeObjects([values[index]]);
      } catch (error) {
        this.#refused(row, error);
        this.#rows.clear(row);
        values[index] = undefined;
      }
    }
  }
}

/** True for an error that says that something is larger than a buffer can be. */
export function isTooMuch(error: unknown): boolean {
  return error instanceof RangeError || (error instanceof QStreamError && error.code === "LIMIT_EXCEEDED");
}

function isEntity(kind: number | undefined): boolean {
  return kind === rowKind.entityTell || kind === rowKind.entityAsk;
}

function kindOf(reference: Reference): string {
  return reference instanceof EntityReference ? nameOf(reference.definition) : reference.kind;
}
