import { lastValueFrom, map, merge, Observable, reduce, Subject, mergeMap, toArray } from "rxjs";
import { blockObjects, keyOf, nextState, stateOf, valueOf, type Pair } from "../data/draw.ts";

interface Sum {
  readonly k: number;
  sum: number;
}

/**
 * The keyed sum in RxJS. A hand-written source and a subject for each channel are faster than `range`, `groupBy` and
 * `partition`, which costs a second pass of each object through a filter.
 */
export async function sumInRxjs(seed: number, objects: number): Promise<Sum[]> {
  const channels = [new Subject<Pair>(), new Subject<Pair>()] as const;
  const sums = lastValueFrom(merge(...channels.map(keyedSum)).pipe(toArray()));
  drawn(seed, objects)
    .pipe(map(({ k, v }) => ({ k, v: v * 2 + 1 })))
    .subscribe({
      next: (pair) => channels[(Math.imul(pair.k, 0x9e3779b1) >>> 31) as 0 | 1].next(pair),
      complete: () => channels.forEach((channel) => channel.complete()),
    });
  return sums;
}

function drawn(seed: number, objects: number): Observable<Pair> {
  return new Observable((subscriber) => {
    for (let block = 0; block * blockObjects < objects; block++) {
      const end = Math.min(blockObjects, objects - block * blockObjects);
      let state = stateOf(seed, block);
      for (let at = 0; at < end; at++) {
        state = nextState(state);
        subscriber.next({ k: keyOf(state), v: valueOf(state) });
      }
    }
    subscriber.complete();
  });
}

function keyedSum(pairs: Observable<Pair>): Observable<Sum> {
  return pairs.pipe(
    reduce((sums, { k, v }) => {
      const found = sums.get(k);
      if (found === undefined) sums.set(k, { k, sum: v });
      else found.sum += v;
      return sums;
    }, new Map<number, Sum>()),
    mergeMap((sums) => sums.values()),
  );
}
