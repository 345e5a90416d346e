import { defineFlow, hash, run, type OutputSink, type Reader } from "qstream";
import { blockObjects, keyOf, nextState, stateOf, valueOf, type Pair } from "../data/draw.ts";

const runLength = 2048;

/** What sinks took of a stream of running sums. */
export interface Taken {
  readonly objects: number;
  readonly sums: number;
}

/** Called in the process of the benchmark, which is the slots' own here, as reading goes on. */
let watcher: (objects: number) => void = () => {};

export function watchReading(watch: (objects: number) => void): void {
  watcher = watch;
}

/** One split that goes on and on: nothing of what was read is ever a reason to keep anything. */
function pairsForever(seed: number, objects: number): Reader<Pair, number> {
  return {
    kind: "pairs-forever",
    options: { seed, objects },
    parallelism: "single",
    splits: () => [seed],
    *read() {
      let state = 1;
      for (let from = 0; from < objects; from += runLength) {
        if (from % blockObjects === 0) state = stateOf(seed, from / blockObjects);
        const pairs: Pair[] = [];
        for (let at = Math.min(runLength, objects - from); at > 0; at--) {
          state = nextState(state);
          pairs.push({ k: keyOf(state), v: valueOf(state) });
        }
        yield run(pairs);
        watcher(from + pairs.length);
      }
    },
  };
}

/** Counts what it takes. */
function taking(): OutputSink<{ readonly key: number; readonly value: number }, Taken> {
  return {
    kind: "taking",
    guarantee: "idempotent",
    placement: "per-slot",
    open() {
      let taken: Taken = { objects: 0, sums: 0 };
      return {
        write(objects) {
          let { sums } = taken;
          for (const { value } of objects) sums = (sums + value) % 1e12;
          taken = { objects: taken.objects + objects.length, sums };
        },
        done: () => taken,
        snapshot: () => taken,
        restore: (before: Taken) => void (taken = before),
      };
    },
    result: (parts) => {
      const all = parts as readonly Taken[];
      return all.reduce((sum, part) => ({
        objects: sum.objects + part.objects,
        sums: (sum.sums + part.sums) % 1e12,
      }));
    },
  };
}

/** A stream without end, of which so many objects are looked at: running sums by key, all of them taken by a sink. */
export const endless = defineFlow(import.meta.url, (q, args: { seed: number; objects: number }) => {
  const sums = q.read("pairs", pairsForever(args.seed, args.objects)).foldByKey(
    "sum",
    ({ k }) => k,
    () => 0,
    (sum, { v }) => (sum + v) % 1_000_003,
    { emit: "updates" },
  );
  return { taken: sums.partition(hash("key")).to(taking()) };
});
