import * as assert from "uvu/assert";
import shortestPaths, { kilometres, type Way } from "../../../../examples/algorithms/graphs/shortest-paths.ts";
import { checkSeeds } from "../../../../lib/testing/index.ts";
import type { LoopExample } from "../loop-example.ts";
import { checkNetworks, realNetwork, type Network } from "./networks.ts";

type Known = Pick<Way, "airport" | "km" | "flights" | "over">;

function isBetter(way: Known, than: Known | undefined): boolean {
  if (than === undefined || way.km !== than.km) return than === undefined || way.km < than.km;
  return way.flights === than.flights ? (way.over ?? "") < (than.over ?? "") : way.flights < than.flights;
}

/** The shortest ways by Dijkstra's algorithm. */
function waysOf({ lines, places }: Network, from: string): Map<string, Known> {
  const positions = new Map(places.map((place) => [place.iata, place]));
  const done = new Map<string, Known>();
  const open = new Map<string, Known>([[from, { airport: from, km: 0, flights: 0, over: undefined }]]);
  for (;;) {
    const [next] = [...open.values()].toSorted((a, b) => a.km - b.km || a.flights - b.flights);
    if (next === undefined) return done;
    open.delete(next.airport);
    done.set(next.airport, next);
    for (const { origin, destination } of lines) {
      if (origin !== next.airport || done.has(destination)) continue;
      const [start, end] = [positions.get(origin), positions.get(destination)];
      if (start === undefined || end === undefined) continue;
      const km = next.km + kilometres(start, end);
      const way = { airport: destination, km, flights: next.flights + 1, over: origin };
      if (isBetter(way, open.get(destination))) open.set(destination, way);
    }
  }
}

const byCode = (left: Known, right: Known): number => (left.airport < right.airport ? -1 : 1);

function checkWays(ways: readonly Way[], network: Network, from: string): void {
  const given = ways.map(({ airport, km, flights, over }) => ({ airport, km, flights, over })).toSorted(byCode);
  assert.equal(given, [...waysOf(network, from).values()].toSorted(byCode));
}

/** Checks the ways of drawn networks, in rounds and without. */
async function onDrawnData(flow: typeof shortestPaths, runs: number): Promise<void> {
  await checkNetworks(runs, async (network, args, options) => {
    const from = network.lines[0]?.origin ?? "";
    for (const rounds of [true, false]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other, so that a seed says what happens
      const { ways } = await flow.run({ ...args, from, rounds }, options);
      checkWays(ways, network, from);
    }
  });
}

export const shortestPathsExample: LoopExample = {
  module: "graphs/shortest-paths",
  async onRealData(on) {
    for (const rounds of [true, false]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { ways } = await shortestPaths.run({ channels: 3, from: "ADK", rounds }, { on });
      checkWays(ways, realNetwork, "ADK");
    }
  },
  onDrawnData: (flow, runs) => onDrawnData(flow as typeof shortestPaths, runs),
  underFaults: [true, false].map((rounds) => (options) => checkSeeds(shortestPaths, { rounds }, options)),
  mistakes: {
    "the first way wins": [["known !== undefined && !isShorter(way, known)", "known !== undefined"]],
    "of ways of one length, any is taken": [
      ["if (way.flights !== than.flights)", "if (way.km === than.km) return false; if (false)"],
    ],
    "without rounds, who hears of a line late doesn't tell its end": [
      ["if (this.#ways.has(hop.airport))", "if (false)"],
    ],
    "the loop ends when nothing changes in one channel": [
      ["*tell() {", "get isQuiet() { return this.#changed.size === 0; } *tell() {"],
      [
        "    round() {",
        "    vote() { return this.wasQuiet; } merge(l, r) { return l || r; } round() { this.wasQuiet = this.isQuiet;",
      ],
      ["new WaysInRounds(), options)", "new WaysInRounds(), { ...options, until: ({ vote }) => vote })"],
    ],
  },
  prints: /^Hilo, HI +8,295 +BOS SLC OGG ITO$/m,
};
