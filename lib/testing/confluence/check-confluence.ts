import type { Declares } from "../../core/contracts/operator.ts";
import type { PartitionFunction } from "../../core/contracts/partition.ts";
import { QStreamError } from "../../core/errors.ts";
import { checkOptionNames, namesOf } from "../../core/option-names.ts";
import { hash, hashWhole } from "../../partition/index.ts";
import { Checking, type CheckParts, type ConfluenceReport } from "./checking.ts";
import { dealsBy, type Partitions } from "./deal-units.ts";
import { definitionOf, type AnyDefinition, type OperatorToCheck } from "./order.ts";
import type { SpecCode } from "./print-spec.ts";
import { noOperator } from "./run-order.ts";
import { unitsOf } from "./units.ts";

/** Lists of objects by input. Each list is one order in which an input may come. */
export type InputsToCheck<Inputs> = { readonly [K in keyof Inputs]: readonly Inputs[K][] };

export interface CheckConfluenceOptions<Inputs, Out> {
  /** How many orders. Default 100. */
  readonly seeds?: number;
  /** The first seed. Default 1. */
  readonly from?: number;
  /** What is held against the operator instead of what its definition declares. A plain factory counts as confluent. */
  readonly declares?: Declares;
  /**
   * True for two results that count as the same, both in the order in which they were given. Default: the same objects equally
   * often. With it, steps of arbitrary choice are tried in other orders too: then it says which results are right.
   */
  readonly equal?: (left: readonly Out[], right: readonly Out[]) => boolean;
  /**
   * How objects reach the channels, by input. Default: by the keys that a definition says its state is kept by; where there are
   * none, there is one channel.
   */
  readonly partitions?: { readonly [K in keyof Inputs]?: PartitionFunction<Inputs[K]> };
  /** Numbers of channels whose results have to be the same. Default 1, 2 and 3, where there are partitions. */
  readonly channels?: readonly number[];
  /** Inputs whose objects never come in another order, as they come from one channel. Default none. */
  readonly ordered?: readonly (keyof Inputs & string)[];
  /** What it is called in a printed spec. Default: its kind. */
  readonly name?: string;
  /** How a printed spec comes to the operator. */
  readonly code?: SpecCode;
  /** The command that repeats a seed. Default: how to call this. */
  readonly command?: (seed: number) => string;
}

const optionNames = namesOf<CheckConfluenceOptions<object, unknown>>({
  channels: true,
  code: true,
  command: true,
  declares: true,
  equal: true,
  from: true,
  name: true,
  ordered: true,
  partitions: true,
  seeds: true,
});

const seedsDefault = 100;
const channelsDefault = [1, 2, 3];
const channelsMax = 64;

/**
 * Runs an operator by hand on the same inputs in many orders, and compares what it gives with what it declares.
 *
 * All operators have to give the same for the same tasks: again, after restarts from a snapshot at any point, whatever the clock
 * outside says, and whatever other channels do meanwhile. Confluent ones have to give the same objects also for other
 * interleavings of their inputs, other orders in each (as of several producers), other batchings and times, and, where
 * partition functions say how objects reach channels, other numbers of channels and other keys in each.
 *
 * @param operator - a definition, or a factory
 * @param inputs - a few objects for each input, which are frozen. Equal keys among them make the check a strong one
 * @returns what was tried, and the first pair of orders that differ, made as small as it gets
 * @throws QStreamError OPTION_INVALID
 * @example
 * const { counterExample } = await checkConfluence(() => new Sums(), { in: [{ key: 1, n: 2 }, { key: 1, n: 3 }] });
 * if (counterExample !== undefined) throw new Error(counterExample.text);
 */
export async function checkConfluence<Inputs, Out>(
  operator: OperatorToCheck<Inputs, Out>,
  inputs: InputsToCheck<Inputs>,
  options: CheckConfluenceOptions<Inputs, Out> = {},
): Promise<ConfluenceReport> {
  checkOptionNames("checkConfluence()", options, optionNames);
  const definition = definitionOf(operator);
  if (definition === undefined) throw noOperator("checkConfluence");
  const lists = checkInputs(inputs);
  const partitions = partitionsOf(definition, options.partitions as Partitions | undefined, Object.keys(lists));
  const { seeds = seedsDefault, from = 1, equal, ordered = [], code = {} } = options;
  checkWhole("seeds", seeds, 1);
  checkWhole("from", from, 0);
  const unknown = [...ordered, ...Object.keys(options.partitions ?? {})].find((name) => !(name in lists));
  if (unknown !== undefined) {
    const advice = `The inputs are: ${Object.keys(lists).join(", ")}`;
    throw new QStreamError("OPTION_INVALID", `there is no input "${unknown}"`, { advice });
  }
  const parts: CheckParts = {
    definition,
    operator,
    declares: declaresOf(definition, options.declares),
    equal: equal as CheckParts["equal"],
    units: await unitsOf(lists),
    inputs: byStage(definition, Object.keys(lists)),
    deals: dealsBy(partitions),
    channels: channelsOf(definition, partitions, options.channels),
    isBroadcast: Object.values(partitions).some(({ kind }) => kind === "broadcast"),
    ordered,
    seeds,
    from,
    name: options.name ?? definition.kind,
    code,
    command: options.command ?? ((seed) => `checkConfluence(..., { seeds: 1, from: ${seed} })`),
  };
  return new Checking(parts).run();
}

function checkInputs(inputs: unknown): Readonly<Record<string, readonly unknown[]>> {
  const lists = typeof inputs === "object" && inputs !== null && !Array.isArray(inputs) ? Object.entries(inputs) : [];
  const advice = "Give a list of objects for each input, by its name: { in: [1, 2, 3] }";
  if (lists.length === 0) throw new QStreamError("OPTION_INVALID", "checkConfluence got no inputs", { advice });
  const wrong = lists.find(([, list]) => !Array.isArray(list));
  if (wrong !== undefined) {
    throw new QStreamError("OPTION_INVALID", `what is given for input "${wrong[0]}" is no array`, { advice });
  }
  return Object.fromEntries(lists) as Readonly<Record<string, readonly unknown[]>>;
}

function checkWhole(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new QStreamError("OPTION_INVALID", `${name}: ${String(value)} is no whole number from ${least} on`);
}

const declarations: readonly Declares[] = ["confluent", "order-sensitive", "arbitrary-choice"];

function declaresOf(definition: AnyDefinition, given: Declares | undefined): Declares {
  const declares = given ?? definition.declares;
  if (declarations.includes(declares)) return declares;
  throw new QStreamError("OPTION_INVALID", `declares: ${JSON.stringify(declares)}`, {
    advice: `It is one of ${declarations.join(", ")}`,
  });
}

/** In the order in which they are drained. */
function byStage({ stages = {} }: AnyDefinition, inputs: readonly string[]): readonly string[] {
  const stageOf = (input: string): number => (stages as Readonly<Record<string, number>>)[input] ?? 0;
  return inputs.toSorted((one, other) => stageOf(one) - stageOf(other));
}

function partitionsOf({ keys }: AnyDefinition, given: Partitions | undefined, inputs: readonly string[]): Partitions {
  if (given !== undefined || keys === undefined) return given ?? {};
  const byKey = keys as Readonly<Record<string, never>>;
  if (inputs.some((input) => byKey[input] === undefined)) return {};
  return Object.fromEntries(
    inputs.map((input) => {
      const key = byKey[input];
      // Of batches, a function is one of all columns.
      return [input, typeof key === "function" ? hashWhole<unknown>(key) : hash<unknown>(key as never)];
    }),
  );
}

function channelsOf(
  { kind }: AnyDefinition,
  partitions: Partitions,
  given: readonly number[] | undefined,
): readonly number[] {
  const all = Object.values(partitions);
  const channels = given ?? (all.length === 0 ? [1] : channelsDefault);
  if (!Array.isArray(channels) || channels.length === 0) {
    throw new QStreamError("OPTION_INVALID", "channels: a list of numbers is wanted, of at least one");
  }
  for (const count of channels as readonly number[]) {
    if (!(Number.isInteger(count) && count >= 1 && count <= channelsMax)) {
      throw new QStreamError("OPTION_INVALID", `channels: ${count} isn't from 1 to ${channelsMax}`);
    }
    if (count > 1 && all.length === 0) {
      throw new QStreamError("OPTION_INVALID", `nothing says how objects reach ${count} channels of ${kind}`, {
        advice: "Give partitions: { in: hash(...) }",
      });
    }
    const refused = all.map((partition) => partition.check?.(1, count)).find((why) => why !== undefined);
    if (refused !== undefined) throw new QStreamError("OPTION_INVALID", refused);
  }
  return channels as readonly number[];
}
