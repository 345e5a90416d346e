/**
 * PageRank: how often a traveller who takes any flight, again and again, is at each airport.
 *
 *     node dist/examples/algorithms/graphs/page-rank.js
 *     npx qstream run examples/algorithms/graphs/page-rank.ts --arg damping=0.5
 */
import { pathToFileURL } from "node:url";
import {
  defineFlow,
  feedback,
  formatTable,
  hash,
  type Feedback,
  type LastRound,
  type LoopOperator,
  type Round,
  type Stateful,
  type Task,
} from "qstream";
import { networkArguments, placed, readAirports, readLines, type Line } from "./flight-network.ts";

/** What an airport's channel is told of it: its flights to another, or only that it is there. */
interface End {
  readonly airport: string;
  readonly to: string | undefined;
  readonly count: number;
}

/** Rank that an airport gives to another. */
interface Share {
  readonly to: string;
  readonly rank: number;
}

export interface Rank {
  readonly airport: string;
  /** How often the traveller is there: all together are 1. */
  readonly rank: number;
}

interface Inputs {
  readonly ends: End;
  readonly feedback: Share;
}

/** What all channels have to know of all airports: how many there are, rank of those without flights, and what has changed. */
interface Total {
  readonly airports: number;
  readonly stranded: number;
  readonly moved: number;
}

interface Vertex {
  readonly flights: Map<string, number>;
  count: number;
  /** As many times the average. */
  rank: number;
  given: number;
}

interface State {
  readonly vertices: Map<string, Vertex>;
  readonly total: Total;
}

const none: Total = { airports: 0, stranded: 0, moved: 0 };

// Sums of multiples of this are exact up to 2 ** 13, whatever their order: so no rank depends on which channel was faster, nor
// on how many there are.
const grain = 2 ** -40;
const toGrain = (rank: number): number => Math.round(rank / grain) * grain;

/** The airports of one channel. */
class PageRank implements LoopOperator<Inputs, Rank, Share, Total, State>, Stateful<State> {
  readonly #damping: number;
  #vertices = new Map<string, Vertex>();
  /** Of this channel, in this round. */
  #total = none;

  constructor(damping: number) {
    this.#damping = damping;
  }

  execute({ input, objects }: Task<Inputs>): void {
    if (input === "feedback") for (const { to, rank } of objects) this.#vertex(to).given += rank;
    else for (const end of objects) this.#add(end);
  }

  *round({ before }: Round<Total>): Generator<Feedback<Share>, void> {
    this.#rank(before?.vote);
    for (const { flights, count, rank } of this.#vertices.values()) {
      for (const [to, some] of flights) yield feedback({ to, rank: toGrain((rank * some) / count) });
    }
  }

  vote(): Total {
    return this.#total;
  }

  merge(left: Total, right: Total): Total {
    return {
      airports: left.airports + right.airports,
      stranded: left.stranded + right.stranded,
      moved: left.moved + right.moved,
    };
  }

  *done({ before }: LastRound<Total>): Generator<Rank, void> {
    const { vote = none } = before;
    this.#rank(vote);
    for (const [airport, { rank }] of this.#vertices) yield { airport, rank: rank / vote.airports };
  }

  snapshot(): State {
    return { vertices: this.#vertices, total: this.#total };
  }

  restore({ vertices, total }: State): void {
    this.#vertices = vertices;
    this.#total = total;
  }

  #vertex(airport: string): Vertex {
    let vertex = this.#vertices.get(airport);
    if (vertex === undefined) {
      vertex = { flights: new Map(), count: 0, rank: 0, given: 0 };
      this.#vertices.set(airport, vertex);
    }
    return vertex;
  }

  #add({ airport, to, count }: End): void {
    const vertex = this.#vertex(airport);
    if (to === undefined) return;
    vertex.flights.set(to, (vertex.flights.get(to) ?? 0) + count);
    vertex.count += count;
  }

  /** New ranks of what was given; all have the same to begin with. */
  #rank(before: Total | undefined): void {
    let [stranded, moved] = [0, 0];
    for (const vertex of this.#vertices.values()) {
      const rank = before === undefined ? 1 : this.#rankOf(vertex, before);
      moved += Math.abs(rank - vertex.rank);
      if (vertex.count === 0) stranded += rank;
      vertex.rank = rank;
      vertex.given = 0;
    }
    this.#total = { airports: this.#vertices.size, stranded, moved };
  }

  /** Who is stranded, or has enough of flying, goes on from any airport. */
  #rankOf({ given }: Vertex, { stranded, airports }: Total): number {
    return toGrain(1 - this.#damping + this.#damping * (given + stranded / airports));
  }
}

function endsOf({ origin, destination, count }: Line): readonly End[] {
  return [
    { airport: origin, to: destination, count },
    { airport: destination, to: undefined, count: 0 },
  ];
}

/** `damping`: how probable it is that the traveller takes another flight; `tolerance`: share of all rank that may still move. */
const pageRank = defineFlow(
  import.meta.url,
  { ...networkArguments, damping: "float64?", tolerance: "float64?" },
  (q, { flights, airports, channels, damping = 0.85, tolerance = 1e-9 }) => {
    const ends = readLines(q, flights).flatMap("ends", endsOf);
    const ranks = q.iterate("rank", { ends: ends.partition(hash("airport")) }, () => new PageRank(damping), {
      feedback: hash("to"),
      until: ({ vote }) => vote === undefined || vote.moved <= tolerance * vote.airports,
      declares: "confluent",
      ...(channels === undefined ? {} : { channels }),
    });
    const named = ranks.join("places", readAirports(q, airports), {
      left: "airport",
      right: "iata",
      how: "left",
      combine: placed,
    });
    return {
      ranks: named.collect(),
      top: named.topK("top", 10, ["rank", "airport"], { order: "descending" }).collect(),
    };
  },
);

export default pageRank;

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { top } = await pageRank.run();
  const rows = top.map(({ airport, city, rank }) => ({ airport, city, rank: `${(100 * rank).toFixed(2)} %` }));
  console.log(formatTable(rows));
}
