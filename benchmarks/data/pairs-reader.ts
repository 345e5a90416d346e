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
        const pairs = new Array<Pair>(Math.min(runLength, split.objects - from));
        state = drawPairs(state, pairs);
        yield run(pairs);
      }
    },
  };
}

/** A function of its own: a generator's variables are in its frame on the heap. */
function drawPairs(first: number, into: Pair[]): number {
  let state = first;
  for (let at = 0; at < into.length; at++) {
    state = nextState(state);
    into[at] = { k: keyOf(state), v: valueOf(state) };
  }
  return state;
}
