import { blockObjects, nextState, stateOf } from "./draw.ts";

/** Vertices of the graph. */
export const vertices = 1 << 20;
/** Vertices of one part: what is kept and exchanged together. */
export const partVertices = 1 << 12;
const partBits = 12;
/** What all ranks are at first. Ranks are whole numbers, so that their sums don't depend on an order. */
export const firstRank = 2 ** 32;

/** Edges, column by column. */
export interface Edges {
  readonly from: Int32Array;
  readonly to: Int32Array;
}

/** Draws the edges of some blocks, one after the other. */
export function drawBlocks(seed: number, first: number, edges: number): Edges {
  const all = { from: new Int32Array(edges), to: new Int32Array(edges) };
  for (let at = 0; at < edges; at += blockObjects) {
    const end = Math.min(edges, at + blockObjects);
    drawEdges(seed, first + at / blockObjects, all.from.subarray(at, end), all.to.subarray(at, end));
  }
  return all;
}

function drawEdges(seed: number, block: number, from: Int32Array, to: Int32Array): void {
  let state = stateOf(seed, block);
  for (let at = 0; at < from.length; at++) {
    state = nextState(state);
    from[at] = state >>> 12;
    state = nextState(state);
    to[at] = state >>> 12;
  }
}

/** Parts edges by the part of the vertex that they lead from: those of part `p` are from `ends[p - 1]` to `ends[p]`. */
export function partEdges({ from, to }: Edges): Edges & { readonly ends: Int32Array } {
  const next = new Int32Array(vertices / partVertices + 1);
  for (let at = 0; at < from.length; at++) add(next, ((from[at] as number) >>> partBits) + 1, 1);
  for (let part = 1; part < next.length; part++) add(next, part, next[part - 1] as number);
  const parted = { from: new Int32Array(from.length), to: new Int32Array(from.length) };
  for (let at = 0; at < from.length; at++) {
    const vertex = from[at] as number;
    const place = next[vertex >>> partBits] as number;
    parted.from[place] = vertex;
    parted.to[place] = to[at] as number;
    next[vertex >>> partBits] = place + 1;
  }
  return { ...parted, ends: next };
}

/** Edges by the vertex that they lead from: the targets of vertex `v` are those from `starts[v]` to `starts[v + 1]`. */
export interface SortedEdges {
  readonly starts: Int32Array;
  readonly targets: Int32Array;
}

function add(numbers: Int32Array, at: number, amount: number): void {
  numbers[at] = (numbers[at] as number) + amount;
}

/** Sorts edges, given in pieces, by counting. */
export function sortEdges(pieces: readonly Edges[]): SortedEdges {
  const starts = new Int32Array(vertices + 1);
  let edges = 0;
  for (const { from } of pieces) {
    edges += from.length;
    for (let at = 0; at < from.length; at++) add(starts, (from[at] as number) + 1, 1);
  }
  for (let vertex = 0; vertex < vertices; vertex++) add(starts, vertex + 1, starts[vertex] as number);
  const next = starts.slice();
  const targets = new Int32Array(edges);
  for (const { from, to } of pieces) {
    for (let at = 0; at < from.length; at++) {
      const vertex = from[at] as number;
      targets[next[vertex] as number] = to[at] as number;
      add(next, vertex, 1);
    }
  }
  return { starts, targets };
}

/** Adds to the sums of all vertices what each vertex gives to those that its edges lead to. */
export function giveShares({ starts, targets }: SortedEdges, ranks: Float64Array, sums: Float64Array): void {
  let at = 0;
  for (let vertex = 0; vertex < vertices; vertex++) {
    const end = starts[vertex + 1] as number;
    if (at === end) continue;
    const share = Math.floor((ranks[vertex] as number) / (end - at));
    for (; at < end; at++) {
      const target = targets[at] as number;
      sums[target] = (sums[target] as number) + share;
    }
  }
}

/** The rank of a vertex by what it was given. */
export function rankOf(sum: number): number {
  return Math.floor(0.15 * firstRank + 0.85 * sum);
}
