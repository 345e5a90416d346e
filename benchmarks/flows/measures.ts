import { defineFlow, run, type Operator, type PartitionFunction, type Reader, type Task } from "qstream";
import { drawLetters, drawMeasures, MeasureDigest, stateOf, type Measure, type MeasureSums } from "../data/draw.ts";

const runLength = 4096;
const text = drawLetters();

/** Reads measures in the slot that is named, drawn while they are read. */
function drawnMeasures(seed: number, objects: number, slot: string): Reader<Measure, { readonly slot: string }> {
  return {
    kind: "drawn-measures",
    options: { seed, objects },
    locate: (split) => split.slot,
    splits: () => [{ slot }],
    *read() {
      let state = stateOf(seed, 0);
      for (let left = objects; left > 0; left -= runLength) {
        const measures: Measure[] = [];
        state = drawMeasures(text, state, Math.min(left, runLength), measures);
        yield run(measures);
      }
    },
  };
}

/** Sends everything to the last channel, which with two channels on two slots is the one that isn't the reader's. */
function toLast<T>(): PartitionFunction<T> {
  return {
    kind: "custom",
    label: "to the last channel",
    router: ({ channels }) => ({ objects: () => channels - 1, batch: () => channels - 1 }),
  };
}

class Digest implements Operator<{ in: Measure }, MeasureSums> {
  readonly #digest = new MeasureDigest();

  execute({ objects }: Task<{ in: Measure }>): void {
    this.#digest.add(objects);
  }

  done(): MeasureSums[] {
    return this.#digest.objects === 0 ? [] : [this.#digest.result()];
  }
}

/** Objects of one slot, all of them sent to the other one. */
export const measuresAcross = defineFlow(
  import.meta.url,
  (q, args: { seed: number; objects: number; from: string }) => {
    const digests = q
      .read("measures", drawnMeasures(args.seed, args.objects, args.from))
      .partition(toLast<Measure>())
      .apply("digest", () => new Digest(), { channels: 2 });
    return { digests: digests.collect() };
  },
);
