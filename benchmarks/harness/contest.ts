import { isDeepStrictEqual } from "node:util";

/** One side of a comparison. */
export interface Contestant<R> {
  readonly name: string;
  /** What belongs to a round but not to its time: drawing the values that are then sent, say. */
  readonly prepare?: (seed: number) => Promise<void> | void;
  /** The work of one round; every round has a seed of its own, so no values come twice. */
  readonly run: (seed: number) => Promise<R> | R;
}

export interface ContestOptions<R> {
  readonly warmups: number;
  readonly rounds: number;
  /** The result in a form in which equal results are equal by structure. Not part of the time. */
  readonly comparable?: (result: R) => unknown;
}

export interface Contest {
  readonly oursMs: number;
  readonly peerMs: number;
  /** How many times as fast as the peer we are. */
  readonly ratio: number;
  /** All rounds, for those who doubt a median. */
  readonly ours: readonly number[];
  readonly peer: readonly number[];
}

/**
 * Lets both sides do the same rounds by turns, in alternating order, and compares medians. Different results end the
 * benchmark: then it wasn't the same work.
 */
export async function contest<R>(
  ours: Contestant<R>,
  peer: Contestant<R>,
  options: ContestOptions<R>,
): Promise<Contest> {
  const times = { ours: [] as number[], peer: [] as number[] };
  const comparable = options.comparable ?? ((result: R): unknown => result);
  for (let round = 0; round < options.warmups + options.rounds; round++) {
    const seed = round + 1;
    const runOurs = async (): Promise<Timed<R>> => timed(ours, seed);
    const runPeer = async (): Promise<Timed<R>> => timed(peer, seed);
    // Who comes second meets warm caches and a busier heap: both do as often.
    const [first, second] = round % 2 === 0 ? [await runOurs(), await runPeer()] : [await runPeer(), await runOurs()];
    const [ourRound, peerRound] = round % 2 === 0 ? [first, second] : [second, first];
    if (!isDeepStrictEqual(comparable(ourRound.result), comparable(peerRound.result))) {
      throw new Error(`round ${round}: ${ours.name} and ${peer.name} have different results`);
    }
    if (round < options.warmups) continue;
    times.ours.push(ourRound.ms);
    times.peer.push(peerRound.ms);
  }
  const oursMs = median(times.ours);
  const peerMs = median(times.peer);
  return { oursMs, peerMs, ratio: peerMs / oursMs, ...times };
}

export interface Timed<R> {
  readonly ms: number;
  readonly result: R;
}

/** Prepares a round, collects garbage, and times the round. */
export async function timed<R>(side: Contestant<R>, seed: number): Promise<Timed<R>> {
  await side.prepare?.(seed);
  globalThis.gc?.();
  const from = performance.now();
  const result = await side.run(seed);
  return { ms: performance.now() - from, result };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The figures of a contest as details of a report. */
export function detailsOf(result: Contest, objects: number, unit = "M/s"): Record<string, string | number> {
  const speed = (ms: number): string => `${round(objects / ms / 1000)} ${unit}`;
  return {
    ours: `${round(result.oursMs)} ms (${speed(result.oursMs)})`,
    peer: `${round(result.peerMs)} ms (${speed(result.peerMs)})`,
    ourRounds: result.ours.map(round).join(" "),
    peerRounds: result.peer.map(round).join(" "),
  };
}

/** Three significant digits, which is more than a benchmark is worth. */
export function round(value: number): number {
  return Number(value.toPrecision(3));
}
