// Seeded values, drawn where they are needed: reader and peer draw the same, and no two parcels hold the same.

/** Objects that share one seed: a block can be drawn without those before it, so that splits and peers agree. */
export const blockObjects = 1 << 16;

/** First state of a generator for one block of a round. Never 0, which xorshift doesn't leave. */
export function stateOf(seed: number, block: number): number {
  let hash = Math.imul(seed, 0x9e3779b1) ^ Math.imul(block + 1, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
  return (hash ^ (hash >>> 15)) | 1;
}

/** Marsaglia's xorshift: the next state, which is the random number, too. */
export function nextState(state: number): number {
  let next = state;
  next ^= next << 13;
  next ^= next >>> 17;
  next ^= next << 5;
  return next;
}

/** What the keyed sum is about: 1,024 different keys, values below 65,536, so that sums are exact. */
export interface Pair {
  readonly k: number;
  readonly v: number;
}

export const keyOf = (state: number): number => state >>> 22;
export const valueOf = (state: number): number => state & 0xffff;

/** What crosses between slots: two numbers and a text. */
export interface Measure {
  readonly id: number;
  readonly value: number;
  readonly name: string;
}

const letters = 1 << 16;

/** A text that names are cut out of. */
export function drawLetters(): string {
  const codes = new Uint8Array(letters + 16);
  let state = stateOf(7, 7);
  for (let at = 0; at < codes.length; at++) {
    state = nextState(state);
    codes[at] = 97 + ((state >>> 8) % 26);
  }
  return String.fromCharCode(...codes.subarray(0, 32768), ...codes.subarray(32768, 65536), ...codes.subarray(65536));
}

/** Draws `count` measures into a new array; names have 6 to 13 letters. Returns the state that it ended with. */
export function drawMeasures(text: string, first: number, count: number, into: Measure[]): number {
  let state = first;
  for (let at = 0; at < count; at++) {
    state = nextState(state);
    const id = state;
    state = nextState(state);
    const from = state & (letters - 1);
    // A fraction, so that the column isn't one of small integers.
    into.push({ id, value: state / 256, name: text.substring(from, from + 6 + ((state >>> 16) & 7)) });
  }
  return state;
}

/** What receivers make of measures: every field of every object is read. */
export class MeasureDigest {
  objects = 0;
  ids = 0;
  values = 0;
  letters = 0;

  add(measures: readonly Measure[]): void {
    let { ids, values, letters: sum } = this;
    for (let at = 0; at < measures.length; at++) {
      const { id, value, name } = measures[at] as Measure;
      ids += id;
      values += value;
      sum += name.charCodeAt(0) + name.charCodeAt(name.length - 1) * name.length;
    }
    this.objects += measures.length;
    this.ids = ids;
    this.values = values;
    this.letters = sum;
  }

  result(): MeasureSums {
    const { objects, ids, values, letters: sum } = this;
    return { objects, ids, values, letters: sum };
  }
}

export interface MeasureSums {
  readonly objects: number;
  readonly ids: number;
  readonly values: number;
  readonly letters: number;
}
