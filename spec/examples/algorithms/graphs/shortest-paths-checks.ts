import * as assert from "uvu/assert";
import shortestPaths, { kilometres, type Way } from "../../../../examples/algorithms/graphs/shortest-paths.ts";
import { checkNetworks, type Network } from "./networks.ts";

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

export function checkWays(ways: readonly Way[], network: Network, from: string): void {
  const given = ways.map(({ airport, km, flights, over }) => ({ airport, km, flights, over })).toSorted(byCode);
  assert.equal(given, [...waysOf(network, from).values()].toSorted(byCode));
}

/** Checks the ways of drawn networks, in rounds and without. */
export async function check(runs = 15): Promise<void> {
  await checkNetworks(runs, async (network, args, options) => {
    const from = network.lines[0]?.origin ?? "";
    for (const rounds of [true, false]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other, so that a seed says what happens
      const { ways } = await shortestPaths.run({ ...args, from, rounds }, options);
      checkWays(ways, network, from);
    }
  });
}
