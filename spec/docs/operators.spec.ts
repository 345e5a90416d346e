// docs/operators.md against the operators: what its tables say of their definitions, and what they take, by running them.

import * as assert from "uvu/assert";
import type { Declares, OperatorDefinition, Representation } from "../../lib/core/contracts/operator.ts";
import { FlowBuilder } from "../../lib/flow/flow-builder.ts";
import { Graph } from "../../lib/flow/graph.ts";
import { StreamAggregations } from "../../lib/flow/stream-aggregations.ts";
import { StreamFunctions } from "../../lib/flow/stream-functions.ts";
import { StreamOperators } from "../../lib/flow/stream-operators.ts";
import {
  aggregate,
  count,
  cogroup,
  defineFlow,
  distinct,
  first,
  mean,
  QStreamError,
  reduceByKey,
  sum,
  type Aggregate,
} from "../../lib/index.ts";
import { topology } from "../../lib/testing/index.ts";
import { suite } from "../kit/suite.ts";
import { halfCases, operatorCases, secondHalves, type OperatorCase } from "./operator-cases.ts";
import { otherRows, representations, rows, streamOf, type Row } from "./rows.ts";
import { codeIn, exportedFunctions, tableRows, type TableRow } from "./tables.ts";

const test = suite("docs/operators.md");
const cases: Readonly<Record<string, OperatorCase>> = { ...operatorCases, ...halfCases };
// oxlint-disable-next-line typescript/no-explicit-any -- definitions of any inputs
const definitions: Readonly<Record<string, OperatorDefinition<any, any>>> = {
  ...Object.fromEntries(Object.entries(cases).map(([name, { definition }]) => [name, definition])),
  ...secondHalves,
};

const tried = defineFlow(
  import.meta.url,
  { operator: "string", representation: "string" },
  (q, { operator, representation }) => {
    const left = streamOf(q, "left", rows, representation as Representation);
    const right = () => streamOf(q, "right", otherRows, representation as Representation);
    const found = cases[operator];
    if (found === undefined) throw new Error(`there is no case ${operator}`);
    return { out: found.use(left, lazily(right)).collect({ as: "objects" }) };
  },
);

/** The right side is made only if it is used: a reader that leads nowhere is an error. */
function lazily<T extends object>(make: () => T): T {
  let made: T | undefined;
  return new Proxy({} as T, {
    get: (_, property) => {
      made ??= make();
      return Reflect.get(made, property, made) as unknown;
    },
  });
}

const places = [
  topology("one slot", { slots: 1, isolation: "none" }),
  topology("two slots", { slots: 2, isolation: "none" }),
];
const table = tableRows("docs/operators.md", "operator");

function nameOf(row: TableRow): string {
  return codeIn(row["operator"])[0] ?? "";
}

function takes(row: TableRow): string[] {
  return (row["takes"] ?? "").split(", ").map((word) => word.toLowerCase());
}

test("the tables have every operator that is exported, and no other", () => {
  const functions = tableRows("docs/operators.md", "aggregate").flatMap((row) => codeIn(row["aggregate"]));
  const exported = exportedFunctions("operators/").filter(
    (name) => !exportedFunctions("operators/sinks").includes(name),
  );
  assert.equal([...table.map(nameOf), ...functions].toSorted(), exported.toSorted());
});

test("the tables have every method of streams that makes streams", () => {
  const documented = [...table, ...tableRows("docs/operators.md", "function")].flatMap((row) =>
    codeIn(row["method"] ?? row["function"]),
  );
  const methods = [StreamFunctions, StreamOperators, StreamAggregations]
    .flatMap(({ prototype }) => Object.getOwnPropertyNames(prototype))
    .filter((name) => !["constructor", "operator", "partition"].includes(name));
  assert.equal(documented.toSorted(), methods.toSorted());
});

for (const row of table) {
  const name = nameOf(row);
  test(`what the table says of ${name} is what its definition says`, () => {
    const definition = definitions[name];
    assert.ok(definition !== undefined, `spec/docs/operator-cases.ts has no ${name}`);
    const channels = { "per-slot": "one a slot", single: "1", same: "as its producer" };
    assert.is(row["kind"], `\`${definition.kind}\``);
    assert.is(row["channels"], channels[definition.parallelism]);
    assert.equal(takes(row), definition.representations);
    assert.is(
      (row["declares"] ?? "")
        .replace(/[;,(].*$/, "")
        .trim()
        .replaceAll(" ", "-"),
      definition.declares,
    );
  });
}

for (const row of table.filter((candidate) => operatorCases[nameOf(candidate)] !== undefined)) {
  const name = nameOf(row);
  test(`the method of ${name} has the inputs and partition functions of the table`, () => {
    const q = new FlowBuilder(new Graph("documented"));
    const side = (id: string) => streamOf(q, id, rows, "objects");
    const step = operatorCases[name]?.use(side("left"), side("right")) as unknown as {
      readonly node: { readonly step: Graph["steps"][number] };
    };
    const { inputs, id } = step.node.step;
    assert.is(id, "x");
    assert.equal(
      inputs.map(({ partition }) => partition?.kind ?? "default"),
      (row["partition function"] ?? "").split(", "),
    );
    if (name !== "union")
      assert.equal(
        inputs.map((input) => input.name),
        codeIn(row["inputs"]),
      );
  });
}

for (const [name, { check, definition }] of Object.entries(cases)) {
  for (const representation of representations) {
    const taken = definition.representations.includes(representation);
    test(`${name} ${taken ? "takes" : "refuses"} ${representation}`, async () => {
      for (const place of places) {
        const outcome = tried.run({ operator: name, representation }, { on: await place.session() });
        if (taken) {
          const { out } = await outcome;
          check(out);
          continue;
        }
        const error = await outcome.then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        assert.instance(error, QStreamError, `${name} took ${representation} on ${place.name}`);
        const { code, message } = error as QStreamError;
        assert.ok(["UNSUPPORTED", "MIXED_REPRESENTATION"].includes(code), `${code}: ${message}`);
        assert.match(message, /columnar batch/);
      }
    });
  }
}

test("what results depend on changes with options as the text says", () => {
  const of = (made: Aggregate<Aggregate["kind"], "n">, representation?: Representation): Declares =>
    aggregate<Row, "k">({
      by: "k",
      aggregates: { made },
      ...(representation === undefined ? {} : { representation }),
    }).declares;
  assert.is(of(count()), "confluent");
  assert.is(of(sum("n")), "order-sensitive");
  assert.is(of(mean("n")), "order-sensitive");
  assert.is(of(sum("n"), "objects"), "confluent");
  assert.is(of(first("n")), "arbitrary-choice");
  assert.is(distinct<Row>({ key: "k" }).declares, "arbitrary-choice");
  const options = { key: (row: Row) => row.k, init: () => 0, reduce: (n: number) => n };
  assert.is(reduceByKey({ ...options, declares: "order-sensitive" }).declares, "order-sensitive");
  assert.is(
    cogroup<Row, Row, number>({ left: "k", right: "k", combine: () => 0, declares: "confluent" }).declares,
    "confluent",
  );
});

test.after(async () => {
  for (const place of places) await place.close();
});

test.run();
