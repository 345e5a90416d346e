import type { Dependency } from "./anomaly.ts";
import type { KnownList, Version } from "./lists.ts";
import type { TransactionCall } from "./transaction.ts";
import { valueText } from "./value-text.ts";

/** The dependencies that lists show: of each kind one between neighbours, from which the others follow. */
export function listDependencies(lists: readonly KnownList[]): Dependency[] {
  return lists.flatMap((list) => [...writesOf(list), ...readsOf(list)]).filter(({ from, to }) => from !== to);
}

/** Each version comes after the one before; those that no read shows, after the last that one does. */
function writesOf({ key, versions, unseen }: KnownList): Dependency[] {
  const list = valueText(key);
  const depend = (from: Version, to: Version, how: string): Dependency => ({
    from: from.writer,
    to: to.writer,
    kind: "ww",
    reason: `#${to.writer.call} appended ${valueText(to.value)} to ${list}, ${how} #${from.writer.call} had appended ${valueText(from.value)}`,
  });
  const last = versions.at(-1);
  return [
    ...versions.slice(1).map((to, index) => depend(versions[index] as Version, to, "to which before")),
    ...(last === undefined ? [] : unseen.map((to) => depend(last, to, "unseen by reads that show what"))),
  ];
}

function readsOf({ key, versions, unseen, reads }: KnownList): Dependency[] {
  const list = valueText(key);
  return reads.flatMap(({ reader, length }): Dependency[] => {
    const seen = versions[length - 1];
    const missed = length < versions.length ? versions.slice(length, length + 1) : unseen;
    const as = length === 0 ? "empty" : `up to ${valueText(seen?.value)}`;
    return [
      ...(seen === undefined
        ? []
        : [
            {
              from: seen.writer,
              to: reader,
              kind: "wr" as const,
              reason: `#${reader.call} read ${list} ${as}, which #${seen.writer.call} appended`,
            },
          ]),
      ...missed.map(({ writer, value }) => ({
        from: reader,
        to: writer,
        kind: "rw" as const,
        reason: `#${reader.call} read ${list} ${as}, without ${valueText(value)}, which #${writer.call} appended`,
      })),
    ];
  });
}

/**
 * A transaction comes before those that began after its end. Only the last ones that ended before another began get a
 * dependency to that one; they have those that ended earlier before them.
 */
export function realTimeDependencies(effective: readonly TransactionCall[]): Dependency[] {
  const found: Dependency[] = [];
  const before = new Map<TransactionCall, readonly TransactionCall[]>();
  const ended = new Set<TransactionCall>();
  const moments = effective.flatMap((call) => [
    { at: call.invokedAt, call, isEnd: false },
    ...(call.endedAt < Infinity ? [{ at: call.endedAt, call, isEnd: true }] : []),
  ]);
  for (const { call, isEnd } of moments.sort((one, other) => one.at - other.at)) {
    if (isEnd) {
      for (const earlier of before.get(call) ?? []) ended.delete(earlier);
      ended.add(call);
      continue;
    }
    before.set(call, [...ended]);
    for (const from of ended) {
      found.push({ from, to: call, kind: "realtime", reason: `#${from.call} had ended when #${call.call} began` });
    }
  }
  return found;
}
