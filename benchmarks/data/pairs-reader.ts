import { run, type Reader } from "qstream";
import { blockObjects, keyOf, nextState, stateOf, valueOf, type Pair } from "./draw.ts";

interface Block {
  readonly block: number;
  readonly objects: number;
}

const runLength = 2048;

/** Reads `objects` pairs that are drawn while they are read. A split is a block, which has a seed of its own. */
export function drawnPairs(seed: number, objects: number): Reader<Pair, Block> {
  return {
    kind: "drawn-pairs",
    options: { seed, objects },
    splits: () =>
      Array.from({ length: Math.ceil(objects / blockObjects) }, (_, block) => ({
        block,
        objects: Math.min(blockObjects, objects - block * blockObjects),
      })),
    *read(split) {
      let state = stateOf(seed, split.block);
      for (let from = 0; from < split.objects; from += runLength) {
        const pairs: Pair[] = [];
        const end = Math.min(from + runLength, split.objects);
        for (let at = from; at < end; at++) {
          state = nextState(state);
          pairs.push({ k: keyOf(state), v: valueOf(state) });
        }
        yield run(pairs);
      }
    },
  };
}
