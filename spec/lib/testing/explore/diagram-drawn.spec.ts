// Whatever a trace holds, its pictures stay whole: property tests.

import { createHash } from "node:crypto";
import fc from "fast-check";
import * as assert from "uvu/assert";
import { formatTrace, spaceTimeHtml, spaceTimeSvg } from "../../../../lib/testing/explore/diagram/index.ts";
import { placeArrows } from "../../../../lib/testing/explore/diagram/geometry.ts";
import { overlap, placeLabels } from "../../../../lib/testing/explore/diagram/labels.ts";
import { layOut } from "../../../../lib/testing/explore/diagram/layout.ts";
import { columnsOf, columnWidth, printable, shorten, wrap } from "../../../../lib/testing/explore/diagram/text.ts";
import { suite } from "../../../kit/suite.ts";
import type { RunTrace } from "../../../../lib/testing/explore/trace.ts";
import { drawnText, drawnTrace } from "./drawn-traces.ts";
import { longGossip, raftElection } from "./made-traces.ts";
import { allElements, byClass, readXml, textOf } from "./read-xml.ts";

const test = suite("space-time diagrams of any trace");
const runs = { numRuns: 150 };
const newest = (stepsMax: number) => ({ stepsMax, firstStep: 0, lastStep: Infinity });

const toItself = { id: 1, from: "ann", sentAt: 0, sentStep: 0, text: " ", to: "ann" };
const lostInTheLastRow: RunTrace = {
  title: "",
  seed: 1,
  lines: [{ id: "ann" }],
  steps: [
    {
      at: 0,
      step: 0,
      kind: "deliver",
      line: "ann",
      lost: [
        { ...toItself, reason: "lost" },
        { ...toItself, id: 2, reason: "parted" },
      ],
    },
  ],
};

const elementNames = new Set(["svg", "style", "desc", "title", "g", "rect", "circle", "path", "text"]);

test("a picture is well-formed, and texts stay texts", () => {
  fc.assert(
    fc.property(drawnTrace, (trace) => {
      const svg = readXml(spaceTimeSvg(trace, { stepsMax: 30 }));
      const elements = allElements(svg);
      for (const { name, attributes } of elements) {
        assert.ok(elementNames.has(name), name);
        assert.ok(Object.keys(attributes).every((key) => !/^(on|style|href)/u.test(key)));
        assert.ok(Object.values(attributes).every((value) => !/NaN|Infinity/u.test(value)));
      }
      const ids = byClass(svg, "name").map((name) =>
        textOf({
          ...name,
          children: name.children.flatMap((child) => (typeof child === "string" ? [] : child.children)),
        }),
      );
      for (const { id } of trace.lines) assert.ok(ids.includes(printable(id)), id);
      if (trace.violation === undefined) return;
      const said = byClass(svg, "violation-text").map(textOf).join("").replaceAll(" ", "");
      assert.is(said, printable(trace.violation.message).replaceAll(" ", ""));
    }),
    runs,
  );
});

test("no two labels overlap, none leaves the picture, and none covers a cross", () => {
  const check = (layout: ReturnType<typeof layOut>): number => {
    const labels = placeLabels(layout);
    const crosses = placeArrows(layout).filter(({ kind }) => kind === "lost");
    for (const [index, { box, text }] of labels.entries()) {
      assert.ok(box.width >= columnsOf(text) * columnWidth - 0.01, `${text} is wider than its box`);
      assert.ok(box.x >= layout.left && box.x + box.width <= layout.right, `${text} leaves the picture`);
      assert.ok(box.y > layout.headTop && box.y + box.height < layout.bottom, `${text} leaves the lines`);
      for (const other of labels.slice(index + 1))
        assert.not(overlap(box, other.box), `${text} and ${other.text} overlap`);
      for (const { x2, y2 } of crosses) assert.not(overlap(box, { x: x2 - 4, y: y2 - 4, width: 8, height: 8 }));
    }
    return labels.length;
  };
  fc.assert(
    fc.property(drawnTrace, (trace) => void check(layOut(trace, newest(30)))),
    { ...runs, examples: [[lostInTheLastRow]] },
  );
  const raft = raftElection();
  assert.ok(check(layOut(raft, newest(100))) > raft.steps.length * 0.9, "labels are left out that have room");
  assert.ok(check(layOut(longGossip(300), newest(300))) > 270);
});

test("a page has its two scripts and one style, under a policy that allows these only", () => {
  fc.assert(
    fc.property(drawnTrace, (trace) => {
      const html = spaceTimeHtml(trace, { stepsMax: 30 });
      const scripts = [...html.matchAll(/<script([^>]*)>([\s\S]*?)<\/script/giu)];
      assert.equal(
        scripts.map(([, attributes]) => attributes),
        [' type="application/json" id="data"', ""],
      );
      assert.is((html.match(/<\/?script/giu) ?? []).length, 4);
      assert.is((html.match(/<!--|<style/giu) ?? []).length, 1);
      const style = /<style>([\s\S]*?)<\/style>/u.exec(html)?.[1] ?? "";
      const [script, rules] = [scripts[1]?.[2] ?? "", style].map((text) =>
        createHash("sha256").update(text).digest("base64"),
      );
      assert.ok(
        html.includes(
          `content="default-src 'none'; script-src 'sha256-${script}'; style-src 'sha256-${rules}'; base-uri 'none'; form-action 'none'"`,
        ),
      );
      const data = JSON.parse(scripts[0]?.[2] ?? "") as { lanes: string[]; steps: { step: number; state?: string }[] };
      assert.equal(new Set(data.lanes).size >= new Set(trace.lines.map(({ id }) => printable(id))).size, true);
      const last = trace.steps.findLast(({ step }) => trace.violation === undefined || step <= trace.violation.step);
      const state = last?.state;
      if (last !== undefined) assert.is(data.steps.at(-1)?.state, state === undefined ? undefined : printable(state));
      readXml(/<div id="picture">([\s\S]*?)<\/div>/u.exec(html)?.[1] ?? "");
    }),
    runs,
  );
});

test("rows for a terminal have nothing that it would obey, and aren't wider than it", () => {
  fc.assert(
    fc.property(drawnTrace, fc.integer({ min: 40, max: 130 }), (trace, columns) => {
      const rows = formatTrace(trace, { columns, stepsMax: 20 }).split("\n");
      for (const row of rows) assert.not.match(row, /[\p{Cc}\p{Surrogate}\u202a-\u202e\u2028\u2029]/u);
      const { violation, steps } = trace;
      const shown = steps.filter(({ step }) => violation === undefined || step <= violation.step).length;
      const [head] = rows.flatMap((row, index) => (/^ +step +ms/u.test(row) ? [index] : []));
      assert.ok(head !== undefined);
      const body = rows.slice(head, head + 1 + Math.min(20, shown));
      for (const row of body) assert.ok(columnsOf(row) <= columns, `${columnsOf(row)} columns: ${row}`);
    }),
    runs,
  );
});

test("texts are shortened and wrapped to what they are given, and lose nothing that has room", () => {
  fc.assert(
    fc.property(drawnText, fc.integer({ min: 2, max: 40 }), (drawn, columns) => {
      const text = printable(drawn);
      assert.ok(columnsOf(shorten(text, columns)) <= columns);
      if (columnsOf(text) <= columns) assert.is(shorten(text, columns), text);
      const rows = wrap(text, columns, 1_000);
      for (const row of rows) assert.ok(columnsOf(row) <= columns);
      assert.is(rows.join("").replaceAll(" ", ""), text.replaceAll(" ", ""));
      const few = wrap(text, columns, 2);
      assert.ok(few.length <= 2 && few.every((row) => columnsOf(row) <= columns));
    }),
    { numRuns: 1_000 },
  );
});

test.run();
