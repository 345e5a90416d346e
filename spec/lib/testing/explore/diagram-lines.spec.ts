import * as assert from "uvu/assert";
import { formatTrace, spaceTimeHtml, spaceTimeSvg } from "../../../../lib/testing/explore/diagram/index.ts";
import { defineExploration, findViolation, type RunTrace } from "../../../../lib/testing/index.ts";
import { suite } from "../../../kit/suite.ts";
import { byClass, readXml, textOf } from "./read-xml.ts";
import { sink } from "./sending.ts";

const test = suite("violations of many lines in pictures");

const table = [
  "not linearizable",
  "the shortest:",
  "        a        b",
  "  #1    write 1",
  "  #2             read\x1b",
  "",
];
const shown = [...table.slice(0, 4), "  #2             read\\x1b"];

const traceOf = (message: string): RunTrace => ({
  title: "lines",
  seed: 1,
  lines: [{ id: "a" }],
  steps: [{ at: 0, step: 1, line: "a", kind: "start" }],
  violation: { invariant: "linear", kind: "eventually", message, step: 1 },
});

const rowsOf = (message: string) => byClass(readXml(spaceTimeSvg(traceOf(message), {})), "violation-text");

test("a text shows them one below the other", () => {
  const rows = formatTrace(traceOf(table.join("\n")))
    .trimEnd()
    .split("\n");
  assert.equal(
    rows.slice(-shown.length),
    shown.map((line) => `  ${line}`),
  );
});

test("a picture has a row for each, with its blanks", () => {
  const rows = rowsOf(table.join("\r\n"));
  assert.equal(rows.map(textOf), shown);
  assert.is(rows[2]?.attributes["xml:space"], "preserve");
  assert.ok(Number(rows[2]?.attributes["y"]) > Number(rows[1]?.attributes["y"]));
  assert.is(rows[0]?.attributes["xml:space"], undefined);
});

test("a picture of long and many lines stays within its bounds", () => {
  const many = Array.from({ length: 500 }, (_, line) => `  #${line}  ${"word ".repeat(line === 3 ? 100 : 1)}`);
  const rows = rowsOf(many.join("\n"));
  assert.ok(rows.length <= 60, `${rows.length} rows`);
  assert.match(textOf(rows.at(-1) ?? readXml("")), /^… 4\d\d more lines$/);
  assert.ok(rows.every((row) => textOf(row).length <= 125));
  assert.ok(rows.slice(3, 6).every((row) => textOf(row).startsWith("  ")));
  assert.ok(
    rows.some((row) => textOf(row).length > 90),
    "it is as wide as its lines, up to a bound",
  );
});

test("a page shows them one below the other", () => {
  const page = spaceTimeHtml(traceOf(table.join("\n")), {});
  const lines = /<pre>(?<lines>[^<]*)<\/pre>/u.exec(page)?.groups?.["lines"]?.split("\n");
  assert.equal(lines, shown);
  assert.not.match(spaceTimeHtml(traceOf("one line"), {}), /<pre>/u);
});

test("the words of what was found have its lines below each other", async () => {
  const exploration = defineExploration<unknown>(import.meta.url, {
    name: "lines",
    start: (world) => world.spawn(sink).tell("put", 1),
    atEnd: { linear: () => shown.slice(0, 4).join("\n") },
  });
  const { violation } = await findViolation(exploration, { seeds: 1 });
  const rows = violation?.text.split("\n") ?? [];
  assert.equal(
    rows.slice(1, 5),
    shown.slice(0, 4).map((line) => `  ${line}`),
  );
});

test.run();
