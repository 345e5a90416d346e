import type { Declares } from "../../core/contracts/operator.ts";
import { seedOf } from "../../core/seam/random.ts";
import type { Deals } from "./deal-units.ts";
import { drawnOrder, type Draw, type DrawParts, type Variation } from "./draw-order.ts";
import { made, type AnyDefinition, type Order, type OrderOutcome } from "./order.ts";
import { printSpec, type SpecCode } from "./print-spec.ts";
import { outcomeOf } from "./run-order.ts";
import { sameObjects } from "./same-outputs.ts";
import { shrink, unitsIn, type Freedom, type Pair, type Tried } from "./shrink.ts";
import { asOrder, type PlannedOrder, type Unit } from "./units.ts";

export interface CheckParts {
  readonly definition: AnyDefinition;
  /** As it was given. */
  readonly operator: unknown;
  readonly declares: Declares;
  readonly equal: ((left: readonly unknown[], right: readonly unknown[]) => boolean) | undefined;
  readonly units: readonly Unit[];
  readonly inputs: readonly string[];
  readonly deals: Deals;
  readonly channels: readonly number[];
  readonly isBroadcast: boolean;
  readonly ordered: readonly string[];
  readonly seeds: number;
  readonly from: number;
  readonly name: string;
  readonly code: SpecCode;
  readonly command: (seed: number) => string;
}

/** Two orders that should have given the same, or one that failed, as small as they get. */
export interface CounterExample {
  readonly seed: number;
  /** What the two orders differed in; `failure` where the operator fails on its inputs in the plainest order. */
  readonly variation: Variation | "failure";
  /** Objects (or rows of batches) that it takes. */
  readonly objects: number;
  /** One, where the operator fails alone. */
  readonly orders: readonly Order[];
  /** What became of each. */
  readonly outcomes: readonly OrderOutcome[];
  /** In one sentence, what is wrong. */
  readonly reason: string;
  /** A spec that fails until it is right. */
  readonly spec: string;
  /** What repeats it. */
  readonly command: string;
  /** All of it, to be printed. */
  readonly text: string;
}

/** What `checkConfluence` tried. */
export interface ConfluenceReport {
  /** What the operator was held to. */
  readonly declares: Declares;
  /** Seeds that were tried: all, or those up to the first failure. */
  readonly seeds: number;
  /** How often each part of an order was varied. */
  readonly variations: Readonly<Partial<Record<Variation, number>>>;
  /** How often the operator ran through its inputs, without what shrinking took. */
  readonly runs: number;
  readonly counterExample: CounterExample | undefined;
}

// Which of a seed's parts is for what is outside of the engine.
const outsidePart = 4;

const plainest: Draw = {
  channels: 1,
  partitioning: 0,
  arrival: 0,
  batching: 0,
  interleaving: 0,
  turns: 0,
  time: 0,
  restarts: 0,
  outside: 1,
};

/** One check of one operator. */
export class Checking {
  readonly #parts: CheckParts;
  readonly #draws: DrawParts;
  readonly #freedom: Freedom;
  readonly #varied: Partial<Record<Variation, number>> = {};
  #runs = 0;

  constructor(parts: CheckParts) {
    this.#parts = parts;
    const { definition, declares, equal, channels, isBroadcast } = parts;
    const tellsChanges = typeof made(definition).changes === "function";
    this.#draws = { ...parts, tellsChanges };
    const anyOrder = declares === "confluent" || (declares === "arbitrary-choice" && equal !== undefined);
    this.#freedom = { anyOrder, anyChannels: channels.includes(1) && !isBroadcast };
  }

  async run(): Promise<ConfluenceReport> {
    const { seeds, from } = this.#parts;
    const first = this.#plainest;
    const plain = drawnOrder(this.#draws, first);
    const outcome = await this.#outcome(plain);
    if (outcome.error !== undefined) {
      return this.#report(1, from, "failure", { first: plain, second: plain, outcomes: [outcome, outcome] });
    }
    const variations = this.#variations();
    for (let at = 0; at < seeds; at++) {
      const seed = from + at;
      const variation = variations[(seed + variations.length - 1) % variations.length] as Variation;
      this.#varied[variation] = (this.#varied[variation] ?? 0) + 1;
      const [one, other] = this.#drawn(variation, seed);
      const pair = { first: drawnOrder(this.#draws, one), second: drawnOrder(this.#draws, other) };
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const tried = await this.#try(pair);
      if (!this.#differs(tried)) continue;
      // What isn't even the same for the same tasks differs in any order: that is the reason, then.
      // oxlint-disable-next-line no-await-in-loop -- the last one
      const again = await this.#try({
        first: pair.first,
        second: { ...pair.first, outsideSeed: seedOf(seed, outsidePart) },
      });
      return this.#differs(again) && again.outcomes[0].error === undefined
        ? this.#report(at + 1, seed, "repeat", again)
        : this.#report(at + 1, seed, variation, tried);
    }
    return this.#report(seeds, from, "repeat", undefined);
  }

  get #plainest(): Draw {
    const { channels } = this.#parts;
    return { ...plainest, channels: this.#freedom.anyOrder ? Math.min(...channels) : Math.max(...channels) };
  }

  /** What can be varied of these inputs, and may be by what is declared. */
  #variations(): readonly Variation[] {
    const { inputs, channels, deals, ordered, units } = this.#parts;
    const isWide = Math.max(...channels) > 1;
    const used = new Set(units.map(({ input }) => input)).size;
    const same: Variation[] = ["repeat", "restart", ...(isWide ? (["channel turns"] as const) : [])];
    if (!this.#freedom.anyOrder) return same;
    return [
      ...same,
      ...(used > 1 ? (["interleaving"] as const) : []),
      ...(inputs.every((input) => ordered.includes(input)) ? [] : (["arrival"] as const)),
      "batching",
      "time",
      ...(channels.length > 1 ? (["channels"] as const) : []),
      ...(isWide && deals.varies ? (["partitioning"] as const) : []),
      "together",
    ];
  }

  /** Two draws that differ in one thing, or in all. */
  #drawn(variation: Variation, seed: number): readonly [Draw, Draw] {
    const { channels } = this.#parts;
    const drawn = (part: number): number => seedOf(seed, part) || 1;
    const counts = channels.toSorted((one, other) => one - other);
    const widest = counts.at(-1) ?? 1;
    const base = this.#plainest;
    const cut: Draw = { ...base, batching: drawn(1), interleaving: drawn(2) };
    const wide: Draw = { ...cut, channels: widest, turns: drawn(3) };
    switch (variation) {
      case "repeat":
        return [wide, { ...wide, outside: drawn(outsidePart) }];
      case "restart": {
        const timed = { ...wide, time: drawn(5) };
        return [timed, { ...timed, restarts: drawn(6) }];
      }
      case "channel turns":
        return [{ ...wide, turns: 0 }, wide];
      case "interleaving":
        return [{ ...cut, interleaving: 0 }, cut];
      case "arrival":
        return [base, { ...base, arrival: drawn(7) }];
      case "batching":
        return [base, { ...base, batching: drawn(1) }];
      case "time":
        return [cut, { ...cut, time: drawn(5) }];
      case "channels":
        return [base, { ...base, channels: counts[drawn(8) % counts.length] ?? widest }];
      case "partitioning":
        return [
          { ...base, channels: widest },
          { ...base, channels: widest, partitioning: drawn(9) },
        ];
      case "together": {
        const all = { ...wide, time: drawn(5), restarts: drawn(6), arrival: drawn(7), partitioning: drawn(9) };
        return [base, { ...all, channels: counts[drawn(8) % counts.length] ?? widest, outside: drawn(4) }];
      }
    }
  }

  #outcome(planned: PlannedOrder): Promise<OrderOutcome> {
    this.#runs++;
    return outcomeOf(this.#parts.definition, asOrder(planned));
  }

  async #try(pair: Pair): Promise<Tried> {
    const first = await this.#outcome(pair.first);
    return { ...pair, outcomes: [first, await this.#outcome(pair.second)] };
  }

  #differs({ outcomes: [first, second] }: Tried): boolean {
    if (first.outputs === undefined || second.outputs === undefined) {
      return first.outputs !== second.outputs || first.error?.message !== second.error?.message;
    }
    return !(this.#parts.equal ?? sameObjects)(first.outputs, second.outputs);
  }

  async #report(
    seeds: number,
    seed: number,
    variation: Variation | "failure",
    found: Tried | undefined,
  ): Promise<ConfluenceReport> {
    const { declares } = this.#parts;
    const tried = { declares, seeds, variations: this.#varied, runs: this.#runs };
    if (found === undefined) return { ...tried, counterExample: undefined };
    const shrunk = await shrink(found, this.#freedom, (pair) => this.#again(pair, found, variation));
    return { ...tried, counterExample: this.#counterExample(seed, variation, shrunk) };
  }

  /** Whether a smaller pair is wrong in the same way. */
  async #again(pair: Pair, found: Tried, variation: Variation | "failure"): Promise<Tried | undefined> {
    if (variation === "failure") {
      const outcome = await this.#outcome(pair.first);
      const isSame = outcome.error !== undefined && kindOf(outcome.error) === kindOf(found.outcomes[0].error);
      return isSame ? { first: pair.first, second: pair.first, outcomes: [outcome, outcome] } : undefined;
    }
    const tried = await this.#try(pair);
    const isAlike = tried.outcomes.every(({ error }, index) => kindOf(error) === kindOf(found.outcomes[index]?.error));
    return isAlike && this.#differs(tried) ? tried : undefined;
  }

  #counterExample(seed: number, variation: Variation | "failure", tried: Tried): CounterExample {
    const { name, operator, equal, code, declares } = this.#parts;
    const isOne = variation === "failure";
    const orders = (isOne ? [tried.first] : [tried.first, tried.second]).map(asOrder);
    const outcomes = isOne ? [tried.outcomes[0]] : tried.outcomes;
    const gave = outcomes.map(({ outputs, error }) => error ?? outputs ?? []);
    const spec = printSpec({ name, operator, equal, code, orders, gave });
    const command = this.#parts.command(seed);
    const objects = new Set(unitsIn(tried.first)).size;
    const counted = `${objects} ${objects === 1 ? "object" : "objects"}`;
    const reason = isOne
      ? `${name} fails on ${counted}: ${outcomes[0]?.error?.message ?? ""}`
      : `${name} is ${describe(declares)}, and gives something else on ${counted} ${differences[variation]}`;
    const text = `${reason}\n\n${spec}\nTo see it again: ${command}\n`;
    return { seed, variation, objects, orders, outcomes, reason, spec, command, text };
  }
}

function kindOf(error: Error | undefined): string {
  const { code = "" } = (error ?? {}) as { readonly code?: string };
  return error === undefined ? "" : `${error.name} ${code}`;
}

function describe(declares: Declares): string {
  return declares === "arbitrary-choice" ? "of arbitrary choice" : declares;
}

const differences: Readonly<Record<Variation, string>> = {
  repeat: "when the same tasks are run again",
  restart: "after a restart from a snapshot",
  "channel turns": "when its channels take other turns",
  interleaving: "when its inputs are interleaved otherwise",
  arrival: "when they come in another order",
  batching: "when they are batched otherwise",
  time: "at other times",
  channels: "in another number of channels",
  partitioning: "when keys are in other channels",
  together: "in another order",
};
