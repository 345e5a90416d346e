// docs/sinks.md against the sinks: what its tables say of them, what they take, and what a failure leaves.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { actorHome } from "../../lib/core/actor-home.ts";
import type { Representation } from "../../lib/core/contracts/operator.ts";
import { StreamSinks } from "../../lib/flow/stream-sinks.ts";
import {
  actorSink,
  collect,
  datasetSink,
  defineFlow,
  entitiesSink,
  forEach,
  writeArrow,
  writeCsv,
  writeJsonLines,
  writeLines,
  writeParquet,
  writeRedis,
  type OutputSink,
} from "../../lib/index.ts";
import { topology } from "../../lib/testing/index.ts";
import { suite } from "../kit/suite.ts";
import { plain, representations, rows, streamOf, type Row } from "./rows.ts";
import { codeIn, exportedFunctions, tableRows, type TableRow } from "./tables.ts";

const test = suite("docs/sinks.md");
const folder = mkdtempSync(join(tmpdir(), "qstream-docs-sinks-"));
const place = topology("two slots", { slots: 2, isolation: "none" });
const table = tableRows("docs/sinks.md", "sink");

const sinks: Readonly<Record<string, (path: string) => OutputSink<Row, unknown>>> = {
  collect: () => collect<Row, "objects">({ as: "objects" }),
  datasetSink: () => datasetSink<Row>(),
  forEach: () => forEach<Row>(() => {}),
  writeLines: (path) => writeLines<Row>(path, { line: ({ k, n }) => `${k} ${n}` }),
  writeCsv: (path) => writeCsv<Row>(path),
  writeJsonLines: (path) => writeJsonLines<Row>(path),
  writeParquet: (path) => writeParquet<Row>(path),
  writeArrow: (path) => writeArrow<Row>(path),
};

// Needs a server: spec/operators/sinks/redis.spec.ts runs it with every representation.
const redis = { writeRedis: () => writeRedis<Row>("redis://localhost", { stream: "rows" }) };

/** What leads to actors on the slots of a session, as far as a sink looks before it writes: spec/lib/actors/flows.spec.ts runs these. */
const onSlots = { [actorHome]: { system: "shop", reach: "slots" } } as never;
const actors = {
  actorSink: () => actorSink<Row, never>(onSlots, "put" as never),
  entitiesSink: () => entitiesSink<Row, never>(onSlots, ({ k }) => k, "put" as never),
};
const described = { ...sinks, ...redis, ...actors };

const tried = defineFlow(
  import.meta.url,
  { sink: "string", representation: "string", path: "string", fails: "boolean?" },
  (q, { sink, representation, path, fails = false }) => {
    const make = sinks[sink];
    if (make === undefined) throw new Error(`there is no sink ${sink}`);
    const stream = streamOf(q, "rows", rows, representation as Representation);
    if (!fails) return { out: stream.to(make(path)) };
    // The failure comes when rows have been written.
    const failing = q.read("later", { kind: "late", splits: () => [0], read: () => late() }, { channels: 1 });
    return { out: stream.union("both", failing).to(make(path)) };
  },
);

async function* late(): AsyncGenerator<Row, void> {
  await new Promise((resolve) => setTimeout(resolve, 20));
  yield { k: "late", n: 1 };
  throw new Error("this flow fails late");
}

const nameOf = (row: TableRow): string => codeIn(row["sink"])[0] ?? "";
const filesBelow = (path: string): string[] =>
  existsSync(path) ? readdirSync(path, { recursive: true }).map(String) : [];

test("the table has every sink that is exported, and every method", () => {
  assert.equal(table.map(nameOf).toSorted(), exportedFunctions("operators/sinks").toSorted());
  const methods = Object.getOwnPropertyNames(StreamSinks.prototype).filter(
    (name) => !["constructor", "to"].includes(name),
  );
  assert.equal(table.flatMap((row) => codeIn(row["method"])).toSorted(), methods.toSorted());
});

for (const row of table) {
  const name = nameOf(row);
  test(`what the table says of ${name} is what the sink says`, () => {
    const sink = (described as typeof sinks)[name]?.("somewhere");
    const placements = {
      client: "with the client",
      single: "1",
      "per-slot": "one a slot",
      "with-producer": "as its producer",
    };
    assert.ok(sink !== undefined, `this spec has no sink ${name}`);
    assert.is(row["kind"], `\`${sink.kind}\``);
    assert.is(row["guarantee"], sink.guarantee);
    assert.is(row["channels"], placements[sink.placement]);
    assert.equal(row["takes"]?.toLowerCase().split(", "), representations);
  });
}

for (const name of Object.keys(sinks)) {
  for (const representation of representations) {
    test(`${name} takes ${representation}`, async () => {
      const path = join(folder, `${name}-${representation}`);
      const { out } = await tried.run({ sink: name, representation, path }, { on: await place.session() });
      if (name === "collect") return assert.equal(plain(out as Row[]), plain(rows));
      const columnar = representation !== "objects";
      const counted = out as { readonly objects?: number; readonly rows?: number };
      assert.is(counted.rows ?? counted.objects, name === "forEach" && columnar ? 1 : rows.length);
    });
  }
}

test("text sinks write the rows of batches like objects", async () => {
  const session = await place.session();
  for (const sink of ["writeLines", "writeCsv", "writeJsonLines"]) {
    const texts = representations.map(async (representation) => {
      const path = join(folder, `text-${sink}-${representation}`);
      await tried.run({ sink, representation, path }, { on: session });
      // Objects may be dealt to several files, each with its header.
      const lines = filesBelow(path).flatMap((file) => readFileSync(join(path, file), "utf8").split("\n"));
      return [...new Set(lines)].toSorted();
    });
    const [objects, ...others] = await Promise.all(texts);
    for (const other of others) assert.equal(other, objects, sink);
  }
});

test("transactional sinks leave nothing when the execution fails", async () => {
  const session = await place.session();
  for (const row of table.filter((candidate) => candidate["guarantee"] === "transactional")) {
    const path = join(folder, `failing-${nameOf(row)}`);
    const run = tried.run({ sink: nameOf(row), representation: "objects", path, fails: true }, { on: session });
    const error = await run.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    assert.match(String(error), /this flow fails late/);
    assert.equal(filesBelow(path), [], nameOf(row));
  }
});

test("file sinks refuse a folder that isn't empty", async () => {
  const session = await place.session();
  const path = join(folder, "writeCsv-objects");
  const again = tried.run({ sink: "writeCsv", representation: "objects", path }, { on: session });
  const error = await again.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.is((error as { readonly code?: string }).code, "SINK_TARGET_EXISTS");
});

test.after(async () => {
  await place.close();
  rmSync(folder, { recursive: true, force: true });
});

test.run();
