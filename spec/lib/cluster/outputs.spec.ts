import { tableFromArrays, type Table } from "apache-arrow";
import polars from "nodejs-polars";
import * as assert from "uvu/assert";
import type { ExecutionEvent } from "../../../actors/scheduler/execution-events.ts";
import { decodeOutputs, encodeOutputs, eventFrom, plainEvent } from "../../../lib/cluster/outputs.ts";
import { registerCodec } from "../../../lib/core/codec/index.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("outputs on their way from a cluster");

/** As the messages of driver, head and client carry them. */
const travelled = async (outputs: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>> =>
  decodeOutputs(structuredClone(await encodeOutputs(outputs)));

class Money {
  readonly cents: number;

  constructor(cents: number) {
    this.cents = cents;
  }
}
registerCodec(Money, { name: "spec.money", encode: ({ cents }) => cents, decode: (cents: number) => new Money(cents) });

test("values of any kind arrive as they were", async () => {
  const outputs = {
    nothing: undefined,
    none: null,
    number: -0,
    text: "é\ud83e\udd98",
    big: 2n ** 70n,
    empty: [],
    holes: [undefined, null, 1],
    mixed: [1, "two", { three: 3n }, [4]],
    rows: [
      { a: 1, b: "x" },
      { a: 2, b: "y" },
    ],
    map: new Map<unknown, unknown>([["a", new Set([1, 2])]]),
    date: new Date(7),
    bytes: new Uint8Array([1, 2, 3]),
    written: { files: ["a.csv"], rows: 3 },
  };
  assert.equal(await travelled(outputs), outputs);
});

test("objects of classes with a codec arrive as objects of their class, also inside of others", async () => {
  const outputs = await travelled({
    one: new Money(5),
    many: [new Money(1), new Money(2)],
    inside: { of: new Money(3) },
  });
  assert.instance(outputs["one"], Money);
  assert.equal(outputs["many"], [new Money(1), new Money(2)]);
  assert.instance((outputs["inside"] as { of: unknown }).of, Money);
});

test("tables and frames arrive as what they were, alone and in arrays", async () => {
  const table = tableFromArrays({ n: Int32Array.from([1, 2]), name: ["a", "b"] });
  const frame = polars.DataFrame({ n: [1, 2, 3] });
  const outputs = await travelled({ table, frame, tables: [table, table], frames: [frame] });
  const rows = (value: unknown): unknown => (value as Table).toArray().map((row) => ({ ...row.toJSON() }));
  assert.equal(rows(outputs["table"]), rows(table));
  assert.equal((outputs["tables"] as unknown[]).map(rows), [rows(table), rows(table)]);
  assert.equal((outputs["frame"] as typeof frame).toRecords(), frame.toRecords());
  assert.is((outputs["frames"] as (typeof frame)[])[0]?.height, 3);
});

test("many objects travel in several pieces, and arrive in their order", async () => {
  const many = Array.from({ length: 100_000 }, (_, n) => ({ n, text: `row ${n}` }));
  assert.equal((await travelled({ many }))["many"], many);
});

test("outputs that are too large together are COLLECT_LIMIT, which names the one that doesn't fit", async () => {
  const outputs = { small: [1, 2, 3], large: Array.from({ length: 50_000 }, (_, n) => n) };
  await encodeOutputs(outputs, 1 << 20);
  const error = await encodeOutputs(outputs, 1 << 16).catch((thrown: unknown) => thrown);
  assert.instance(error, QStreamError);
  assert.is((error as QStreamError).code, "COLLECT_LIMIT");
  assert.match((error as QStreamError).message, /output "large" .* 65536 bytes\. Write results/);
});

test("what can't travel says so", async () => {
  const error = await encodeOutputs({ made: [{ of: () => 1 }] }).catch((thrown: unknown) => thrown);
  assert.is((error as QStreamError).code, "CANNOT_TRAVEL");
});

test("errors in events keep code, place and cause", () => {
  const error = new QStreamError("STEP_FAILED", "it broke", {
    step: "map",
    channel: 2,
    seq: 7,
    cause: new RangeError("x"),
  });
  const event: ExecutionEvent = {
    kind: "task-failed",
    execution: "run-1",
    step: "map",
    channel: 2,
    seq: 7,
    attempt: 1,
    attempts: 3,
    next: "try-again",
    error,
  };
  const arrived = eventFrom(structuredClone(plainEvent(event)));
  if (arrived.kind !== "task-failed") return assert.unreachable();
  const { error: rebuilt, ...rest } = arrived;
  assert.equal({ ...rest, error: undefined }, { ...event, error: undefined });
  assert.instance(rebuilt, QStreamError);
  assert.is((rebuilt as QStreamError).code, "STEP_FAILED");
  assert.is(rebuilt.message, error.message);
  assert.equal((rebuilt as QStreamError).place, { step: "map", channel: 2, seq: 7 });
  assert.is((rebuilt.cause as Error).name, "RangeError");
  const plain: ExecutionEvent = { kind: "started", execution: "run-1" };
  assert.is(eventFrom(plainEvent(plain)), plain);
});

test.run();
