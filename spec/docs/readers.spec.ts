// docs/readers.md against the readers: what its table says of them, what they give, and where bad input goes.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { actorHome } from "../../lib/core/actor-home.ts";
import type { Reader } from "../../lib/core/contracts/reader.ts";
import { representationOf } from "../../lib/core/batch/index.ts";
import {
  arrowIpc,
  arrowTable,
  csv,
  dataset,
  defineFlow,
  fromActor,
  items,
  iterable,
  jsonArray,
  jsonLines,
  lines,
  local,
  numbers,
  parquet,
  polarsFrame,
  reader,
  redisStream,
  standardInput,
  webSocket,
  type AnyReference,
  type Dataset,
  type QStreamError,
  type Session,
} from "../../lib/index.ts";
import { suite } from "../kit/suite.ts";
import { representations, rows, streamOf } from "./rows.ts";
import { codeIn, exportedFunctions, tableRows, type TableRow } from "./tables.ts";

type As = "objects" | "arrow" | "polars";

const test = suite("docs/readers.md");
const table = tableRows("docs/readers.md", "reader");
const nameOf = (row: TableRow): string => codeIn(row["reader"])[0] ?? "";
const given = (row: TableRow): string[] => (row["gives"] ?? "").toLowerCase().split(", ");

/** Readers of files by the name of the file in the folder, and of data in memory, each with five rows. */
const readers: Readonly<Record<string, (folder: string, as: As) => Reader<unknown>>> = {
  items: () => items(rows),
  numbers: () => numbers(0, 5),
  iterable: () => iterable(() => rows),
  reader: () => reader({ splits: () => [0], read: () => rows }),
  lines: (folder) => lines(join(folder, "rows.txt")),
  csv: (folder, as) => csv(join(folder, "rows.csv"), { as }),
  jsonLines: (folder) => jsonLines(join(folder, "rows.jsonl")),
  jsonArray: (folder) => jsonArray(join(folder, "rows.json")),
  parquet: (folder, as) => parquet(join(folder, "parquet"), { as }),
  arrowIpc: (folder, as) => arrowIpc(join(folder, "arrow"), { as }),
  arrowTable: () => arrowTable(async () => (await import("apache-arrow")).tableFromArrays({ n: [1, 2, 3, 4, 5] })),
  polarsFrame: () => polarsFrame(async () => (await import("nodejs-polars")).DataFrame({ n: [1, 2, 3, 4, 5] })),
};

const bad: Readonly<
  Record<
    string,
    {
      readonly option: string;
      readonly sided: (folder: string) => Reader<unknown>;
      readonly failing: (folder: string) => Reader<unknown>;
    }
  >
> = {
  lines: {
    option: "badLines",
    sided: (folder) => lines(join(folder, "bad.txt"), { badLines: "side" }),
    failing: (folder) => lines(join(folder, "bad.txt")),
  },
  csv: {
    option: "badRows",
    sided: (folder) => csv(join(folder, "bad.csv"), { badRows: "side" }),
    failing: (folder) => csv(join(folder, "bad.csv")),
  },
  jsonLines: {
    option: "badRows",
    sided: (folder) => jsonLines(join(folder, "bad.jsonl"), { badRows: "side" }),
    failing: (folder) => jsonLines(join(folder, "bad.jsonl")),
  },
  jsonArray: {
    option: "badRows",
    sided: (folder) => jsonArray(join(folder, "bad.json"), { badRows: "side" }),
    failing: (folder) => jsonArray(join(folder, "bad.json")),
  },
  parquet: {
    option: "badFiles",
    sided: (folder) => parquet(join(folder, "bad.parquet"), { badFiles: "side" }),
    failing: (folder) => parquet(join(folder, "bad.parquet")),
  },
};

/** A reference to an actor on the slots of a session, as far as a reader looks before it reads. */
const onSlots = { [actorHome]: { system: "shop", reach: "slots" } } as object;

/** Readers of live sources, which aren't run here, and their option for bad input. */
const live: Readonly<Record<string, { readonly make: () => Reader<unknown>; readonly option?: string }>> = {
  redisStream: { make: () => redisStream("redis://host", { streams: "s" }) },
  webSocket: { make: () => webSocket("ws://host") },
  standardInput: { make: () => standardInput(), option: "badLines" },
  fromActor: { make: () => fromActor(onSlots as AnyReference, "next") },
};

function readerOf(name: string, folder: string, as: As): Reader<unknown> {
  const make = readers[name] ?? live[name]?.make;
  if (make === undefined) throw new Error(`there is no reader ${name}`);
  return make(folder, as);
}

const tried = defineFlow(import.meta.url, (q, { name, folder, as }: { name: string; folder: string; as: As }) => ({
  out: q.read("in", readerOf(name, folder, as)).collect(),
}));

const sided = defineFlow(import.meta.url, (q, { name, folder }: { name: string; folder: string }) => {
  const stream = q.read("in", bad[name]?.sided(folder) as ReturnType<typeof lines<"side">>);
  return { good: stream.collect(), bad: stream.sides.bad.collect() };
});

const failing = defineFlow(import.meta.url, (q, { name, folder }: { name: string; folder: string }) => ({
  out: q.read("in", bad[name]?.failing(folder) as Reader<unknown>).collect(),
}));

const keep = defineFlow(import.meta.url, (q, { as }: { as: As }) => ({
  kept: streamOf(q, "rows", rows, as).dataset(),
}));

const write = defineFlow(import.meta.url, (q, { folder }: { folder: string }) => {
  const stream = streamOf(q, "rows", rows, "polars");
  return { parquet: stream.toParquet(join(folder, "parquet")), arrow: stream.toArrow(join(folder, "arrow")) };
});

const readKept = defineFlow(import.meta.url, (q, { kept }: { kept: Dataset<unknown> }) => ({
  out: q.read("kept", dataset(kept)).collect(),
}));

let folder = "";
let session: Session | undefined;

test.before(async () => {
  folder = mkdtempSync(join(tmpdir(), "qstream-docs-readers-"));
  session = await local({ slots: 2, isolation: "none" });
  const text = rows.map(({ k, n }) => `${k},${n}\n`).join("");
  const json = rows.map((row) => JSON.stringify(row));
  writeFileSync(join(folder, "rows.txt"), text);
  writeFileSync(join(folder, "rows.csv"), `k,n\n${text}`);
  writeFileSync(join(folder, "rows.jsonl"), `${json.join("\n")}\n`);
  writeFileSync(join(folder, "rows.json"), `[${json.join(",")}]`);
  writeFileSync(join(folder, "bad.txt"), Buffer.from([97, 10, 0xff, 10, 98, 10]));
  writeFileSync(join(folder, "bad.csv"), "k,n\na,1\nb\nc,3\n");
  writeFileSync(join(folder, "bad.jsonl"), '{"k":1}\n{"k"\n{"k":3}\n');
  writeFileSync(join(folder, "bad.json"), '[{"k":1},{"k" 2},{"k":3}]');
  writeFileSync(join(folder, "bad.parquet"), "PAR1 this is none PAR1");
  await write.run({ folder }, { on: session });
});

test.after(async () => {
  await session?.close();
  rmSync(folder, { recursive: true, force: true });
});

const on = (): { on: Session } => ({ on: session as Session });

test("the table has every reader that is exported", () => {
  const exported = exportedFunctions("readers/").filter((name) => name !== "run");
  assert.equal(table.map(nameOf).toSorted(), exported.toSorted());
});

for (const row of table) {
  const name = nameOf(row);
  if (name === "dataset") continue;
  test(`what the table says of ${name} is what the reader says`, () => {
    const made = readerOf(name, "somewhere", "objects");
    assert.is(row["kind"], `\`${made.kind}\``);
    assert.is(row["channels"], ["single", "client"].includes(made.parallelism ?? "") ? "1" : "one a slot");
    assert.is(codeIn(row["bad input"])[0], bad[name]?.option ?? live[name]?.option);
  });

  // What these give is in their own specs, where there are servers for them.
  const forms = name in live ? [] : given(row);
  for (const as of representations.filter(
    (form) => forms.includes(form) && (name !== "reader" || form === "objects"),
  )) {
    test(`${name} gives ${as}`, async () => {
      const { out } = await tried.run({ name, folder, as }, on());
      assert.is(representationOf(out[0]), as === "objects" ? undefined : as);
      const count = (object: unknown): number =>
        as === "arrow" ? (object as { numRows: number }).numRows : (object as { height: number }).height;
      assert.is(as === "objects" ? out.length : out.reduce<number>((sum, batch) => sum + count(batch), 0), rows.length);
    });
  }
}

for (const as of representations) {
  test(`dataset gives the ${as} that were put in`, async () => {
    const { kept } = await keep.run({ as }, on());
    const { out } = await readKept.run({ kept }, on());
    assert.is(representationOf(out[0]), as === "objects" ? undefined : as);
    kept.release();
  });
}

for (const name of Object.keys(bad)) {
  test(`${name} fails at bad input with its file, or sends it to its side output`, async () => {
    const error = (await failing.run({ name, folder }, on()).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )) as QStreamError | undefined;
    assert.is(error?.code, "BAD_INPUT", String(error));
    assert.match(error?.place.file ?? "", /bad\.\w+$/);
    const outputs = await sided.run({ name, folder }, on());
    assert.is(outputs.bad.length, 1);
    assert.is(outputs.good.length, name === "parquet" ? 0 : 2);
    const found = outputs.bad[0] as { readonly file: string; readonly reason: string; readonly line?: number };
    assert.match(found.file, /bad\.\w+$/);
    assert.ok(found.reason.length > 0);
    if (name !== "parquet") assert.is(found.line, error?.place.line);
  });
}

test.run();
