import { drawBlocks, firstRank, giveShares, rankOf, sortEdges, vertices } from "../data/edges.ts";

/** Ranks by plain loops over typed arrays, with the edges sorted once. */
export function rankInLoop(seed: number, edges: number, rounds: number): Float64Array {
  const sorted = sortEdges([drawBlocks(seed, 0, edges)]);
  const ranks = new Float64Array(vertices).fill(firstRank);
  const sums = new Float64Array(vertices);
  for (let round = 0; round < rounds; round++) {
    sums.fill(0);
    giveShares(sorted, ranks, sums);
    for (let vertex = 0; vertex < vertices; vertex++) ranks[vertex] = rankOf(sums[vertex] as number);
  }
  return ranks;
}
