import type { LinkPosition } from "../../lib/core/contracts/lineage.ts";

/** Seqs of the last parcels of an edge's links, by the channel at their other end. */
export type EdgePositions = ReadonlyMap<number, number>;

const nothing: EdgePositions = new Map();

/** A checkpoint of a channel with hundreds of others is looked at again and again: its lists are searched once. */
const known = new WeakMap<readonly LinkPosition[], ReadonlyMap<number, EdgePositions>>();

/** Where the links of one edge stood by a checkpoint, whose lists don't change. */
export function positionsOn(positions: readonly LinkPosition[], edge: number): EdgePositions {
  let edges = known.get(positions);
  if (edges === undefined) {
    edges = byEdge(positions);
    known.set(positions, edges);
  }
  return edges.get(edge) ?? nothing;
}

/** Seq of the last parcel of a link by a checkpoint, or -1. */
export function positionOf(positions: readonly LinkPosition[], edge: number, other: number): number {
  return positionsOn(positions, edge).get(other) ?? -1;
}

function byEdge(positions: readonly LinkPosition[]): ReadonlyMap<number, EdgePositions> {
  const edges = new Map<number, Map<number, number>>();
  for (const { edge, other, seq } of positions) {
    const links = edges.get(edge);
    if (links === undefined) edges.set(edge, new Map([[other, seq]]));
    else links.set(other, seq);
  }
  return edges;
}
