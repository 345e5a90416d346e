// Names of properties and columns that aren't there, in all operators that take keys by name.

import * as assert from "uvu/assert";
import { loadBatches } from "../../lib/core/batch/index.ts";
import type { OperatorDefinition } from "../../lib/core/contracts/operator.ts";
import { aggregate, count, partialAggregate, sum } from "../../operators/aggregate.ts";
import { broadcastJoin } from "../../operators/broadcast-join.ts";
import { cogroup } from "../../operators/cogroup.ts";
import { distinct } from "../../operators/distinct.ts";
import { hashJoin } from "../../operators/hash-join.ts";
import { symmetricJoin } from "../../operators/symmetric-join.ts";
import { failure } from "../kit/failure.ts";
import { suite } from "../kit/suite.ts";
import { columnar } from "./batches.ts";
import { drive } from "./drive.ts";

const test = suite("names of keys");

const rows = [
  { id: 1, n: 2 },
  { id: 3, n: 4 },
];

interface Case {
  readonly name: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- operators of all kinds
  readonly definition: OperatorDefinition<any, unknown>;
  readonly input: string;
  readonly columnar: boolean;
}

type Join = (options: { left: unknown; right: unknown; how: "left" }) => Case["definition"];

function cases(key: string | readonly string[]): Case[] {
  const present = typeof key === "string" ? "id" : key.map(() => "id");
  const sides = [
    { input: "left", keys: { left: key, right: present } },
    { input: "right", keys: { left: present, right: key } },
  ] as const;
  const options = { by: key, aggregates: { count: count() } };
  const made = [
    { name: "aggregate", definition: (aggregate as (options: unknown) => Case["definition"])(options), input: "in" },
    { name: "partialAggregate", definition: partialAggregate<unknown>(options as never), input: "in" },
    { name: "distinct", definition: distinct<unknown>({ key: key as never }), input: "in" },
    ...[hashJoin, symmetricJoin, broadcastJoin].flatMap((join) =>
      sides.map(({ input, keys }) => {
        const definition = (join as unknown as Join)({ ...keys, how: "left" });
        return { name: join.name, definition, input };
      }),
    ),
    ...sides.map(({ input, keys }) => {
      const definition = cogroup<unknown, unknown, number>({
        ...(keys as never as { left: never; right: never }),
        combine: () => 0,
      });
      return { name: "cogroup", definition, input, columnar: false };
    }),
  ];
  return made.map((each) => ({ columnar: true, ...each }));
}

test("a key that objects or batches don't have is an error which lists what they have", async () => {
  const support = await loadBatches();
  for (const key of ["nope", ["id", "nope"]] as const) {
    for (const { name, definition, input, columnar: takesBatches } of cases(key)) {
      const batches = takesBatches ? columnar.map((representation) => [support.fromObjects(rows, representation)]) : [];
      for (const objects of [rows, ...batches]) {
        const error = await failure(() => drive(definition, [{ input, objects }]), "BAD_INPUT", { column: "nope" });
        assert.match(error.message, '"id", "n"', name);
      }
    }
  }
});

test("a key that is there and holds nothing is none for a join, and one of its own elsewhere", async () => {
  const missing = [{ id: null }, { id: undefined }];
  for (const { name, definition, input } of cases("id")) {
    const given = await drive(definition, [{ input, objects: missing }]);
    if (name === "aggregate")
      assert.equal(
        given,
        [
          { id: null, count: 1 },
          { id: undefined, count: 1 },
        ],
        name,
      );
    else if (input === "left" && name !== "cogroup") assert.is(given.length, 2, name);
  }
});

test("a value that some objects lack counts as missing", async () => {
  const definition = aggregate<{ n?: number }>({ aggregates: { sum: sum("n") } });
  assert.equal(await drive(definition, [{ input: "in", objects: [{}, { n: 2 }] }]), [{ sum: 2 }]);
});

test.run();
