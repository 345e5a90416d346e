/**
 * Connected components: which airports can be reached from which, if only lines count that are flown often enough.
 *
 *     node dist/examples/algorithms/graphs/connected-components.js
 *     npx qstream run examples/algorithms/graphs/connected-components.ts --arg least=3000
 */
import { pathToFileURL } from "node:url";
import {
  defineFlow,
  feedback,
  formatTable,
  hash,
  type Feedback,
  type LoopOperator,
  type Stateful,
  type Task,
} from "qstream";
import { networkArguments, readLines, type Line } from "./flight-network.ts";

/** One direction of a line; or, without `to`, an airport that is there. */
interface End {
  readonly airport: string;
  readonly to: string | undefined;
}

interface Label {
  readonly to: string;
  readonly component: string;
}

export interface Member {
  readonly airport: string;
  /** The first airport by its code of those that are connected with this one. */
  readonly component: string;
}

interface Inputs {
  readonly ends: End;
  readonly feedback: Label;
}

interface State {
  readonly near: Map<string, string[]>;
  readonly components: Map<string, string>;
  readonly changed: Set<string>;
}

/** Each airport tells its neighbours the first code that it has heard of, as often as it hears of an earlier one. */
class Components implements LoopOperator<Inputs, Member, Label, never, State>, Stateful<State> {
  #near = new Map<string, string[]>();
  #components = new Map<string, string>();
  #changed = new Set<string>();

  execute({ input, objects }: Task<Inputs>): void {
    if (input === "feedback") for (const { to, component } of objects) this.#hear(to, component);
    else for (const end of objects) this.#add(end);
  }

  *round(): Generator<Feedback<Label>, void> {
    for (const airport of this.#changed) {
      const component = this.#components.get(airport) ?? airport;
      for (const to of this.#near.get(airport) ?? []) yield feedback({ to, component });
    }
    this.#changed.clear();
  }

  *done(): Generator<Member, void> {
    for (const [airport, component] of this.#components) yield { airport, component };
  }

  snapshot(): State {
    return { near: this.#near, components: this.#components, changed: this.#changed };
  }

  restore({ near, components, changed }: State): void {
    this.#near = near;
    this.#components = components;
    this.#changed = changed;
  }

  #add({ airport, to }: End): void {
    this.#hear(airport, airport);
    if (to === undefined) return;
    const near = this.#near.get(airport);
    if (near === undefined) this.#near.set(airport, [to]);
    else near.push(to);
  }

  #hear(airport: string, component: string): void {
    const known = this.#components.get(airport);
    if (known !== undefined && known <= component) return;
    this.#components.set(airport, component);
    this.#changed.add(airport);
  }
}

/** Both ends of a line, connected if it is flown often enough. */
function endsOf({ origin, destination, count }: Line, least: number): readonly End[] {
  const isFlown = count >= least;
  return [
    { airport: origin, to: isFlown ? destination : undefined },
    { airport: destination, to: isFlown ? origin : undefined },
  ];
}

/** `least`: flights a year that connect two airports. */
const connectedComponents = defineFlow(
  import.meta.url,
  { flights: networkArguments.flights, channels: networkArguments.channels, least: "int32?" },
  (q, { flights, channels, least = 6000 }) => {
    const ends = readLines(q, flights).flatMap("ends", (line) => endsOf(line, least));
    const members = q.iterate("components", { ends: ends.partition(hash("airport")) }, () => new Components(), {
      feedback: hash("to"),
      declares: "confluent",
      ...(channels === undefined ? {} : { channels }),
    });
    const sizes = members.reduceByKey(
      "sizes",
      ({ component }) => component,
      () => 0,
      (size) => size + 1,
    );
    return {
      members: members.collect(),
      largest: sizes
        .filter("connected", ({ value }) => value > 1)
        .topK("largest", 10, ["value", "key"], { order: "descending" })
        .collect(),
    };
  },
);

export default connectedComponents;

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { members, largest } = await connectedComponents.run();
  const codesOf = (key: string): readonly string[] =>
    members.flatMap(({ airport, component }) => (component === key ? [airport] : [])).toSorted();
  const rows = largest.map(({ key, value }) => ({ airports: value, "the first": codesOf(key).slice(0, 10).join(" ") }));
  console.log(formatTable(rows));
}
