import {
  defineFlow,
  feedback,
  hash,
  type Feedback,
  type LoopOperator,
  type Reader,
  type Round,
  type Task,
} from "qstream";
import {
  drawBlocks,
  firstRank,
  giveShares,
  partEdges,
  partVertices,
  rankOf,
  sortEdges,
  vertices,
  type Edges,
  type SortedEdges,
} from "../data/edges.ts";
import { blockObjects } from "../data/draw.ts";

export interface PageRankArguments {
  readonly seed: number;
  readonly edges: number;
  readonly rounds: number;
}

/** Numbers of the vertices of one part: what they are given in a round, or their ranks. */
export interface PartNumbers {
  readonly part: number;
  readonly numbers: Float64Array;
}

/** Edges that lead from the vertices of one part. */
interface PartEdges extends Edges {
  readonly part: number;
}

interface Inputs {
  readonly edges: PartEdges;
  readonly feedback: PartNumbers;
}

interface Split {
  readonly first: number;
  readonly edges: number;
}

const blocksOfSplit = 16;

/** Reads edges that are drawn while they are read, by parts. */
function drawnEdges(seed: number, edges: number): Reader<PartEdges, Split> {
  const edgesOfSplit = blocksOfSplit * blockObjects;
  return {
    kind: "drawn-edges",
    options: { seed, edges },
    splits: () =>
      Array.from({ length: Math.ceil(edges / edgesOfSplit) }, (_, index) => ({
        first: index * blocksOfSplit,
        edges: Math.min(edgesOfSplit, edges - index * edgesOfSplit),
      })),
    *read(split) {
      const { from, to, ends } = partEdges(drawBlocks(seed, split.first, split.edges));
      for (let part = 0, at = 0; part < ends.length - 1; part++) {
        const end = ends[part] as number;
        yield { part, from: from.slice(at, end), to: to.slice(at, end) };
        at = end;
      }
    },
  };
}

/** Ranks of the vertices of some parts. What it gives to the vertices of a part is summed before it is sent to its channel. */
class PageRank implements LoopOperator<Inputs, PartNumbers, PartNumbers> {
  readonly #pieces: Edges[] = [];
  readonly #ranks = new Float64Array(vertices).fill(firstRank);
  /** What it gives to all vertices in this round. */
  readonly #sums = new Float64Array(vertices);
  /** What the vertices of its own parts were given in this round. */
  readonly #given = new Map<number, Float64Array>();
  #edges: SortedEdges | undefined;

  execute({ input, objects }: Task<Inputs>): void {
    if (input === "edges") this.#pieces.push(...objects);
    else for (const { part, numbers } of objects) this.#take(part, numbers);
  }

  *round({ number }: Round<undefined>): Generator<Feedback<PartNumbers>, void> {
    if (number > 0) this.#rank();
    this.#edges ??= sortEdges(this.#pieces.splice(0));
    const sums = this.#sums.fill(0);
    giveShares(this.#edges, this.#ranks, sums);
    for (let part = 0; part < vertices / partVertices; part++) {
      yield feedback({ part, numbers: sums.slice(part * partVertices, (part + 1) * partVertices) });
    }
  }

  *done(): Generator<PartNumbers, void> {
    this.#rank();
    for (const part of this.#given.keys()) yield { part, numbers: this.#ofPart(part) };
  }

  #take(part: number, numbers: Float64Array): void {
    const given = this.#given.get(part);
    if (given === undefined) this.#given.set(part, numbers.slice());
    else for (let at = 0; at < given.length; at++) given[at] = (given[at] as number) + (numbers[at] as number);
  }

  #rank(): void {
    for (const [part, given] of this.#given) {
      const ranks = this.#ofPart(part);
      for (let at = 0; at < given.length; at++) ranks[at] = rankOf(given[at] as number);
      given.fill(0);
    }
  }

  #ofPart(part: number): Float64Array {
    return this.#ranks.subarray(part * partVertices, (part + 1) * partVertices);
  }
}

export const pageRank = defineFlow(import.meta.url, (q, { seed, edges, rounds }: PageRankArguments) => {
  const drawn = q.read("edges", drawnEdges(seed, edges), { channels: 2 });
  const ranks = q.iterate("rank", { edges: drawn.partition(hash("part")) }, () => new PageRank(), {
    feedback: hash("part"),
    rounds,
    channels: 2,
  });
  return { ranks: ranks.collect() };
});
