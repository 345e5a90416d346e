/** Values that replicas change on their own and merge in any order, any number of times (Shapiro and others, 2011). */

/** A counter: what each replica has added and taken away. */
export interface Counter {
  readonly added: Readonly<Record<string, number>>;
  readonly taken: Readonly<Record<string, number>>;
}

export const emptyCounter: Counter = { added: {}, taken: {} };

export function add(counter: Counter, replica: string, amount: number): Counter {
  const side = amount < 0 ? "taken" : "added";
  return { ...counter, [side]: { ...counter[side], [replica]: (counter[side][replica] ?? 0) + Math.abs(amount) } };
}

export function valueOf({ added, taken }: Counter): number {
  const sum = (side: Readonly<Record<string, number>>): number =>
    Object.values(side).reduce((left, right) => left + right, 0);
  return sum(added) - sum(taken);
}

export function mergeCounters(left: Counter, right: Counter): Counter {
  return { added: largest(left.added, right.added), taken: largest(left.taken, right.taken) };
}

function largest(
  left: Readonly<Record<string, number>>,
  right: Readonly<Record<string, number>>,
): Record<string, number> {
  const merged = { ...left };
  for (const [replica, count] of Object.entries(right)) merged[replica] = Math.max(merged[replica] ?? 0, count);
  return merged;
}

/** A set in which adding wins over removing at the same time: each adding has a tag, and removing removes the tags that it saw. */
export interface AddWinsSet {
  /** Values by the tag of their adding. */
  readonly tags: ReadonlyMap<string, string>;
  readonly removed: ReadonlySet<string>;
}

export const emptySet: AddWinsSet = { tags: new Map(), removed: new Set() };

export function include(set: AddWinsSet, value: string, tag: string): AddWinsSet {
  return { ...set, tags: new Map(set.tags).set(tag, value) };
}

export function exclude(set: AddWinsSet, value: string): AddWinsSet {
  const removed = new Set(set.removed);
  for (const [tag, other] of set.tags) if (other === value) removed.add(tag);
  return { ...set, removed };
}

export function membersOf({ tags, removed }: AddWinsSet): readonly string[] {
  const members = new Set<string>();
  for (const [tag, value] of tags) if (!removed.has(tag)) members.add(value);
  return [...members].sort();
}

export function mergeSets(left: AddWinsSet, right: AddWinsSet): AddWinsSet {
  return { tags: new Map([...left.tags, ...right.tags]), removed: new Set([...left.removed, ...right.removed]) };
}

/** A text that many write: each letter knows behind which one it was put in (RGA: Roh and others, 2011). */
export interface Sequence {
  readonly letters: ReadonlyMap<string, Letter>;
  readonly erased: ReadonlySet<string>;
}

interface Letter {
  readonly text: string;
  /** Tag of the letter before it; "" at the beginning. */
  readonly after: string;
  /** Later than that of any letter that its writer knew. */
  readonly time: number;
  readonly replica: string;
}

export const emptySequence: Sequence = { letters: new Map(), erased: new Set() };

export function insert(sequence: Sequence, after: string, text: string, replica: string): Sequence {
  let time = 0;
  for (const letter of sequence.letters.values()) time = Math.max(time, letter.time);
  const letter = { text, after, time: time + 1, replica };
  return { ...sequence, letters: new Map(sequence.letters).set(`${time + 1}@${replica}`, letter) };
}

export function erase(sequence: Sequence, tag: string): Sequence {
  return { ...sequence, erased: new Set([...sequence.erased, tag]) };
}

export function mergeSequences(left: Sequence, right: Sequence): Sequence {
  return { letters: new Map([...left.letters, ...right.letters]), erased: new Set([...left.erased, ...right.erased]) };
}

/** Tags in the order of the text: behind a letter, the ones put in later come first. */
export function orderOf({ letters }: Sequence): readonly string[] {
  const children = new Map<string, string[]>();
  for (const [tag, { after }] of letters) children.set(after, [...(children.get(after) ?? []), tag]);
  const order: string[] = [];
  const open = [""];
  for (let tag = open.pop(); tag !== undefined; tag = open.pop()) {
    if (tag !== "") order.push(tag);
    open.push(...(children.get(tag) ?? []).sort((left, right) => compare(letters.get(left), letters.get(right))));
  }
  return order;
}

function compare(left: Letter | undefined, right: Letter | undefined): number {
  if (left === undefined || right === undefined) return 0;
  return left.time - right.time || (left.replica < right.replica ? -1 : 1);
}

export function textOf(sequence: Sequence): string {
  return orderOf(sequence)
    .filter((tag) => !sequence.erased.has(tag))
    .map((tag) => sequence.letters.get(tag)?.text ?? "")
    .join("");
}
