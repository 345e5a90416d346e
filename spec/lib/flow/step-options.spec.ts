// What the compiler finds in literals, for those who have none, and for objects that were put together elsewhere.
import * as assert from "uvu/assert";
import {
  collect,
  count,
  defineFlow,
  numbers,
  writeCsv,
  type FlowBuilder,
  type QStream,
  type Sink,
} from "../../../lib/index.ts";
import { nearestWord } from "../../../lib/core/option-names.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("options that there aren't");

type Row = { readonly key: number; readonly value: number };
type Build = (q: FlowBuilder, rows: QStream<Row>) => Sink<unknown>;

/** The message of the refusal. */
async function refused(build: Build): Promise<string> {
  const flow = defineFlow(import.meta.url, (q) => {
    const rows = q.read("numbers", numbers(0, 10)).map("row", (n): Row => ({ key: n % 3, value: n }));
    return { out: build(q, rows) };
  });
  return (await failure(() => flow.explain({}, { slots: 2 }), "OPTION_INVALID")).message;
}

const wrong = (name: string, more: object = {}): never => ({ ...more, [name]: 1 }) as never;
const keys = { left: "key", right: "key" } as const;

class Same {
  execute({ objects }: { readonly objects: readonly Row[] }): readonly Row[] {
    return objects;
  }
}

const cases: readonly (readonly [name: string, step: string, nearest: string, build: Build])[] = [
  ["chanels", 'reader "more"', "channels", (q) => q.read("more", numbers(0, 1), wrong("chanels")).collect()],
  ["onErrro", 'operator "same"', "", (_, rows) => rows.apply("same", () => new Same(), wrong("onErrro")).collect()],
  [
    "onFailur",
    'operator "same"',
    "onFailure",
    (_, rows) => rows.apply("same", () => new Same(), wrong("onFailur")).collect(),
  ],
  [
    "plcae",
    'operator "both"',
    "place",
    (q, rows) => q.apply("both", { in: rows }, () => new Same(), wrong("plcae")).collect(),
  ],
  ["Channels", 'sink "collect"', "channels", (_, rows) => rows.to(collect(), wrong("Channels"))],
  ["channel", 'sink "csv"', "channels", (_, rows) => rows.to(writeCsv("out"), wrong("channel"))],
  ["chanels", 'sink "for-each"', "channels", (_, rows) => rows.forEach(() => {}, wrong("chanels"))],
  ["byteMax", "collect()", "bytesMax", (_, rows) => rows.collect(wrong("byteMax"))],
  ["bytesMx", "dataset()", "bytesMax", (_, rows) => rows.dataset(wrong("bytesMx"))],
  ["seperator", "toCsv()", "separator", (_, rows) => rows.toCsv("out", wrong("seperator"))],
  ["chanels", "toCsv()", "channels", (_, rows) => rows.toCsv("out", wrong("chanels"))],
  ["lines", "toLines()", "line", (_, rows) => rows.toLines("out", wrong("lines"))],
  ["ifExist", "toJsonLines()", "ifExists", (_, rows) => rows.toJsonLines("out", wrong("ifExist"))],
  ["compresion", "toParquet()", "compression", (_, rows) => rows.toParquet("out", wrong("compresion"))],
  ["fromat", "toArrow()", "format", (_, rows) => rows.toArrow("out", wrong("fromat"))],
  ["strem", "writeRedis()", "stream", (_, rows) => rows.writeRedis("redis://h", wrong("strem"))],
  [
    "merg",
    "reduceByKey()",
    "merge",
    (_, rows) =>
      rows
        .reduceByKey(
          "sums",
          ({ key }) => key,
          () => 0,
          (sum) => sum,
          wrong("merg"),
        )
        .collect(),
  ],
  [
    "emits",
    "foldByKey()",
    "emit",
    (_, rows) =>
      rows
        .foldByKey(
          "sums",
          ({ key }) => key,
          () => 0,
          (sum) => sum,
          wrong("emits"),
        )
        .collect(),
  ],
  ["strikt", "zip()", "strict", (_, rows) => rows.zip("pairs", rows, wrong("strikt")).collect()],
  ["hwo", "join()", "how", (_, rows) => rows.join("both", rows, wrong("hwo", keys)).collect()],
  ["chanels", 'operator "both"', "channels", (_, rows) => rows.join("both", rows, keys, wrong("chanels")).collect()],
  ["sufix", "streamingJoin()", "suffix", (_, rows) => rows.streamingJoin("both", rows, wrong("sufix", keys)).collect()],
  [
    "combin",
    "broadcastJoin()",
    "combine",
    (_, rows) => rows.broadcastJoin("both", rows, wrong("combin", keys)).collect(),
  ],
  [
    "declare",
    "cogroup()",
    "declares",
    (_, rows) => rows.cogroup("both", rows, wrong("declare", { ...keys, combine: () => 1 })).collect(),
  ],
  [
    "agregates",
    "aggregate()",
    "aggregates",
    (_, rows) => rows.aggregate("sums", wrong("agregates", { aggregates: { n: count() } })).collect(),
  ],
  ["ordr", "topK()", "order", (_, rows) => rows.topK("most", 3, "value", wrong("ordr")).collect()],
  ["memorybytes", "sort()", "memoryBytes", (_, rows) => rows.sort("sorted", "value", wrong("memorybytes")).collect()],
  ["chanels", 'operator "once"', "channels", (_, rows) => rows.distinct("once", "key", wrong("chanels")).collect()],
];

for (const [name, step, nearest, build] of cases) {
  test(`${step} has no ${name}`, async () => {
    const message = await refused(build);
    assert.match(message, `${step} has no option "${name}". `);
    assert.match(message, nearest === "" ? /has the options channels, place, stages/ : `Did you mean "${nearest}"?`);
  });
}

test("what is no object of options is said to be none", async () => {
  const build =
    (options: unknown): Build =>
    (q) =>
      q.read("more", numbers(0, 1), options as never).collect();
  assert.match(await refused(build(4)), 'the options of reader "more" are 4, not an object');
  assert.match(await refused(build(null)), "are null, not an object");
  assert.match(await refused(build(["channels"])), "are an array, not an object");
});

test("a word that is near is found, and no other", () => {
  assert.is(nearestWord("chanels", ["place", "channels"]), "channels");
  assert.is(nearestWord("CHANNELS", ["place", "channels"]), "channels");
  assert.is(nearestWord("hannelsc", ["place", "channels"]), "channels");
  assert.is(nearestWord("as", ["by", "bytesMax"]), undefined);
  assert.is(nearestWord("x".repeat(10_000), ["channels"]), undefined);
  assert.is(nearestWord("", ["channels"]), undefined);
});

test("the type of an argument is one of four, and with a question mark optional", async () => {
  const define = (schema: unknown) => () =>
    defineFlow(import.meta.url, schema as { n: "int32" }, (q) => ({ out: q.read("n", numbers(0, 1)).collect() }));
  for (const type of ["nummber", "int32 ?", "", 5, undefined, null, "string??"]) {
    const { message } = await failure(define({ n: type }), "OPTION_INVALID");
    assert.match(message, 'argument "n" of the flow has the type ');
    assert.match(message, "string, boolean, int32 (whole numbers) and float64");
  }
  for (const schema of [null, ["n"], "n"]) {
    assert.match((await failure(define(schema), "OPTION_INVALID")).message, "no object of names and types");
  }
  for (const type of ["string", "int32", "float64", "boolean?"]) assert.type(define({ n: type })().run, "function");
});

test.run();
