import * as assert from "uvu/assert";
import { QStreamError } from "../../../lib/core/errors.ts";
import { schema, schemaFields, type Columns, type Row } from "../../../lib/core/schema.ts";
import { csv } from "../../../readers/csv.ts";
import { jsonLines } from "../../../readers/json-lines.ts";
import type { Reader, SidedReader } from "../../../lib/core/contracts/reader.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("schema");
const airport = schema({ iata: "string", city: "string?", id: "int64", opened: "date?", runways: "int32" });

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_same: Same<A, B>): void => {};

interface Airport {
  iata: string;
  city: string | null;
  id: bigint;
  opened: Date | null;
  runways: number;
}

test("a row has the values of its columns' types", () => {
  const row: Row<typeof airport> = { iata: "PER", city: null, id: 1n, opened: null, runways: 3 };
  same<Row<typeof airport>["id"], bigint>(true);
  row satisfies Airport;
  same<keyof Row<typeof airport>, keyof Airport>(true);
  same<Row<Columns>[string], string | number | bigint | boolean | Date | null>(true);
  // @ts-expect-error -- an int64 is a bigint
  row.id = 1;
  // @ts-expect-error -- "integer" is no type
  assert.throws(() => schema({ id: "integer" }));
});

test("readers are typed by their schema, and have side outputs only when asked", () => {
  const plain = csv("airports.csv", { schema: airport });
  plain satisfies Reader<Airport>;
  const sided = csv("airports.csv", { schema: airport, badRows: "side" });
  sided satisfies SidedReader<Airport, { bad: unknown }>;
  assert.equal(sided.sides, { bad: "bad" });
  // @ts-expect-error -- without badRows there are no side outputs
  assert.is(plain.sides, undefined);
  csv("airports.csv") satisfies Reader<Record<string, unknown>>;
  same<ObjectOf<typeof untyped>, unknown>(true);
});

const untyped = jsonLines("events.jsonl");
type ObjectOf<R> = R extends Reader<infer T> ? T : never;

test("a schema is taken apart, and unknown types are refused by name", () => {
  assert.equal(schemaFields({ a: "int32?", b: "date" }), [
    { name: "a", kind: "int32", nullable: true },
    { name: "b", kind: "date", nullable: false },
  ]);
  try {
    schemaFields({ a: "text" } as never);
    assert.unreachable();
  } catch (error) {
    assert.instance(error, QStreamError);
    assert.is((error as QStreamError).code, "OPTION_INVALID");
    assert.is((error as QStreamError).place.column, "a");
  }
});

test.run();
