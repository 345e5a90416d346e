import { inspect, isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import * as assert from "uvu/assert";
import type { Key } from "../../lib/core/contracts/partition.ts";
import {
  aggregate,
  cogroup,
  count,
  countDistinct,
  distinct,
  foldByKey,
  hash,
  hashJoin,
  max,
  mean,
  reduceByKey,
  sum,
  symmetricJoin,
} from "../../lib/index.ts";
import { hashWhole } from "../../lib/partition/index.ts";
import { structuralKey } from "../../operators/distinct.ts";
import type { JoinKind } from "../../operators/join/options.ts";
import { type AnyDefinition, Channels, type Partitions, rowsGiven } from "./dealt.ts";
import type { DrivenTask } from "./drive.ts";

export interface Row {
  readonly key: Key;
  readonly value: number;
}

/** A step under test: its definition, and how its channels get objects. */
export interface Case {
  readonly name: string;
  readonly definition: AnyDefinition;
  readonly partitions: Partitions;
}

export const keyOf = ({ key }: Row): Key => key;
export const reduction = { key: keyOf, init: () => 0, reduce: (total: number, { value }: Row) => total + value };
export const add = (a: number, b: number): number => a + b;
const byKey: Partitions = { in: hash<Row>("key"), left: hash<Row>("key"), right: hash<Row>("key") };
export const grouped = {
  by: "key",
  aggregates: {
    rows: count(),
    total: sum("value"),
    mean: mean("value"),
    most: max("value"),
    kinds: countDistinct("value"),
  },
} as const;

export const ofObjects: readonly Case[] = [
  { name: "reduce", definition: reduceByKey<Row, Key, number>(reduction), partitions: { in: hash<Row>(keyOf) } },
  {
    name: "fold",
    definition: foldByKey<Row, Key, number>({ key: keyOf, init: () => 1, fold: (last, { value }) => last * 3 + value }),
    partitions: byKey,
  },
  {
    name: "running fold",
    definition: foldByKey<Row, Key, number>({
      key: keyOf,
      init: () => 1,
      fold: (last, { value }) => (last * 3 + value) % 1000,
      emit: "updates",
    }),
    partitions: byKey,
  },
  { name: "distinct", definition: distinct<Row>({ key: "key" }), partitions: byKey },
  {
    name: "distinct by two",
    definition: distinct<Row>({ key: ["key", "value"] }),
    partitions: { in: hash<Row>(["key", "value"]) },
  },
  { name: "whole distinct", definition: distinct<Row>(), partitions: { in: hashWhole<Row>(structuralKey) } },
  { name: "aggregate", definition: aggregate<Row, "key">(grouped), partitions: byKey },
];

export const ofBatches: readonly Case[] = ofObjects.filter(({ name }) => /distinct|aggregate/.test(name));

const kinds: readonly JoinKind[] = ["inner", "left", "right", "full", "semi", "anti"];
export const joinCases: readonly Case[] = kinds.flatMap((how) =>
  (["key", ["key", "day"]] as const).flatMap((names) => {
    const keys = { left: names as "key", right: names as "key", how: how as "inner" };
    const partition = hash<Row>(names as "key");
    const partitions = { left: partition, right: partition };
    return [
      {
        name: `hash join, ${how}, by ${String(names)}, build left`,
        definition: hashJoin<Row, Row>({ ...keys, build: "left" }),
        partitions,
      },
      {
        name: `hash join, ${how}, by ${String(names)}, build right`,
        definition: hashJoin<Row, Row>({ ...keys, build: "right" }),
        partitions,
      },
      { name: `symmetric join, ${how}, by ${String(names)}`, definition: symmetricJoin<Row, Row>(keys), partitions },
    ];
  }),
);
export const cogroupCase: Case = {
  name: "cogroup",
  definition: cogroup<Row, Row, unknown>({
    left: "key",
    right: "key",
    combine: (key, left, right) => ({ key, left: left.map(String).length, right: right.length }),
  }),
  partitions: byKey,
};

export const anyKey: fc.Arbitrary<Key> = fc.oneof(
  fc.nat(40),
  fc.constantFrom("", "a", "b", "\u0001a", "naïve", null, undefined, true, 1.5, 2n ** 70n, 3n),
  fc.constantFrom(new Date(7), new Date(86_400_000)),
);
export const rowsOf = (key: fc.Arbitrary<Key>): fc.Arbitrary<Row[]> =>
  fc.array(fc.record({ key, value: fc.nat(5) }, { noNullPrototype: true }), { maxLength: 60 });
export const size = fc.integer({ min: 1, max: 9 });
const channels = fc.integer({ min: 1, max: 7 });
/** The numbers of channels that a step has one after the other. */
export const counts = fc.tuple(channels, channels, channels);

/** As `assert.equal`, whose search for differences takes long for long lists. */
export function sameRows(given: readonly unknown[], wanted: readonly unknown[], what: string): void {
  assert.ok(isDeepStrictEqual(given, wanted), `${what}: gave ${inspect(given)}, not ${inspect(wanted)}`);
}

/** Runs a step whose number of channels changes twice, and compares what it gives with what one channel does. */
export async function same(
  { name, definition, partitions }: Case,
  tasks: readonly DrivenTask[],
  of: readonly number[],
): Promise<void> {
  const alone = Channels.fresh(definition, partitions, 1);
  await alone.take(tasks);
  const wanted = await rowsGiven(await alone.done());
  const [first = 1, ...others] = of;
  let step = Channels.fresh(definition, partitions, first);
  const each = Math.ceil(tasks.length / of.length);
  await step.take(tasks.slice(0, each));
  for (const [index, next] of others.entries()) {
    // oxlint-disable-next-line no-await-in-loop -- one deal after the other
    step = await step.dealtTo(next);
    // oxlint-disable-next-line no-await-in-loop -- see above
    await step.take(tasks.slice((index + 1) * each, (index + 2) * each));
  }
  sameRows(await rowsGiven(await step.done()), wanted, `${name}, ${of.join(" to ")} channels`);
}

/** Rows of both sides, with names of their own beside the keys; keys that match, that don't, and missing ones. */
export const sides = (key: fc.Arbitrary<Key>): fc.Arbitrary<{ left: object[]; right: object[] }> => {
  const day = fc.constantFrom("mon", "tue", null);
  const side = (name: string): fc.Arbitrary<object[]> =>
    fc.array(fc.record({ key, day, [name]: fc.nat(5) }, { noNullPrototype: true }), { maxLength: 30 });
  return fc.record({ left: side("a"), right: side("b") });
};

export function inOrder(name: string, left: readonly DrivenTask[], right: readonly DrivenTask[]): DrivenTask[] {
  if (name.startsWith("hash")) return name.endsWith("right") ? [...right, ...left] : [...left, ...right];
  return Array.from({ length: Math.max(left.length, right.length) }, (_, at) =>
    [left[at], right[at]].filter((task) => task !== undefined),
  ).flat();
}
