/**
 * Shortest paths: the fewest kilometres from one airport to each of the others, and over which airports.
 *
 *     node dist/examples/algorithms/graphs/shortest-paths.js
 *     npx qstream run examples/algorithms/graphs/shortest-paths.ts --arg from=ADK
 *     npx qstream run examples/algorithms/graphs/shortest-paths.ts --arg rounds=false
 */
import { pathToFileURL } from "node:url";
import {
  defineFlow,
  feedback,
  formatTable,
  hash,
  items,
  type Feedback,
  type LoopOperator,
  type Stateful,
  type Task,
} from "qstream";
import {
  networkArguments,
  placed,
  readAirports,
  readLines,
  type Airport,
  type Line,
  type Position,
} from "./flight-network.ts";

/** A line that can be flown. */
export interface Hop {
  readonly airport: string;
  readonly to: string;
  /** Whole kilometres, so that sums are exact. */
  readonly km: number;
}

/** A way to an airport; of several with as many kilometres the one with fewer flights, of those the first by code. */
export interface Way {
  readonly airport: string;
  readonly km: number;
  readonly flights: number;
  /** The airport before it; undefined for the one that all ways begin at. */
  readonly over: string | undefined;
}

interface Inputs {
  readonly hops: Hop;
  readonly start: Way;
  readonly feedback: Way;
}

interface State {
  readonly hops: Map<string, Hop[]>;
  readonly ways: Map<string, Way>;
  readonly changed: Set<string>;
}

function isShorter(way: Way, than: Way): boolean {
  if (way.km !== than.km) return way.km < than.km;
  if (way.flights !== than.flights) return way.flights < than.flights;
  return (way.over ?? "") < (than.over ?? "");
}

/** The airports of one channel, with the shortest ways to them so far. */
abstract class Ways implements Stateful<State> {
  #hops = new Map<string, Hop[]>();
  #ways = new Map<string, Way>();
  /** Airports whose neighbours haven't been told yet. */
  #changed = new Set<string>();

  *done(): Generator<Way, void> {
    yield* this.#ways.values();
  }

  snapshot(): State {
    return { hops: this.#hops, ways: this.#ways, changed: this.#changed };
  }

  restore({ hops, ways, changed }: State): void {
    this.#hops = hops;
    this.#ways = ways;
    this.#changed = changed;
  }

  protected take({ input, objects }: Task<Inputs>): void {
    if (input === "hops") for (const hop of objects) this.#add(hop);
    else for (const way of objects) this.#hear(way);
  }

  protected *tell(): Generator<Feedback<Way>, void> {
    for (const over of this.#changed) {
      const { km = 0, flights = 0 } = this.#ways.get(over) ?? {};
      for (const hop of this.#hops.get(over) ?? []) {
        yield feedback({ airport: hop.to, km: km + hop.km, flights: flights + 1, over });
      }
    }
    this.#changed.clear();
  }

  #add(hop: Hop): void {
    const hops = this.#hops.get(hop.airport);
    if (hops === undefined) this.#hops.set(hop.airport, [hop]);
    else hops.push(hop);
    if (this.#ways.has(hop.airport)) this.#changed.add(hop.airport);
  }

  #hear(way: Way): void {
    const known = this.#ways.get(way.airport);
    if (known !== undefined && !isShorter(way, known)) return;
    this.#ways.set(way.airport, way);
    this.#changed.add(way.airport);
  }
}

/** In round 5 everybody knows the shortest of the ways with up to five flights. */
class WaysInRounds extends Ways implements LoopOperator<Inputs, Way, Way, never, State> {
  execute(task: Task<Inputs>): void {
    this.take(task);
  }

  round(): Generator<Feedback<Way>, void> {
    return this.tell();
  }
}

/** Nobody waits for anybody; a way that isn't the shortest may be told on for a while. */
class WaysAtOnce extends Ways implements LoopOperator<Inputs, Way, Way, never, State> {
  execute(task: Task<Inputs>): Generator<Feedback<Way>, void> {
    this.take(task);
    return this.tell();
  }
}

const earthRadiusKm = 6371;
const radians = (degrees: number): number => (degrees * Math.PI) / 180;

/** The length of the great circle between two places, by the haversine formula, in whole kilometres from 1 on. */
export function kilometres(from: Position, to: Position): number {
  const [north, east] = [radians(to.latitude - from.latitude), radians(to.longitude - from.longitude)];
  const across = Math.cos(radians(from.latitude)) * Math.cos(radians(to.latitude)) * Math.sin(east / 2) ** 2;
  return Math.max(1, Math.round(2 * earthRadiusKm * Math.asin(Math.sqrt(Math.sin(north / 2) ** 2 + across))));
}

type LineFrom = Line & { readonly start: Position };

const startOf = (line: Line, start: Airport): LineFrom => ({ ...line, start });

function hopOf({ origin, destination, start }: LineFrom, end: Airport): Hop {
  return { airport: origin, to: destination, km: kilometres(start, end) };
}

/** `from`: the airport that all ways begin at; `rounds`: whether all wait for each other. */
const shortestPaths = defineFlow(
  import.meta.url,
  { ...networkArguments, from: "string?", rounds: "boolean?" },
  (q, { flights, airports, channels, from = "BOS", rounds = true }) => {
    const places = readAirports(q, airports);
    const hops = readLines(q, flights)
      .join("origins", places, { left: "origin", right: "iata", combine: startOf })
      .join("destinations", places, { left: "destination", right: "iata", combine: hopOf });
    const start: Way = { airport: from, km: 0, flights: 0, over: undefined };
    const inputs = {
      hops: hops.partition(hash("airport")),
      start: q.read("start", items([start])).partition(hash("airport")),
    };
    const options = {
      feedback: hash<Way>("airport"),
      declares: "confluent",
      ...(channels === undefined ? {} : { channels }),
    } as const;
    const ways = rounds
      ? q.iterate("ways", inputs, () => new WaysInRounds(), options)
      : q.iterate("ways", inputs, () => new WaysAtOnce(), { ...options, rounds: false });
    return {
      ways: ways.join("places", places, { left: "airport", right: "iata", how: "left", combine: placed }).collect(),
    };
  },
);

export default shortestPaths;

/** The codes of the airports of a way, from its start on. */
export function stopsOf(way: Way, ways: ReadonlyMap<string, Way>): readonly string[] {
  const before = way.over === undefined ? undefined : ways.get(way.over);
  return before === undefined ? [way.airport] : [...stopsOf(before, ways), way.airport];
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { ways } = await shortestPaths.run();
  const byAirport = new Map(ways.map((way) => [way.airport, way]));
  const farthest = ways.toSorted((a, b) => b.km - a.km).slice(0, 10);
  const rows = farthest.map((way) => ({ city: way.city, km: way.km, way: stopsOf(way, byAirport).join(" ") }));
  console.log(formatTable(rows));
}
