import { setTimeout as sleep } from "node:timers/promises";
import { defineFlow, run, type Keyed, type Operator, type Reader, type Task } from "qstream";
import { nextState, stateOf } from "../data/draw.ts";

/** Updates of keyed state: how many keys, how many updates come to them, and how fast. */
export interface UpdatesArguments {
  readonly seed: number;
  readonly keys: number;
  readonly updates: number;
  /** Updates a millisecond that are offered, by all channels together; before, each key comes once, as fast as it can. */
  readonly perMs: number;
}

/** One update of a key: its new part. */
export interface Update {
  readonly key: number;
  readonly by: number;
}

type Part = { readonly first: number; readonly step: number };

const runLength = 2048;

/** A key by Zipf's law with exponent 1.0: its rank comes in proportion to 1/rank, so that the logarithm is drawn evenly. */
function drawKey(state: number, keys: number): number {
  return Math.min(keys - 1, Math.floor(Math.exp(((state >>> 0) / 2 ** 32) * Math.log(keys + 1)) - 1));
}

function keysAndUpdates({ seed, keys, updates, perMs }: UpdatesArguments): Reader<Update, Part> {
  return {
    kind: "keys-and-updates",
    options: { seed, keys, updates },
    splits: ({ channels }) => Array.from({ length: channels }, (_, first) => ({ first, step: channels })),
    async *read({ first, step }) {
      for (let key = first; key < keys;) {
        const parcel: Update[] = [];
        for (let left = runLength; left > 0 && key < keys; left--, key += step) parcel.push({ key, by: 1 });
        yield run(parcel);
      }
      const count = Math.floor(updates / step) + (first < updates % step ? 1 : 0);
      let state = stateOf(seed, first);
      const startedAt = performance.now();
      for (let from = 0; from < count; from += runLength) {
        const early = startedAt + (from * step) / perMs - performance.now();
        if (early > 1) await sleep(early);
        const parcel: Update[] = [];
        for (let left = Math.min(runLength, count - from); left > 0; left--) {
          state = nextState(state);
          parcel.push({ key: drawKey(state, keys), by: 1 + (state & 7) });
        }
        yield run(parcel);
      }
    },
  };
}

/** How much of what came out. */
export interface CountsDigest {
  readonly keys: number;
  readonly updates: number;
  readonly digest: number;
}

/** A digest of counts, which depends on every key and its count, but not on their order. */
export function digestCounts(counts: readonly Keyed<number, number>[], before?: CountsDigest): CountsDigest {
  let { updates, digest } = before ?? { updates: 0, digest: 0 };
  for (const { key, value } of counts) {
    updates += value;
    digest += (Math.imul(key + 1, 0x9e3779b1) ^ Math.imul(value, 0x85ebca6b)) >>> 8;
  }
  return { keys: (before?.keys ?? 0) + counts.length, updates, digest };
}

class Digest implements Operator<{ in: Keyed<number, number> }, CountsDigest> {
  #digest: CountsDigest = digestCounts([]);

  execute({ objects }: Task<{ in: Keyed<number, number> }>): void {
    this.#digest = digestCounts(objects, this.#digest);
  }

  done(): CountsDigest[] {
    return [this.#digest];
  }

  snapshot(): CountsDigest {
    return this.#digest;
  }

  restore(digest: CountsDigest): void {
    this.#digest = digest;
  }
}

/** A count for each of millions of keys, and a digest of all of them. */
export const keyedUpdates = defineFlow(import.meta.url, (q, args: UpdatesArguments) => {
  const counts = q.read("updates", keysAndUpdates(args)).reduceByKey(
    "counts",
    ({ key }) => key,
    () => 0,
    (sum, { by }) => sum + by,
  );
  return { digests: counts.apply("digests", () => new Digest()).collect() };
});
