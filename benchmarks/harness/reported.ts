import { isDeepStrictEqual } from "node:util";
import { median, type Contest, type Contestant, type ContestOptions, type Timed } from "./contest.ts";

/** Milliseconds since 1970 with their fractions: the same in all processes of a machine. */
export function wallClockMs(): number {
  return performance.timeOrigin + performance.now();
}

/**
 * As `contest`, for sides that say themselves how long they took: from the first value that a sender handed over until a receiver
 * had read the last, say. The start of an execution, which has a case of its own, is then no part of either side's time.
 */
export async function reportedContest<R>(
  ours: Contestant<Timed<R>>,
  peer: Contestant<Timed<R>>,
  { warmups, rounds }: Pick<ContestOptions<R>, "warmups" | "rounds">,
): Promise<Contest> {
  const times = { ours: [] as number[], peer: [] as number[] };
  for (let round = 0; round < warmups + rounds; round++) {
    const sides = round % 2 === 0 ? [ours, peer] : [peer, ours];
    const results: Timed<R>[] = [];
    for (const side of sides) results.push(await runOne(side, round + 1));
    const [first, second] = results as [Timed<R>, Timed<R>];
    if (!isDeepStrictEqual(first.result, second.result)) {
      throw new Error(`round ${round}: ${ours.name} and ${peer.name} have different results`);
    }
    if (round < warmups) continue;
    times.ours.push((round % 2 === 0 ? first : second).ms);
    times.peer.push((round % 2 === 0 ? second : first).ms);
  }
  const oursMs = median(times.ours);
  const peerMs = median(times.peer);
  return { oursMs, peerMs, ratio: peerMs / oursMs, ...times };
}

async function runOne<R>(side: Contestant<Timed<R>>, seed: number): Promise<Timed<R>> {
  await side.prepare?.(seed);
  globalThis.gc?.();
  return side.run(seed);
}
