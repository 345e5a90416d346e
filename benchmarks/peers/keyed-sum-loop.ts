import { blockObjects, keyOf, nextState, stateOf, valueOf, type Pair } from "../data/draw.ts";

interface Sum {
  readonly k: number;
  sum: number;
}

const scale = ({ k, v }: Pair): Pair => ({ k, v: v * 2 + 1 });

/** The keyed sum as one loop over objects, with a table for each of two channels. */
export function sumInLoop(seed: number, objects: number): Sum[] {
  const channels = [new Map<number, Sum>(), new Map<number, Sum>()] as const;
  for (let block = 0; block * blockObjects < objects; block++) {
    const end = Math.min(blockObjects, objects - block * blockObjects);
    let state = stateOf(seed, block);
    for (let at = 0; at < end; at++) {
      state = nextState(state);
      const { k, v } = scale({ k: keyOf(state), v: valueOf(state) });
      const sums = channels[(Math.imul(k, 0x9e3779b1) >>> 31) as 0 | 1];
      const found = sums.get(k);
      if (found === undefined) sums.set(k, { k, sum: v });
      else found.sum += v;
    }
  }
  return channels.flatMap((sums) => [...sums.values()]);
}
