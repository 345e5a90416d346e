import { anomalyOf, type Anomaly } from "./anomaly.ts";
import { invalid, stepsOf, type TransactionCall } from "./transaction.ts";
import { short, valueText } from "./value-text.ts";

/** An element of a list, and the transaction that appended it. */
export interface Version {
  readonly value: unknown;
  readonly writer: TransactionCall;
}

/** A read of a list by a transaction that was ok, without what that one had appended itself before. */
export interface ListRead {
  readonly reader: TransactionCall;
  /** How many elements others had appended. */
  readonly length: number;
}

/** What is known of one list. */
export interface KnownList {
  readonly key: string;
  /** The elements in their order, as far as a read shows it. */
  readonly versions: readonly Version[];
  /** Appended by transactions that took effect, or may have, and seen by no read: they come after all versions. */
  readonly unseen: readonly Version[];
  readonly reads: readonly ListRead[];
}

/** Lists as reads show them, and what no order of transactions explains. */
export interface ListsFound {
  readonly lists: readonly KnownList[];
  readonly anomalies: readonly Anomaly[];
  /** Those that took effect, or may have. */
  readonly effective: readonly TransactionCall[];
}

type Writers = ReadonlyMap<string, Version & { readonly isLast: boolean }>;

/** A read as it was recorded, without the reader's own elements. */
interface ReadValues {
  readonly reader: TransactionCall;
  readonly key: string;
  readonly values: readonly unknown[];
}

/**
 * Finds the order of each list's elements: the longest read shows it, and all others have to be beginnings of that one.
 *
 * @throws QStreamError HISTORY_INVALID if an element is appended twice to a list, as nobody can tell who appended it then
 */
export function findLists(calls: readonly TransactionCall[]): ListsFound {
  const writers = writersOf(calls);
  const anomalies: Anomaly[] = [];
  const readsOf = new Map<string, ReadValues[]>();
  const seen = new Set<string>();
  for (const reader of calls) {
    if (reader.outcome !== "ok") continue;
    for (const read of readsOfOthers(reader, anomalies)) {
      for (const value of read.values) {
        seen.add(elementKey(read.key, value));
      }
      const wrong = wrongRead(read, writers);
      if (wrong !== undefined) anomalies.push(wrong);
      else getOrAdd(readsOf, read.key).push(read);
    }
  }
  // An unknown transaction of which nothing is seen only comes after others, so it makes no cycle: it may count as well.
  const effective = calls.filter(({ outcome }) => outcome !== "fail");
  const unseenOf = new Map<string, Version[]>();
  for (const writer of effective) {
    for (const step of writer.operation) {
      if (step.kind !== "append" || seen.has(elementKey(step.key, step.value))) continue;
      getOrAdd(unseenOf, step.key).push({ value: step.value, writer });
    }
  }
  const keys = new Set([...readsOf.keys(), ...unseenOf.keys()]);
  const lists = [...keys].map((key) =>
    knownList(key, readsOf.get(key) ?? [], unseenOf.get(key) ?? [], writers, anomalies),
  );
  return { lists, anomalies, effective };
}

/** Puts one list together. Reads that don't agree with the longest one are anomalies, and tell nothing more. */
function knownList(
  key: string,
  reads: readonly ReadValues[],
  unseen: readonly Version[],
  writers: Writers,
  anomalies: Anomaly[],
): KnownList {
  const longest = reads.reduce<ReadValues | undefined>(
    (most, read) => (read.values.length > (most?.values.length ?? -1) ? read : most),
    undefined,
  );
  const order = longest?.values.map(valueText) ?? [];
  const agreeing: ListRead[] = [];
  for (const { reader, values } of reads) {
    if (values.every((value, index) => valueText(value) === order[index])) {
      agreeing.push({ reader, length: values.length });
      continue;
    }
    const [one, other] = fromDifference(values, longest?.values ?? []);
    const reason = `one read ${valueText(key)} as ${one}, the other as ${other}`;
    anomalies.push(anomalyOf("incompatible order", [reader, longest?.reader ?? reader], [reason]));
  }
  const versions = (longest?.values ?? []).map((value) => writers.get(elementKey(key, value)) as Version);
  return { key, versions, unseen, reads: agreeing };
}

/** Two lists, each from where they differ, where both are too long to be read. */
function fromDifference(one: readonly unknown[], other: readonly unknown[]): readonly [string, string] {
  const at = one.findIndex((value, index) => valueText(value) !== valueText(other[index]));
  const start = at < 0 ? Math.min(one.length, other.length) : at;
  const isShort = [one, other].every((list) => valueText(list) === short(valueText(list)));
  const textOf = (list: readonly unknown[]): string =>
    isShort || start === 0 ? short(valueText(list)) : `[${start} more, ${short(valueText(list.slice(start)).slice(1))}`;
  return [textOf(one), textOf(other)];
}

function getOrAdd<T>(map: Map<string, T[]>, key: string): T[] {
  const known = map.get(key);
  if (known !== undefined) return known;
  const added: T[] = [];
  map.set(key, added);
  return added;
}

function elementKey(key: string, value: unknown): string {
  return valueText([key, value]);
}

function writersOf(calls: readonly TransactionCall[]): Writers {
  const writers = new Map<string, Version & { readonly isLast: boolean }>();
  for (const writer of calls) {
    for (const [index, step] of writer.operation.entries()) {
      if (step.kind !== "append") continue;
      const { key, value } = step;
      const element = elementKey(key, value);
      const other = writers.get(element)?.writer;
      if (other !== undefined) {
        throw invalid(
          `calls ${other.call} and ${writer.call} both append ${valueText(value)} to ${valueText(key)}`,
          "Append each element once to a list, so that a read tells who appended it",
        );
      }
      const isLast = !writer.operation.slice(index + 1).some((later) => later.kind === "append" && later.key === key);
      writers.set(element, { value, writer, isLast });
    }
  }
  return writers;
}

/** What a transaction read of others. Its reads have to agree with what it did and read itself before. */
function readsOfOthers(reader: TransactionCall, anomalies: Anomaly[]): ReadValues[] {
  const own = new Map<string, { readonly appended: unknown[]; before?: readonly unknown[] }>();
  const reads: ReadValues[] = [];
  for (const { kind, key, value } of stepsOf(reader)) {
    const known = own.get(key) ?? { appended: [] };
    own.set(key, known);
    if (kind === "append") {
      known.appended.push(value);
      continue;
    }
    const list = value ?? [];
    if (!Array.isArray(list)) {
      throw invalid(
        `call ${reader.call} read the list ${valueText(key)} as ${valueText(value)}`,
        "Reads of lists give arrays",
      );
    }
    const before = list.slice(0, Math.max(0, list.length - known.appended.length));
    const expected = [...(known.before ?? before), ...known.appended];
    if (valueText(expected) !== valueText(list)) {
      const [found, wanted] = fromDifference(list, expected);
      const reason = `it read ${valueText(key)} as ${found}, and after its own steps it is ${wanted}`;
      anomalies.push(anomalyOf("internal", [reader], [reason]));
      continue;
    }
    if (known.before === undefined) reads.push({ reader, key, values: before });
    known.before = before;
  }
  return reads;
}

/** What a read shows that no transaction that took effect has left there. */
function wrongRead({ reader, key, values }: ReadValues, writers: Writers): Anomaly | undefined {
  const as = `it read ${valueText(key)} as ${short(valueText(values))}`;
  if (new Set(values.map(valueText)).size < values.length) return anomalyOf("duplicate elements", [reader], [as]);
  for (const value of values) {
    const writer = writers.get(elementKey(key, value))?.writer;
    const what = valueText(value);
    if (writer === undefined) return anomalyOf("garbage read", [reader], [`${as}, and nobody appended ${what}`]);
    if (writer === reader) return anomalyOf("internal", [reader], [`${as}, and appended ${what} only afterwards`]);
    if (writer.outcome === "fail") {
      return anomalyOf("G1a", [reader, writer], [`${as}, and #${writer.call}, which appended ${what}, failed`]);
    }
  }
  const last = values.at(-1);
  const version = writers.get(elementKey(key, last));
  if (version === undefined || version.isLast) return undefined;
  const reason = `${as}, and #${version.writer.call} appended more to it after ${valueText(last)}`;
  return anomalyOf("G1b", [reader, version.writer], [reason]);
}
