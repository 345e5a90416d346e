import * as assert from "uvu/assert";
import pageRank, { type Rank } from "../../../../examples/algorithms/graphs/page-rank.ts";
import { checkSeeds } from "../../../../lib/testing/index.ts";
import type { LoopExample } from "../loop-example.ts";
import { airportsOf, checkNetworks, realLines, type Lines } from "./networks.ts";

/** Ranks by the power iteration as it is in books, with ordinary floating point numbers. */
function ranksOf(lines: Lines, damping: number): Map<string, number> {
  const airports = airportsOf(lines);
  const flights = new Map<string, number>();
  for (const { origin, count } of lines) flights.set(origin, (flights.get(origin) ?? 0) + count);
  let ranks = new Map(airports.map((airport) => [airport, 1 / airports.length]));
  for (let round = 0; round < 300; round += 1) {
    const stranded = airports.reduce((sum, airport) => sum + (flights.has(airport) ? 0 : (ranks.get(airport) ?? 0)), 0);
    const all = (1 - damping + damping * stranded) / airports.length;
    const next = new Map(airports.map((airport) => [airport, all]));
    for (const { origin, destination, count } of lines) {
      const given = (damping * (ranks.get(origin) ?? 0) * count) / (flights.get(origin) ?? 1);
      next.set(destination, (next.get(destination) ?? 0) + given);
    }
    ranks = next;
  }
  return ranks;
}

/** As close as the tolerance of the flow lets them be. */
const most = 1e-8;

function checkRanks(ranks: readonly Rank[], lines: Lines, damping = 0.85): void {
  assert.equal(ranks.map(({ airport }) => airport).toSorted(), airportsOf(lines));
  const sum = ranks.reduce((all, { rank }) => all + rank, 0);
  assert.ok(Math.abs(sum - 1) < 1e-9, `ranks sum to ${sum}`);
  const expected = ranksOf(lines, damping);
  for (const { airport, rank } of ranks) {
    const by = Math.abs(rank - (expected.get(airport) ?? NaN));
    assert.ok(by < most, `the rank of ${airport}, ${rank}, is wrong by ${by}`);
  }
}

/** All digits of all ranks. */
function digitsOf(ranks: readonly Rank[]): Map<string, number> {
  return new Map(ranks.map(({ airport, rank }) => [airport, rank] as const).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Checks the ranks of drawn networks, and that they are the same to the last digit however they come about. */
async function onDrawnData(flow: typeof pageRank, runs: number): Promise<void> {
  // Fewer flights at a stretch: so it takes fewer rounds.
  const damping = 0.6;
  await checkNetworks(runs, async ({ lines }, args, options) => {
    const { ranks } = await flow.run({ ...args, damping }, options);
    checkRanks(ranks, lines, damping);
    const { ranks: alone } = await flow.run({ ...args, damping, channels: 1 }, options);
    assert.equal(digitsOf(ranks), digitsOf(alone));
  });
}

/** Ranks to the last digit, which are the same wherever they were made. */
let digits: Map<string, number> | undefined;

export const pageRankExample: LoopExample = {
  module: "graphs/page-rank",
  async onRealData(on) {
    // Another number of channels each time.
    const channels = digits === undefined ? 5 : 2;
    const { ranks, top } = await pageRank.run({ channels }, { on });
    checkRanks(ranks, realLines);
    const first = ranks.toSorted((a, b) => b.rank - a.rank).slice(0, 10);
    assert.equal(top, first);
    digits ??= digitsOf(ranks);
    assert.equal(digitsOf(ranks), digits);
  },
  onDrawnData: (flow, runs) => onDrawnData(flow as typeof pageRank, runs),
  underFaults: [(options) => checkSeeds(pageRank, { tolerance: 0.01 }, options)],
  mistakes: {
    "rank of airports without flights gets lost": [["given + stranded / airports", "given"]],
    "the loop ends by what one channel says": [["moved: left.moved + right.moved", "moved: left.moved"]],
    "sums are rounded as they come": [["Math.round(rank / grain) * grain", "rank"]],
    "lines count once, however often they are flown": [["(rank * some) / count", "rank / flights.size"]],
    "ranks at the end are those of a channel's airports only": [
      ["rank: rank / vote.airports", "rank: rank / this.#vertices.size"],
    ],
  },
  prints: /^ATL +Atlanta, GA +5\.97 %$/m,
};
