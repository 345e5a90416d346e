/**
 * k-means: groups of penguins that are like each other, found without looking at their species.
 *
 *     node dist/examples/algorithms/k-means/k-means.js
 *     npx qstream run examples/algorithms/k-means/k-means.ts --arg clusters=2
 */
import { pathToFileURL } from "node:url";
import {
  broadcast,
  defineFlow,
  feedback,
  formatTable,
  roundRobin,
  type Feedback,
  type LoopOperator,
  type Round,
  type Stateful,
  type Task,
} from "qstream";
import { dimensions, readPenguins, type Penguin } from "./penguins.ts";

/** Points added up. All are whole numbers, so sums are exact, in any order. */
interface Sum {
  readonly count: number;
  readonly sums: readonly number[];
  readonly squares: readonly number[];
}

/** What a channel's points of one cluster add up to. */
interface Part extends Sum {
  readonly cluster: number;
}

interface Inputs {
  readonly points: Penguin;
  readonly feedback: Part;
}

/** A point that may become a first centre: those with the lowest lots do. */
interface Drawn {
  readonly lot: number;
  readonly measures: readonly number[];
}

/** What a round tells all channels of all points. */
interface Total {
  /** Points that went to another cluster. */
  readonly changed: number;
  /** Only of the round that sees all points first. */
  readonly drawn: readonly Drawn[];
  readonly all: Sum;
}

export interface Clustered extends Penguin {
  readonly cluster: number;
}

interface State {
  readonly points: Penguin[];
  readonly clusters: readonly number[];
  readonly parts: Sum[];
  readonly centres: readonly (readonly number[])[];
  readonly deviations: readonly number[];
  readonly total: Total;
}

const zeros: readonly number[] = new Array<number>(dimensions).fill(0);
const noSum: Sum = { count: 0, sums: zeros, squares: zeros };

function added(left: readonly number[], right: readonly number[]): readonly number[] {
  return left.map((n, at) => n + (right[at] ?? 0));
}

function plus(left: Sum, right: Sum): Sum {
  const count = left.count + right.count;
  return { count, sums: added(left.sums, right.sums), squares: added(left.squares, right.squares) };
}

function sumOf(points: readonly Penguin[]): Sum {
  return points.reduce(
    (sum, { measures }) => plus(sum, { count: 1, sums: measures, squares: measures.map((n) => n * n) }),
    noSum,
  );
}

/** Lloyd's algorithm over the points of one channel. */
class KMeans implements LoopOperator<Inputs, Clustered, Part, Total, State>, Stateful<State> {
  readonly #wanted: number;
  readonly #seed: number;
  #points: Penguin[] = [];
  /** The cluster of each point. */
  #clusters: readonly number[] = [];
  /** What the points of each cluster add up to, those of all channels. */
  #parts: Sum[] = [];
  #centres: readonly (readonly number[])[] = [];
  #deviations: readonly number[] = [];
  /** Of this channel's points. */
  #total: Total = { changed: 0, drawn: [], all: noSum };

  constructor(wanted: number, seed: number) {
    this.#wanted = wanted;
    this.#seed = seed;
  }

  execute({ input, objects }: Task<Inputs>): void {
    if (input === "points") for (const point of objects) this.#points.push(point);
    else for (const part of objects) this.#parts[part.cluster] = plus(this.#parts[part.cluster] ?? noSum, part);
  }

  /** The first round sees what there is, the second has the first centres. */
  *round({ number, before }: Round<Total>): Generator<Feedback<Part>, void> {
    if (before?.vote === undefined) {
      this.#total = { changed: 0, drawn: this.#draw(), all: sumOf(this.#points) };
      return;
    }
    if (number === 1) this.#begin(before.vote);
    else this.#centres = this.#centres.map((centre, cluster) => centreOf(this.#parts[cluster]) ?? centre);
    this.#parts = [];
    this.#total = { changed: this.#assign(), drawn: [], all: noSum };
    for (const cluster of this.#centres.keys()) {
      yield feedback({ cluster, ...sumOf(this.#points.filter((_, at) => this.#clusters[at] === cluster)) });
    }
  }

  vote(): Total {
    return this.#total;
  }

  merge(left: Total, right: Total): Total {
    return {
      changed: left.changed + right.changed,
      drawn: [...left.drawn, ...right.drawn],
      all: plus(left.all, right.all),
    };
  }

  *done(): Generator<Clustered, void> {
    for (const [at, point] of this.#points.entries()) yield { ...point, cluster: this.#clusters[at] ?? 0 };
  }

  snapshot(): State {
    const [points, clusters, parts, centres] = [this.#points, this.#clusters, this.#parts, this.#centres];
    return { points, clusters, parts, centres, deviations: this.#deviations, total: this.#total };
  }

  restore({ points, clusters, parts, centres, deviations, total }: State): void {
    this.#points = points;
    this.#clusters = clusters;
    this.#parts = parts;
    this.#centres = centres;
    this.#deviations = deviations;
    this.#total = total;
  }

  #draw(): readonly Drawn[] {
    return lowest(
      this.#points.map(({ measures }) => ({ lot: lotOf(measures, this.#seed), measures })),
      this.#wanted,
    );
  }

  #begin({ drawn, all }: Total): void {
    this.#deviations = deviationsOf(all);
    this.#centres = lowest(drawn, this.#wanted).map(({ measures }) => measures);
  }

  /** Puts each point into the cluster whose centre is nearest; tells how many went to another. */
  #assign(): number {
    const clusters = this.#points.map(({ measures }) => nearest(measures, this.#centres, this.#deviations));
    const changed = clusters.filter((cluster, at) => cluster !== this.#clusters[at]).length;
    this.#clusters = clusters;
    return changed;
  }
}

/** A number that looks random, the same for the same point in whichever channel it is. */
function lotOf(measures: readonly number[], seed: number): number {
  let lot = seed;
  for (const measure of measures) {
    lot = Math.imul(lot ^ measure ^ (lot >>> 15), 0x9e3779b1);
  }
  return (lot ^ (lot >>> 16)) >>> 0;
}

/** The points with the lowest lots, no point twice. */
function lowest(drawn: readonly Drawn[], wanted: number): readonly Drawn[] {
  const distinct = new Map(drawn.map((one) => [one.measures.join(), one]));
  const inOrder = [...distinct].toSorted(([a, left], [b, right]) => left.lot - right.lot || (a < b ? -1 : 1));
  return inOrder.slice(0, wanted).map(([, one]) => one);
}

/** How far measures lie from their mean: what a difference of one is worth, be it of millimetres or of grams. */
function deviationsOf({ count, sums, squares }: Sum): readonly number[] {
  return sums.map((sum, at) => Math.sqrt(count * (squares[at] ?? 0) - sum * sum) / count || 1);
}

function centreOf(part: Sum | undefined): readonly number[] | undefined {
  return part === undefined || part.count === 0 ? undefined : part.sums.map((sum) => sum / part.count);
}

function nearest(
  point: readonly number[],
  centres: readonly (readonly number[])[],
  deviations: readonly number[],
): number {
  const squares = centres.map((centre) =>
    centre.reduce((sum, n, at) => sum + (((point[at] ?? 0) - n) / (deviations[at] ?? 1)) ** 2, 0),
  );
  return squares.indexOf(Math.min(...squares));
}

/** `clusters`: how many; `seed`: which points are the first centres. */
const kMeans = defineFlow(
  import.meta.url,
  { clusters: "int32?", seed: "int32?", channels: "int32?", table: "string?" },
  (q, { clusters = 3, seed = 1, channels, table }) => {
    const points = readPenguins(q, table).partition(roundRobin());
    const clustered = q.iterate("k-means", { points }, () => new KMeans(clusters, seed), {
      feedback: broadcast(),
      until: ({ round, vote }) => round > 0 && vote?.changed === 0,
      declares: "confluent",
      ...(channels === undefined ? {} : { channels }),
    });
    return { penguins: clustered.collect() };
  },
);

export default kMeans;

/** What is told of a cluster. */
function rowOf(cluster: number, penguins: readonly Clustered[]): Record<string, unknown> {
  const own = penguins.filter((penguin) => penguin.cluster === cluster);
  const mean = (at: number): number => own.reduce((sum, { measures }) => sum + (measures[at] ?? 0), 0) / own.length;
  const count = (wanted: string): number => own.filter(({ species }) => species === wanted).length;
  const means = {
    "beak length": `${(mean(0) / 10).toFixed(1)} mm`,
    depth: `${(mean(1) / 10).toFixed(1)} mm`,
    flipper: `${(mean(2) / 10).toFixed(0)} mm`,
    mass: `${mean(3).toFixed(0)} g`,
  };
  return {
    penguins: own.length,
    ...means,
    Adelie: count("Adelie"),
    Chinstrap: count("Chinstrap"),
    Gentoo: count("Gentoo"),
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { penguins } = await kMeans.run();
  const clusters = [...new Set(penguins.map(({ cluster }) => cluster))].toSorted((a, b) => a - b);
  console.log(formatTable(clusters.map((cluster) => rowOf(cluster, penguins))));
}
