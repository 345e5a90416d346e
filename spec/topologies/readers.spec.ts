// specs: timeout 120 s
// Every reader on every topology, in every form it gives: what it reads, however it is split.

import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import pl from "nodejs-polars";
import * as assert from "uvu/assert";
import { WebSocketServer } from "ws";
import {
  arrowIpc,
  arrowTable,
  csv,
  dataset,
  defineFlow,
  items,
  iterable,
  jsonArray,
  jsonLines,
  lines,
  numbers,
  parquet,
  polarsFrame,
  reader,
  run,
  schema,
  webSocket,
  type Dataset,
} from "../../lib/index.ts";
import { loadBatches } from "../../lib/core/batch/index.ts";
import { failure } from "../kit/failure.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { Everywhere } from "./everywhere.ts";
import { serveFiles, type ServedFiles } from "./file-server.ts";
import { forms, given, manners, type Manner, type Row, rowsOf, texts } from "./given.ts";

const test = suite("readers on every topology");
const everywhere = new Everywhere(test);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

const memory = defineFlow(import.meta.url, (q, args: Manner & { rows: Row[]; from: number; step: number }) => {
  const { rows, channels } = args;
  const { from, step } = args;
  return {
    items: q.read("items", items(rows), { channels }).collect(),
    generated: q
      .read(
        "generated",
        iterable(() => rows.values()),
      )
      .collect(),
    waited: q
      .read(
        "waited",
        iterable(async function* () {
          for (const row of rows) yield await Promise.resolve(run([row]));
        }),
      )
      .collect(),
    shared: q
      .read(
        "shared",
        iterable(({ index, count }) => rows.filter((row) => row.id % count === index), { parallelism: "per-slot" }),
        { channels },
      )
      .collect(),
    custom: q.read("custom", reader({ splits: () => [0], read: () => rows })).collect(),
    numbers: q.read("numbers", numbers(from, from + step * rows.length, { step }), { channels }).collect(),
  };
});

everywhere.property(
  "items, iterables, numbers and readers of one's own are read once each, whatever the number of channels",
  {
    flow: memory,
    data: fc.record({
      rows: rowsOf(60),
      from: fc.integer({ min: -9, max: 9 }),
      step: fc.constantFrom(1, -1, 0.25, 3),
    }),
    runs: 5,
    check: (outputs, { rows, from, step }) => {
      assert.equal(texts(outputs.items), texts(rows));
      assert.equal(outputs.generated, rows, "a single channel keeps the order");
      assert.equal(outputs.waited, rows);
      assert.equal(outputs.custom, rows);
      assert.equal(texts(outputs.shared), texts(rows));
      assert.equal(texts(outputs.numbers), texts(upTo(rows.length).map((place) => from + step * place)));
    },
  },
);

const folder = inSlot ? "" : mkdtempSync(join(tmpdir(), "qstream-spec-readers-"));
const columns = schema({ id: "int32", note: "string?", part: "float64?", big: "int64" });
type Note = { id: number; note: string | null; part: number | null; big: bigint };
type Texts = Manner & { notes: Note[]; files: number; splitBytes: number };

const textFiles = defineFlow(import.meta.url, (q, args: Texts & { folder: string }) => {
  const { channels, splitBytes, form } = args;
  const at = (ending: string): string => `${args.folder}/texts/*.${ending}`;
  const options = { schema: columns, splitBytes } as const;
  return {
    lines: q.read("lines", lines(at("txt"), { splitBytes }), { channels }).collect(),
    gzipped: q.read("gzipped", lines(at("txt.gz"), { splitBytes })).collect(),
    csv: q.read("csv", csv(at("csv"), { ...options, as: form }), { channels }).collect({ as: "objects" }),
    gzippedCsv: q.read("gzipped csv", csv(at("csv.gz"), options), { channels }).collect(),
    jsonLines: q.read("json lines", jsonLines(at("jsonl"), { splitBytes }), { channels }).collect(),
    jsonArray: q.read("json array", jsonArray(at("json")), { channels }).collect(),
  };
});

const pieces = fc.constantFrom("a", "é", "🍓", " ", ",", '"', "\n", "x".repeat(50), "1", "null");
const notes = fc.array(
  fc.record({
    note: fc.option(
      fc.array(pieces, { maxLength: 6 }).map((list) => list.join("")),
      { nil: null },
    ),
    part: fc.option(
      fc.integer({ min: -99, max: 99 }).map((n) => n / 8),
      { nil: null },
    ),
    big: fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
  }),
  { maxLength: 50 },
);

const withoutBig = ({ big: _big, ...rest }: Note): Omit<Note, "big"> => rest;
const lineOf = ({ id, note }: Note): string => `${id} ${note?.replaceAll("\n", " ") ?? ""}`;
const csvLine = ({ id, note, part, big }: Note): string =>
  `${id},${note === null ? "" : `"${note.replaceAll('"', '""')}"`},${part ?? ""},${big}\n`;

/** Writes the rows to some files of each kind; the first file may have none. */
async function writeTexts({ notes: rows, files }: Texts): Promise<void> {
  const target = join(folder, "texts");
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { recursive: true });
  for (let file = 0; file < files; file++) {
    const part = rows.filter(({ id }) => id % files === file);
    const text = part.map((row) => `${lineOf(row)}${file === 0 ? "\r\n" : "\n"}`).join("");
    const table = `id,note,part,big\n${part.map(csvLine).join("")}`;
    const json = part.map((row) => JSON.stringify(withoutBig(row)));
    await writeFile(join(target, `${file}.txt`), text.replace(/\r?\n$/, ""));
    await writeFile(join(target, `${file}.txt.gz`), gzipSync(text));
    await writeFile(join(target, `${file}.csv`), `\ufeff${table}`);
    await writeFile(join(target, `${file}.csv.gz`), gzipSync(table));
    await writeFile(join(target, `${file}.jsonl`), json.join("\n\n"));
    await writeFile(join(target, `${file}.json`), `[${json.join(" , ")}]\n`);
  }
}

everywhere.property("text files give each line, row and value once, wherever they are cut", {
  flow: textFiles,
  data: fc
    .record({ list: notes, files: fc.integer({ min: 1, max: 3 }), splitBytes: fc.constantFrom(1, 7, 64, 1 << 20) })
    .map(({ list, ...rest }) => ({ notes: list.map((row, id) => ({ id, ...row })), folder, ...rest })),
  prepare: writeTexts,
  check: (outputs, { notes: rows }) => {
    assert.equal(texts(outputs.lines), texts(rows.map(lineOf)));
    assert.equal(texts(outputs.gzipped), texts(rows.map(lineOf)));
    assert.equal(texts(outputs.csv), texts(rows));
    assert.equal(texts(outputs.gzippedCsv), texts(rows));
    assert.equal(texts(outputs.jsonLines), texts(rows.map(withoutBig)));
    assert.equal(texts(outputs.jsonArray), texts(rows.map(withoutBig)));
  },
});

type Numbered = { n: number; text: string; big: bigint; at: Date | null };
const tableRows = 700;
const numbered = (n: number): Numbered => ({
  n,
  text: `text ${n % 31}`,
  big: BigInt(n) * 2n ** 50n,
  at: n % 5 === 0 ? null : new Date(n * 1000),
});
const numberedTable = async () =>
  (await loadBatches()).toArrow((await loadBatches()).fromObjects(upTo(tableRows).map(numbered), "arrow"));
const numberedFrame = async () => (await loadBatches()).toPolars(await numberedTable());

type Batches = Manner & { rowsAtOnce: number; least: number; folder: string; url: string };

const batchFiles = defineFlow(import.meta.url, (q, args: Batches) => {
  const { channels, rowsAtOnce, least, form, folder: from, url } = args;
  const scan = { as: form, splitRows: rowsAtOnce, batchRows: rowsAtOnce } as const;
  const where = [["n", ">=", least]] as const;
  return {
    parquet: q
      .read("parquet", parquet(`${from}/some.parquet`, { ...scan, where }), { channels })
      .collect({ as: "objects" }),
    columns: q
      .read(
        "columns",
        parquet(`${from}/some.parquet`, { splitRows: rowsAtOnce, columns: { n: "float64", at: "timestamp?" } }),
      )
      .collect(),
    remote: q.read("remote", parquet(`${url}/some.parquet`, { ...scan, where })).collect({ as: "objects" }),
    scanned: q
      .read("scanned", parquet(`${from}/some.parquet`, { frame: (rows) => rows.select(pl.col("n").sum().alias("n")) }))
      .collect(),
    ipc: q
      .read("ipc", arrowIpc([`${from}/some.arrow`, `${from}/some.arrows`], { as: form, batchRows: rowsAtOnce }), {
        channels,
      })
      .collect({ as: "objects" }),
    remoteIpc: q.read("remote ipc", arrowIpc(`${url}/some.arrow`, { as: form })).collect({ as: "objects" }),
    table: q
      .read("table", arrowTable(numberedTable, { splitRows: rowsAtOnce }), { channels })
      .collect({ as: "objects" }),
    frame: q.read("frame", polarsFrame(numberedFrame, { splitRows: rowsAtOnce })).collect({ as: "objects" }),
  };
});

let served: ServedFiles | undefined;

test.before(async () => {
  const frame = await numberedFrame();
  // A row group has 100 rows, a record batch 150.
  const sink = { compression: "snappy", rowGroupSize: 100, maintainOrder: true } as never;
  await frame.lazy().sinkParquet(join(folder, "some.parquet"), sink).collect();
  const { tableToIPC, Table } = await import("apache-arrow");
  const table = await numberedTable();
  const parts = upTo(5).map((part) => table.slice(part * 150, Math.min(tableRows, (part + 1) * 150)));
  const cut = new Table(
    table.schema,
    parts.flatMap((part) => part.batches),
  );
  await writeFile(join(folder, "some.arrow"), tableToIPC(cut, "file"));
  await writeFile(join(folder, "some.arrows"), tableToIPC(cut, "stream"));
  served = await serveFiles(folder);
});
test.after(async () => {
  await served?.close();
  await rm(folder, { recursive: true, force: true });
});

everywhere.property("Parquet, Arrow and tables in memory give their rows in any form, local and over http", {
  flow: batchFiles,
  data: fc
    .record({ rowsAtOnce: fc.constantFrom(30, 100, 260, 100_000), least: fc.constantFrom(-1, 120, 650, 9999) })
    .map((record) => ({ ...record, folder, url: served?.url ?? "" })),
  runs: 4,
  check: (outputs, { least }) => {
    const all = upTo(tableRows).map(numbered);
    const some = texts(all.filter(({ n }) => n >= least));
    assert.equal(texts(outputs.parquet), some);
    assert.equal(texts(outputs.remote), some);
    assert.equal(texts(outputs.columns), texts(all.map(({ n, at }) => ({ n, at }))));
    assert.equal(
      outputs.scanned.map(({ n }) => n),
      [(tableRows * (tableRows - 1)) / 2],
    );
    assert.equal(texts(outputs.ipc), texts([...all, ...all]));
    assert.equal(texts(outputs.remoteIpc), texts(all));
    assert.equal(texts(outputs.table), texts(all));
    assert.equal(texts(outputs.frame), texts(all));
  },
});

const kept = defineFlow(import.meta.url, (q, args: Manner & { rows: Row[] }) => ({
  rows: q.read("rows", given(args.rows, args), { channels: args.channels }).dataset(),
}));

const fromKept = defineFlow(import.meta.url, (q, { rows }: { rows: Dataset<Row> }) => ({
  rows: q.read("kept", dataset(rows)).collect({ as: "objects" }),
  total: q.read("kept too", dataset(rows)).count("total").collect(),
}));

everywhere.each("a dataset gives what was put into it, until it is released", async (on) => {
  const rows = fc.sample(rowsOf(80), { numRuns: 20, seed: 7 }).find(({ length }) => length > 30) ?? [];
  for (const form of forms) {
    const [manner = { form, sizes: [3], channels: 2, parcelObjects: 1 }] = fc.sample(manners(form), {
      numRuns: 1,
      seed: 3,
    });
    const { rows: put } = await kept.run({ ...manner, rows }, { on, strict: true });
    assert.is(put.rows, rows.length);
    for (let again = 0; again < 2; again++) {
      const outputs = await fromKept.run({ rows: put }, { on, strict: true });
      assert.equal(texts(outputs.rows), texts(rows), form);
      assert.equal(outputs.total, [rows.length]);
    }
    assert.equal(texts(await put.objects()), texts(rows));
    const batches = await loadBatches();
    assert.equal(texts(batches.toObjects(await put.arrow())), texts(rows));
    assert.equal(texts(batches.toObjects(await put.polars())), texts(rows));
    put.release();
    await failure(() => fromKept.run({ rows: put }, { on }), "DATASET_RELEASED");
  }
});

const messagesSent = 100;
const messages = defineFlow(import.meta.url, (q, { url }: { url: string }) => ({
  messages: q.read("messages", webSocket(url)).limit("all", messagesSent).collect(),
}));

everywhere.each("a WebSocket gives its messages in their order", async (on) => {
  const sent = upTo(messagesSent).map((n) => `message ${n}`);
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  server.on("connection", (socket) => {
    for (const message of sent) socket.send(message);
  });
  await once(server, "listening");
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    assert.equal((await messages.run({ url }, { on })).messages, sent);
  } finally {
    for (const socket of server.clients) socket.terminate();
    server.close();
  }
});

test.run();
