import type { RecordedCall } from "./events.ts";

type Call = RecordedCall<unknown, unknown>;

/** What may come next in an order of calls that is being made. */
export interface Next {
  /** Indices of the calls that were ok and may come next, in the order of their invocations. They tell which were taken before. */
  readonly calls: readonly number[];
  /** True if a call that nobody knows the end of may come next. */
  readonly allows: (unknown: Call) => boolean;
}

/** The calls that were ok and aren't in the order yet, and which of them may come next. */
export interface Frontier {
  readonly next: () => Next;
  /** Puts a call that may come next into the order. */
  readonly take: (call: number) => void;
  /** Takes the last call of the order out again. */
  readonly untake: (call: number) => void;
}

/** Makes a frontier of the calls that were ok, in the order of their invocations. */
export type FrontierOf = (ok: readonly Call[]) => Frontier;

/**
 * A call comes before those that began after its end: as in the algorithm of Wing and Gong, a linked list of begins and ends,
 * in which all that begin before the first end may come next.
 */
export function realTimeFrontier(ok: readonly Call[]): Frontier {
  const ends = 2 * ok.length;
  // Two entries of a call: its index is the begin, and the end is as many further on. `ends` is before the first and after the last.
  const at = (entry: number): number =>
    entry < ok.length ? (ok[entry]?.invokedAt ?? 0) : (ok[entry - ok.length]?.endedAt ?? 0);
  const entries = [...new Array<undefined>(ends).keys()].sort((one, other) => at(one) - at(other));
  const after = new Int32Array(ends + 1);
  const before = new Int32Array(ends + 1);
  [...entries, ends].forEach((entry, index) => {
    const previous = entries[index - 1] ?? ends;
    after[previous] = entry;
    before[entry] = previous;
  });
  const unlink = (entry: number): void => {
    const [previous, following] = [before[entry] as number, after[entry] as number];
    after[previous] = following;
    before[following] = previous;
  };
  const link = (entry: number): void => {
    after[before[entry] as number] = entry;
    before[after[entry] as number] = entry;
  };
  return {
    next() {
      const calls: number[] = [];
      let entry = after[ends] as number;
      for (; entry < ok.length; entry = after[entry] as number) calls.push(entry);
      const firstEnd = entry === ends ? Infinity : at(entry);
      return { calls, allows: ({ invokedAt }) => invokedAt < firstEnd };
    },
    take(call) {
      unlink(call);
      unlink(call + ok.length);
    },
    untake(call) {
      link(call + ok.length);
      link(call);
    },
  };
}

/** A call comes before the later ones of its client. What nobody knows the end of comes after the earlier ones of its client. */
export function clientFrontier(ok: readonly Call[]): Frontier {
  const ofClient = new Map<string, { readonly calls: number[]; taken: number }>();
  ok.forEach(({ client }, index) => {
    const own = ofClient.get(client);
    if (own === undefined) ofClient.set(client, { calls: [index], taken: 0 });
    else own.calls.push(index);
  });
  const of = (call: number): { taken: number } => ofClient.get(ok[call]?.client ?? "") ?? { taken: 0 };
  return {
    next() {
      const following = new Map<string, number>();
      for (const [client, { calls, taken }] of ofClient) {
        const call = calls[taken];
        if (call !== undefined) following.set(client, call);
      }
      return {
        calls: [...following.values()].sort((one, other) => one - other),
        allows: ({ client, invokedAt }) => {
          const call = following.get(client);
          return call === undefined || (ok[call]?.invokedAt ?? 0) > invokedAt;
        },
      };
    },
    take: (call) => {
      of(call).taken += 1;
    },
    untake: (call) => {
      of(call).taken -= 1;
    },
  };
}

/** Any call may come before any other. */
export function freeFrontier(ok: readonly Call[]): Frontier {
  const left = ok.map(() => true);
  return {
    next: () => ({ calls: left.flatMap((isLeft, call) => (isLeft ? [call] : [])), allows: () => true }),
    take: (call) => {
      left[call] = false;
    },
    untake: (call) => {
      left[call] = true;
    },
  };
}
