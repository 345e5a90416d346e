// File sinks and readers on S3, on every topology, against a server on this machine.

import fc from "fast-check";
import * as assert from "uvu/assert";
import {
  arrowIpc,
  csv,
  defineFlow,
  jsonLines,
  lines,
  local,
  numbers,
  parquet,
  schema,
  type FlowSession,
} from "../../lib/index.ts";
import { openFileSystem } from "../../lib/files/index.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { failure } from "../kit/failure.ts";
import { startS3Server, type S3Server } from "../kit/s3-server.ts";
import { suite } from "../kit/suite.ts";
import { type Form, given, type Manner, type Row, rowsOf, texts } from "./given.ts";
import { place } from "./place.ts";

const test = suite("S3 on every topology");
let server: S3Server;

test.before(async () => {
  if (place.only === undefined) server = await startS3Server();
});
test.after(async () => {
  if (place.only === undefined) await server.close();
});

type Args = Manner & { rows: Row[]; target: string; fails: boolean };

const written = defineFlow(import.meta.url, (q, args: Args) => {
  const rows = q.read("rows", given(args.rows, args), { channels: args.channels });
  const ids = q.read("ids", numbers(0, args.rows.length)).map("fail", (n) => {
    if (args.fails && n === args.rows.length - 1) throw new Error("not today");
    return n;
  });
  const { target } = args;
  return {
    lines: ids.toLines(`${target}/lines`, { rowsPerFile: 9 }),
    csv: rows.toCsv(`${target}/csv`),
    json: rows.toJsonLines(`${target}/json`),
    parquet: rows.toParquet(`${target}/parquet`),
    arrow: rows.toArrow(`${target}/arrow`),
  };
});

const columns = schema({ id: "float64", key: "string", day: "string?", n: "float64", part: "float64?", big: "int64" });

const readBack = defineFlow(import.meta.url, (q, { target, form }: { target: string; form: Form }) => ({
  lines: q.read("lines", lines(`${target}/lines/*.txt`, { splitBytes: 10 })).collect(),
  csv: q.read("csv", csv(`${target}/csv/`, { schema: columns, as: form })).collect({ as: "objects" }),
  json: q
    .read("json", jsonLines(`${target}/json/`))
    .count("values")
    .collect(),
  parquet: q.read("parquet", parquet(`${target}/parquet/`, { as: form })).collect({ as: "objects" }),
  arrow: q.read("arrow", arrowIpc(`${target}/arrow/`, { as: form })).collect({ as: "objects" }),
}));

const [rows = []] = fc
  .sample(rowsOf(60), { numRuns: 50, seed: 5 })
  .toSorted((left, right) => right.length - left.length);

for (const [isolation, form] of [
  ["none", "objects"],
  ["thread", "arrow"],
  ["process", "polars"],
] as const) {
  if (place.only !== undefined) break;
  test(`isolation ${isolation}: files are read back as they were, and a failed execution leaves none`, async () => {
    await using on = await local({ slots: 2, isolation, files: server.files });
    await check(on, isolation, form);
  });
}

if (place.only !== undefined) {
  const { name, isThere, session, s3, timeoutMs } = place.only;
  const sentence = `${name}: files are read back as they were, and a failed execution leaves none`;
  const tried = async (): Promise<void> => {
    if (!(await isThere())) return;
    server = await s3();
    await check(await session(), "there", "arrow");
  };
  test(sentence, tried, timeoutMs);
}

async function check(on: FlowSession, name: string, form: Form): Promise<void> {
  const manner = { form, sizes: [7, 2], channels: 3, parcelObjects: 5 };
  const target = `s3://out/${name}`;
  const failed = `s3://out/failed-${name}`;
  await failure(
    () => written.run({ ...manner, rows, target: failed, fails: true }, { on, strict: true }),
    "STEP_FAILED",
  );
  assert.equal(await listed(failed), []);
  const results = await written.run({ ...manner, rows, target, fails: false }, { on, strict: true });
  const expected = Object.values(results).flatMap((result) => result.files);
  assert.equal(await listed(target), expected.toSorted());
  const found = await readBack.run({ target, form }, { on, strict: true });
  assert.equal(texts(found.lines), texts(rows.map(({ id }) => `${id}`)));
  for (const objects of [found.csv, found.parquet, found.arrow]) assert.equal(texts(objects), texts(rows));
  assert.equal(found.json, [rows.length]);
  await failure(() => written.run({ ...manner, rows, target, fails: false }, { on }), "SINK_TARGET_EXISTS");
}

async function listed(target: string): Promise<string[]> {
  try {
    return (await openFileSystem(server.files).list(`${target}/`)).map(({ path }) => path).toSorted();
  } catch (error) {
    if (error instanceof QStreamError && error.code === "PATH_NOT_FOUND") return [];
    throw error;
  }
}

test.run();
