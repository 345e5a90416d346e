/**
 * Which places can be reached from which: the connected components of a graph, by a loop.
 *
 *     node dist/examples/components.js
 *     npx qstream run examples/components.ts
 *
 * Each place is known by the first name, in the order of the alphabet, that it has heard of. In each round those that have heard of an
 * earlier one tell their neighbours, whose channel gets it over the feedback edge; when nobody has anything to tell, the loop
 * is over.
 */
import { pathToFileURL } from "node:url";
import { defineFlow, feedback, formatTable, hash, items, type Feedback, type LoopOperator, type Task } from "qstream";

export interface Ferry {
  readonly from: string;
  readonly to: string;
}

/** Ferries go both ways. */
export const ferries: readonly Ferry[] = [
  { from: "Oban", to: "Mull" },
  { from: "Mull", to: "Iona" },
  { from: "Oban", to: "Coll" },
  { from: "Coll", to: "Tiree" },
  { from: "Mallaig", to: "Skye" },
  { from: "Skye", to: "Raasay" },
  { from: "Mallaig", to: "Eigg" },
  { from: "Aberdeen", to: "Shetland" },
  { from: "Shetland", to: "Unst" },
  { from: "Orkney", to: "Aberdeen" },
];

interface Heard {
  readonly place: string;
  readonly first: string;
}

/** A place with the first name among those that are connected to it. */
export interface Reached {
  readonly place: string;
  readonly with: string;
}

type Inputs = { ferries: Ferry; feedback: Heard };

/** The places of a channel: their neighbours, and the first name that each has heard of. */
class Hearsay implements LoopOperator<Inputs, Reached, Heard> {
  readonly #neighbours = new Map<string, string[]>();
  readonly #first = new Map<string, string>();
  readonly #news = new Set<string>();

  execute({ input, objects }: Task<Inputs>): void {
    if (input === "ferries") for (const { from, to } of objects) this.#connect(from, to);
    else for (const { place, first } of objects) this.#hear(place, first);
  }

  *round(): Generator<Feedback<Heard>, void> {
    for (const place of this.#news) {
      const first = this.#first.get(place) ?? place;
      for (const neighbour of this.#neighbours.get(place) ?? []) yield feedback({ place: neighbour, first });
    }
    this.#news.clear();
  }

  *done(): Generator<Reached, void> {
    for (const [place, first] of this.#first) yield { place, with: first };
  }

  snapshot(): [Map<string, string[]>, Map<string, string>, Set<string>] {
    return [this.#neighbours, this.#first, this.#news];
  }

  restore([neighbours, first, news]: [Map<string, string[]>, Map<string, string>, Set<string>]): void {
    for (const [place, known] of neighbours) this.#neighbours.set(place, known);
    for (const [place, name] of first) this.#first.set(place, name);
    for (const place of news) this.#news.add(place);
  }

  #connect(from: string, to: string): void {
    this.#neighbours.set(from, [...(this.#neighbours.get(from) ?? []), to]);
    this.#hear(from, from);
  }

  #hear(place: string, first: string): void {
    const known = this.#first.get(place);
    if (known !== undefined && known <= first) return;
    this.#first.set(place, first);
    this.#news.add(place);
  }
}

const components = defineFlow(import.meta.url, (q) => {
  const ways = q.read("ferries", items(ferries)).flatMap("both ways", ({ from, to }) => [
    { from, to },
    { from: to, to: from },
  ]);
  const reached = q.iterate("hearsay", { ferries: ways.partition(hash("from")) }, () => new Hearsay(), {
    feedback: hash("place"),
    channels: 2,
  });
  return { reached: reached.collect() };
});

export default components;

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { reached } = await components.run();
  console.log(formatTable(reached.toSorted((a, b) => `${a.with} ${a.place}`.localeCompare(`${b.with} ${b.place}`))));
}
