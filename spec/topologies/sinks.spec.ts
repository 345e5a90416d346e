// specs: timeout 120 s
// Every sink on every topology, in every representation: what was put in is read back; and where an execution fails or is
// stopped, nothing is left, and nothing was to be seen before its end.

import { existsSync, mkdtempSync, readdirSync } from "node:fs";
import { appendFile, mkdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import fc from "fast-check";
import * as assert from "uvu/assert";
import {
  arrowIpc,
  csv,
  defineFlow,
  jsonLines,
  lines,
  numbers,
  parquet,
  schema,
  type Context,
  type Task,
} from "../../lib/index.ts";
import { loadBatches } from "../../lib/core/batch/index.ts";
import { failure } from "../kit/failure.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { Everywhere } from "./everywhere.ts";
import { type Form, given, manners, type Manner, type Row, rowsOf, texts } from "./given.ts";

const test = suite("sinks on every topology");
const everywhere = new Everywhere(test);
const folder = inSlot ? "" : mkdtempSync(join(tmpdir(), "qstream-spec-sinks-"));
test.after(() => rm(folder, { recursive: true, force: true }));

const collected = defineFlow(import.meta.url, (q, args: Manner & { rows: Row[] }) => {
  const rows = q.read("rows", given(args.rows, args), { channels: args.channels });
  return {
    asIs: rows.collect(),
    objects: rows.collect({ as: "objects" }),
    arrow: rows.collect({ as: "arrow" }),
    polars: rows.collect({ as: "polars" }),
  };
});

everywhere.property("collect gives objects, one table or one frame", {
  flow: collected,
  data: rowsOf(60).map((rows) => ({ rows })),
  check: async ({ asIs, objects, arrow, polars }, { rows, form }) => {
    const batches = await loadBatches();
    const asObjects = form === "objects" ? asIs : asIs.flatMap((batch) => batches.toObjects(batch));
    for (const found of [asObjects, objects, batches.toObjects(arrow), batches.toObjects(polars)]) {
      assert.equal(texts(found), texts(rows));
    }
  },
});

const limited = defineFlow(import.meta.url, (q, args: Manner & { upTo: number; bytesMax: number }) => ({
  rows: q
    .read("numbers", numbers(0, args.upTo), { channels: args.channels })
    .map("row", (n) => ({ n, text: `number ${n}` }))
    .collect({ bytesMax: args.bytesMax }),
}));

everywhere.each("collect refuses more than its limit", async (on) => {
  const manner = { form: "objects", sizes: [1], channels: 2, parcelObjects: 64 } as const;
  assert.is((await limited.run({ ...manner, upTo: 5000, bytesMax: 1 << 20 }, { on, strict: true })).rows.length, 5000);
  await failure(() => limited.run({ ...manner, upTo: 5000, bytesMax: 1 << 16 }, { on }), "COLLECT_LIMIT", {
    step: "rows",
  });
});

// What a slot does with a function is seen in a file, as memory isn't shared.
const called = defineFlow(import.meta.url, (q, args: Manner & { rows: Row[]; file: string }) => ({
  calls: q
    .read("rows", given(args.rows, args), { channels: args.channels })
    .forEach(async (row) => appendFile(args.file, `${row.id}\n`)),
}));

everywhere.property("forEach calls its function once for each object, and waits for it", {
  flow: called,
  data: rowsOf(30).map((rows) => ({ rows, file: join(folder, "called.txt") })),
  manner: manners("objects"),
  runs: 4,
  prepare: ({ file }) => rm(file, { force: true }),
  check: async ({ calls }, { rows, file }) => {
    assert.is(calls.objects, rows.length);
    const found = rows.length === 0 ? "" : await readFile(file, "utf8");
    assert.equal(texts(found.split("\n").filter(Boolean)), texts(rows.map(({ id }) => `${id}`)));
  },
});

type Files = Manner & { rows: Row[]; target: string; rowsPerFile: number };

const written = defineFlow(import.meta.url, (q, args: Files) => {
  const rows = q.read("rows", given(args.rows, args), { channels: args.channels });
  const { target, rowsPerFile } = args;
  const options = { rowsPerFile, ifExists: "overwrite" } as const;
  const ids = q.read("again", given(args.rows, { ...args, form: "objects" }));
  return {
    lines: ids.toLines(`${target}/lines`, { ...options, line: ({ id, key }) => `${id} ${key}` }),
    csv: rows.toCsv(`${target}/csv`, options),
    json: rows.toJsonLines(`${target}/json`, options),
    parquet: rows.toParquet(`${target}/parquet`, { ...options, rowGroupRows: 7 }),
    arrow: rows.toArrow(`${target}/arrow`, options),
    stream: rows.toArrow(`${target}/stream`, { ...options, format: "stream", channels: 3 }),
  };
});

const columns = schema({ id: "float64", key: "string", day: "string?", n: "float64", part: "float64?", big: "int64" });

const readBack = defineFlow(import.meta.url, (q, { target, form }: { target: string; form: Form }) => ({
  lines: q.read("lines", lines(`${target}/lines`)).collect(),
  csv: q.read("csv", csv(`${target}/csv`, { schema: columns })).collect(),
  json: q.read("json", jsonLines(`${target}/json`)).collect(),
  parquet: q.read("parquet", parquet(`${target}/parquet`, { as: form })).collect({ as: "objects" }),
  arrow: q.read("arrow", arrowIpc(`${target}/arrow`, { as: form })).collect({ as: "objects" }),
  stream: q.read("stream", arrowIpc(`${target}/stream`, { as: form })).collect({ as: "objects" }),
}));

everywhere.each("files of each format, from each representation, are read back as they were", async (on) => {
  const options = { on, strict: true };
  const target = join(folder, "written");
  const property = fc.asyncProperty(
    someRows(),
    manners(),
    fc.constantFrom(3, 20, 1000),
    async (rows, manner, rowsPerFile) => {
      const limits = { parcelObjects: manner.parcelObjects };
      const files = await written.run({ ...manner, rows, target, rowsPerFile }, { ...options, limits });
      for (const result of Object.values(files)) {
        assert.is(result.rows, rows.length);
        assert.ok(result.files.length >= Math.ceil(rows.length / rowsPerFile));
        assert.ok(result.files.every((path) => existsSync(path)));
      }
      const left = readdirSync(target, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
      assert.is(left.length, Object.values(files).flatMap((result) => result.files).length, "no other file is left");
      assertSame(await readBack.run({ target, form: manner.form }, options), rows);
    },
  );
  await fc.assert(property, { numRuns: 5, includeErrorInReport: true });
  await rm(target, { recursive: true });
});

/** Readers of a folder want a file in it. */
const someRows = (): fc.Arbitrary<Row[]> => rowsOf(40).filter((rows) => rows.length > 0);

function assertSame(found: Record<string, readonly unknown[]>, rows: readonly Row[]): void {
  const { lines: linesFound = [], json = [], ...others } = found;
  assert.equal(texts(linesFound), texts(rows.map(({ id, key }) => `${id} ${key}`)));
  // A number in JSON isn't told from a bigint: digits beyond 2^53 are lost when it is parsed.
  assert.equal(texts(json), texts(rows.map((row) => ({ ...row, big: Number(row.big) }))));
  for (const [format, objects] of Object.entries(others)) assert.equal(texts(objects), texts(rows), format);
}

/** Waits before each of some rows until a file is there, and fails at the end if it should. */
const watched = defineFlow(
  import.meta.url,
  (q, args: Manner & { rows: Row[]; target: string; gate: string; fails: boolean }) => {
    const rows = q.read("rows", given(args.rows, args), { channels: 2 });
    const slow = q.read("slow", numbers(0, 1)).apply("gate", () => ({
      async *execute({ objects }: Task<{ in: number }>, { signal }: Context) {
        while (!existsSync(args.gate)) await wait(10, undefined, { signal });
        if (args.fails) throw new Error("not today");
        yield* objects;
      },
    }));
    const { target } = args;
    return {
      csv: rows.toCsv(`${target}/csv`),
      json: rows.toJsonLines(`${target}/json`),
      parquet: rows.toParquet(`${target}/parquet`),
      arrow: rows.toArrow(`${target}/arrow`, { channels: 3 }),
      lines: rows.map("id", ({ id }) => `${id}`).toLines(`${target}/lines`, { rowsPerFile: 2 }),
      slow: slow.collect(),
    };
  },
);

const visible = (target: string): string[] =>
  existsSync(target)
    ? readdirSync(target, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => entry.name)
    : [];

everywhere.each(
  "no file is seen under its name before the end, and none is left after a failure or a stop",
  async (on) => {
    const rows = fc.sample(rowsOf(40), { numRuns: 20, seed: 11 }).find(({ length }) => length > 20) ?? [];
    for (const end of ["success", "failure", "stop"] as const) {
      const target = join(folder, `watched-${end}`);
      const gate = join(folder, `gate-${end}`);
      const manner = { form: "objects", sizes: [5], channels: 2, parcelObjects: 3 } as const;
      const abort = new AbortController();
      const args = { ...manner, rows, target, gate, fails: end === "failure" };
      const execution = await watched.start(args, { on, strict: true, signal: abort.signal });
      execution.outputs.catch(() => {});
      // Long enough for what isn't held back to be written.
      await wait(200);
      assert.equal(
        visible(target).filter((name) => /^part-\d+\.\w+$/.test(name)),
        [],
        "nothing before the end",
      );
      await (end === "stop" ? abort.abort() : mkdir(gate));
      if (end === "success") {
        assert.is((await execution.outputs).lines.rows, rows.length);
        assert.ok(visible(target).every((name) => /^part-\d+\.\w+$/.test(name)));
      } else {
        await failure(() => execution.outputs, end === "stop" ? "ABORTED" : "STEP_FAILED");
        await untilEmpty(target);
      }
      await rm(target, { recursive: true, force: true });
      await rm(gate, { recursive: true, force: true });
    }
  },
);

async function untilEmpty(target: string): Promise<void> {
  for (let tries = 0; tries < 50 && visible(target).length > 0; tries++) await wait(20);
  assert.equal(visible(target), [], "nothing is left");
}

const exclusive = defineFlow(
  import.meta.url,
  (q, args: { target: string; ifExists: "error" | "append" | "overwrite"; n: number }) => ({
    files: q.read("numbers", numbers(0, args.n), { channels: 2 }).toLines(args.target, { ifExists: args.ifExists }),
  }),
);

everywhere.each("a target that isn't empty is refused, written beside, or replaced", async (on) => {
  const target = join(folder, "exclusive");
  const linesOf = async (): Promise<number> => {
    const contents = await Promise.all(readdirSync(target).map((name) => readFile(join(target, name), "utf8")));
    return contents.join("").split("\n").length - 1;
  };
  await exclusive.run({ target, ifExists: "error", n: 10 }, { on });
  await failure(() => exclusive.run({ target, ifExists: "error", n: 10 }, { on }), "SINK_TARGET_EXISTS");
  assert.is(await linesOf(), 10);
  await exclusive.run({ target, ifExists: "append", n: 5 }, { on });
  assert.is(await linesOf(), 15);
  await exclusive.run({ target, ifExists: "overwrite", n: 3 }, { on });
  assert.is(await linesOf(), 3);
  await rm(target, { recursive: true });
});

test.run();
