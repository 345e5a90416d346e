import * as assert from "uvu/assert";
import connectedComponents, { type Member } from "../../../../examples/algorithms/graphs/connected-components.ts";
import { checkSeeds } from "../../../../lib/testing/index.ts";
import type { LoopExample } from "../loop-example.ts";
import { airportsOf, checkNetworks, realLines, type Lines } from "./networks.ts";

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

function checkMembers(members: readonly Member[], lines: Lines, least: number): void {
  const given = members.map(({ airport, component }) => [airport, component] as const);
  assert.equal(
    given.toSorted(([a], [b]) => (a < b ? -1 : 1)),
    [...componentsOf(lines, least)],
  );
}

/** Checks the components of drawn networks, of which some lines don't count. */
async function onDrawnData(flow: typeof connectedComponents, runs: number): Promise<void> {
  await checkNetworks(runs, async ({ lines }, { flights, channels }, options) => {
    const { members } = await flow.run({ flights, channels, least: 5 }, options);
    checkMembers(members, lines, 5);
  });
}

export const connectedComponentsExample: LoopExample = {
  module: "graphs/connected-components",
  async onRealData(on) {
    const { members, largest } = await connectedComponents.run({ channels: 3, least: 6000 }, { on });
    checkMembers(members, realLines, 6000);
    assert.equal(
      largest.map(({ value }) => value),
      [28, 5, 2],
    );
  },
  onDrawnData: (flow, runs) => onDrawnData(flow as typeof connectedComponents, runs),
  underFaults: [(options) => checkSeeds(connectedComponents, { least: 6000 }, options)],
  mistakes: {
    "lines are taken in one direction": [["to: isFlown ? origin : undefined", "to: undefined"]],
    "the last code wins": [["known <= component", "known >= component"]],
    "an airport that heard of an earlier code keeps it to itself": [
      [
        "this.#components.set(airport, component);",
        "this.#components.set(airport, component); if (known !== undefined) return;",
      ],
    ],
    "lines that are flown too seldom count": [["count >= least", "count >= 1"]],
  },
  prints: /^ +5 +HNL ITO KOA LIH OGG$/m,
};
