import * as assert from "uvu/assert";
import connectedComponents, { type Member } from "../../../../examples/algorithms/graphs/connected-components.ts";
import { airportsOf, checkNetworks, type Lines } from "./networks.ts";

/** The component of each airport, by union and find. */
function componentsOf(lines: Lines, least: number): Map<string, string> {
  const parents = new Map(airportsOf(lines).map((airport) => [airport, airport]));
  const rootOf = (airport: string): string => {
    const parent = parents.get(airport) ?? airport;
    return parent === airport ? airport : rootOf(parent);
  };
  for (const { origin, destination } of lines.filter(({ count }) => count >= least)) {
    const [first = "", last = ""] = [rootOf(origin), rootOf(destination)].toSorted();
    parents.set(last, first);
  }
  return new Map([...parents.keys()].map((airport) => [airport, rootOf(airport)]));
}

export function checkMembers(members: readonly Member[], lines: Lines, least: number): void {
  const given = members.map(({ airport, component }) => [airport, component] as const);
  assert.equal(
    given.toSorted(([a], [b]) => (a < b ? -1 : 1)),
    [...componentsOf(lines, least)],
  );
}

/** Checks the components of drawn networks, of which some lines don't count. */
export async function check(runs = 15): Promise<void> {
  await checkNetworks(runs, async ({ lines }, { flights, channels }, options) => {
    const { members } = await connectedComponents.run({ flights, channels, least: 5 }, options);
    checkMembers(members, lines, 5);
  });
}
