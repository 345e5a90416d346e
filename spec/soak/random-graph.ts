import { seededRandom, type Random } from "../../lib/core/seam/random.ts";

/** An object of a random flow. Equal ones can't be told apart, so that results are equal as multisets. */
export type Pair = { k: number; v: number };

/** A step of a random flow, as plain data: what the flow is built from, and what the oracle computes. */
export interface Step {
  readonly op: Op;
  /** Places of the steps that it takes. */
  readonly inputs: readonly number[];
  readonly a: number;
  readonly b: number;
  readonly channels: number;
}

export interface RandomGraph {
  readonly steps: readonly Step[];
  /** Steps that are collected. */
  readonly outputs: readonly number[];
}

const sources = ["source"] as const;
const unary = [
  "map",
  "filter",
  "flatMap",
  "reduce",
  "aggregate",
  "distinct",
  "sort",
  "count",
  "topK",
  "route",
] as const;
const binary = ["union", "join", "streamingJoin", "broadcastJoin", "cogroup", "staged"] as const;
export type Op = (typeof sources)[number] | (typeof unary)[number] | (typeof binary)[number];

export const joinKinds = ["inner", "left", "right", "full", "semi", "anti"] as const;
export const broadcastKinds = ["inner", "left", "semi", "anti"] as const;
export const routes = ["hash", "roundRobin", "broadcast", "custom"] as const;
const objectsMax = 4000;

/** A graph of up to so many steps. Streams part and meet again, also in one step and behind stages. */
export function randomGraph(seed: number, stepsMax: number): { readonly graph: RandomGraph; readonly random: Random } {
  const random = seededRandom(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
  const steps: Step[] = [];
  const results: Pair[][] = [];
  const count = 2 + below(stepsMax - 1);
  while (steps.length < count) {
    const kind = steps.length === 0 || random() < 0.12 ? sources : random() < 0.55 ? unary : binary;
    const inputs = Array.from({ length: kind === sources ? 0 : kind === unary ? 1 : 2 }, () =>
      near(steps.length, random),
    );
    const step = { op: pick<Op>(kind), inputs, a: below(200), b: below(200), channels: 1 + below(4) };
    const result = evaluateStep(step, results);
    // What grows too large is counted instead.
    const kept = result.length > objectsMax ? { ...step, op: "count" as const, inputs: inputs.slice(0, 1) } : step;
    steps.push(kept);
    results.push(kept === step ? result : evaluateStep(kept, results));
  }
  const taken = new Set(steps.flatMap(({ inputs }) => inputs));
  const outputs = steps.flatMap((_, index) => (!taken.has(index) || random() < 0.15 ? [index] : []));
  return { graph: { steps, outputs }, random };
}

/** A step before this one, mostly one of the last. */
function near(place: number, random: Random): number {
  return place - 1 - Math.floor(random() ** 2 * place);
}

/** The results of all steps, by plain loops over arrays. */
export function evaluate({ steps }: RandomGraph): Pair[][] {
  const results: Pair[][] = [];
  for (const step of steps) results.push(evaluateStep(step, results));
  return results;
}

function evaluateStep(step: Step, results: readonly Pair[][]): Pair[] {
  const { op, a, b, channels } = step;
  const [left = [], right = []] = step.inputs.map((input) => results[input] ?? []);
  switch (op) {
    case "source":
      return Array.from({ length: a * 3 }, (_, n) => sourced(n, b));
    case "map":
      return left.map((pair) => mapped(pair, a));
    case "filter":
      return left.filter((pair) => passes(pair, a));
    case "flatMap":
      return left.flatMap((pair) => copies(pair));
    case "reduce":
      return [...byKey(left)].map(([k, group]) => ({ k, v: sum(group) }));
    case "aggregate":
      return [...byKey(left)].map(([k, group]) =>
        aggregated({ k, total: sum(group), least: Math.min(...group.map(({ v }) => v)) }),
      );
    case "distinct":
      return [...new Map(left.map((pair) => [`${pair.k} ${pair.v}`, pair])).values()];
    case "sort":
      return left;
    case "count":
      return [{ k: 0, v: left.length }];
    case "topK":
      return left.toSorted((one, other) => other.v - one.v || other.k - one.k).slice(0, 1 + (a % 20));
    case "route":
      return routes[b % routes.length] === "broadcast" ? Array.from({ length: channels }, () => left).flat() : left;
    case "union":
      return [...left, ...right];
    case "join":
    case "streamingJoin":
      return joined(left, right, joinKinds[a % joinKinds.length] ?? "inner");
    case "broadcastJoin":
      return joined(left, right, broadcastKinds[a % broadcastKinds.length] ?? "inner");
    case "cogroup":
      return cogrouped(left, right);
    case "staged":
      return left.map((pair) => shifted(pair, sum(right)));
  }
}

// The functions of steps, which the flow and the oracle share. Numbers stay small, so that sums of them are exact.
const small = (n: number): number => n % 1_000_003;
export const sourced = (n: number, b: number): Pair => ({ k: (n * 7 + b) % 23, v: small(n * 31 + b) % 500 });
export const mapped = ({ k, v }: Pair, a: number): Pair => ({ k: (k + (v % 3)) % 29, v: small(v * 3 + a) });
export const passes = ({ k, v }: Pair, a: number): boolean => (v + k) % (2 + (a % 5)) !== 0;
export const copies = ({ k, v }: Pair): Pair[] => Array.from({ length: v % 3 }, (_, index) => ({ k, v: v + index }));
export const aggregated = ({ k, total, least }: { k: number; total: number; least: number }): Pair => ({
  k,
  v: small(total + least * 13),
});
export const shifted = ({ k, v }: Pair, by: number): Pair => ({ k, v: small(v + by) });
export const combined = (left: Pair | undefined, right: Pair | undefined): Pair => ({
  k: left?.k ?? right?.k ?? -1,
  v: small((left?.v ?? 17) * 31 + (right?.v ?? 19)),
});
export const grouped = (k: number, lefts: readonly Pair[], rights: readonly Pair[]): Pair => ({
  k,
  v: small(sum(lefts) * 3 + sum(rights) * 5 + lefts.length),
});
export const sum = (pairs: readonly Pair[]): number => pairs.reduce((total, { v }) => total + v, 0);

function byKey(pairs: readonly Pair[]): Map<number, Pair[]> {
  const groups = new Map<number, Pair[]>();
  for (const pair of pairs) {
    const group = groups.get(pair.k);
    if (group === undefined) groups.set(pair.k, [pair]);
    else group.push(pair);
  }
  return groups;
}

function joined(left: readonly Pair[], right: readonly Pair[], how: (typeof joinKinds)[number]): Pair[] {
  const [lefts, rights] = [byKey(left), byKey(right)];
  if (how === "semi") return left.filter(({ k }) => rights.has(k));
  if (how === "anti") return left.filter(({ k }) => !rights.has(k));
  const pairs: Pair[] = [];
  for (const one of left) {
    const matches = rights.get(one.k);
    for (const other of matches ?? []) pairs.push(combined(one, other));
    if (matches === undefined && (how === "left" || how === "full")) pairs.push(combined(one, undefined));
  }
  if (how === "inner" || how === "left") return pairs;
  return [...pairs, ...right.filter(({ k }) => !lefts.has(k)).map((other) => combined(undefined, other))];
}

function cogrouped(left: readonly Pair[], right: readonly Pair[]): Pair[] {
  const [lefts, rights] = [byKey(left), byKey(right)];
  return [...new Set([...lefts.keys(), ...rights.keys()])].map((k) =>
    grouped(k, lefts.get(k) ?? [], rights.get(k) ?? []),
  );
}
