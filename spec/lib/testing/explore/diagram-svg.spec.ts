import * as assert from "uvu/assert";
import { spaceTimeSvg } from "../../../../lib/testing/explore/diagram/index.ts";
import { darkPalette, lightPalette } from "../../../../lib/testing/explore/diagram/palette.ts";
import type { RunTrace } from "../../../../lib/testing/explore/trace.ts";
import { failure } from "../../../kit/failure.ts";
import { suite } from "../../../kit/suite.ts";
import { longGossip, raftElection, ringElection, twoPhaseCommit } from "./made-traces.ts";
import { allElements, byClass, readXml, textOf, type XmlElement } from "./read-xml.ts";

const test = suite("space-time diagrams as SVG");

const layer = (svg: XmlElement, name: string): XmlElement => {
  const [found] = byClass(svg, name).filter(({ name: tag }) => tag === "g");
  assert.ok(found, `there is no layer ${name}`);
  return found;
};
const textsOf = (svg: XmlElement, classes: string): string[] => byClass(svg, classes).map(textOf);

/** Four lines on two machines: a message, its copy, two losses, a crash between two partitions, one message in flight. */
const small: RunTrace = {
  title: "small",
  seed: 4,
  lines: [{ id: "a", machine: "m1" }, { id: "b", machine: "m2" }, { id: "c", machine: "m1" }, { id: "d" }],
  steps: [
    {
      at: 0,
      step: 10,
      line: "a",
      kind: "start",
      sends: [
        { id: 1, to: "b" },
        { id: 2, to: "c", text: "two" },
      ],
    },
    {
      at: 1,
      step: 11,
      line: "b",
      kind: "deliver",
      message: { id: 1, from: "a", sentAt: 0, sentStep: 10, text: "one" },
    },
    {
      at: 2,
      step: 12,
      line: "b",
      kind: "deliver",
      message: { id: 1, from: "a", sentAt: 0, sentStep: 10, text: "one", duplicate: "copied" },
    },
    { at: 3, step: 13, line: "", kind: "partition", groups: [["m1"], ["b", "d"]] },
    {
      at: 4,
      step: 14,
      line: "d",
      kind: "timer",
      text: "tick",
      sends: [{ id: 3, to: "a" }],
      lost: [{ id: 3, from: "d", to: "a", sentAt: 4, sentStep: 14, text: "three", reason: "parted" }],
    },
    { at: 5, step: 15, line: "m1", kind: "crash", text: "power cut" },
    {
      at: 6,
      step: 16,
      line: "",
      kind: "note",
      lost: [{ id: 4, from: "b", to: "a", sentAt: 1, sentStep: 11, text: "four", reason: "down" }],
    },
    { at: 7, step: 17, line: "m1", kind: "restart" },
    { at: 8, step: 18, line: "", kind: "heal" },
    { at: 9, step: 19, line: "d", kind: "stop" },
  ],
  violation: { invariant: "it works", kind: "always", message: "it doesn't, as d stopped", step: 19 },
};

test("everything that happened is drawn once", () => {
  const svg = readXml(spaceTimeSvg(small));
  const arrows = layer(svg, "arrows");
  const count = (classes: string): number => byClass(arrows, classes).length;
  assert.equal([count("delivered"), count("duplicate"), count("lost"), count("flying")], [1, 1, 2, 1]);
  assert.equal([count("cross"), count("head")], [2, 3], "what is lost ends in a cross, all others in a head");
  const events = layer(svg, "events");
  const kinds = ["start", "deliver", "timer", "crash", "restart", "stop", "partition", "heal", "note"];
  assert.equal(
    kinds.map((kind) => byClass(events, `event ${kind}`).length),
    // A machine's crash and restart are those of its two lines; a note of the whole run has no place of its own.
    [1, 2, 1, 2, 2, 1, 1, 1, 0],
  );
  assert.equal(textsOf(svg, "name"), ["a", "c", "b", "d"], "lines of a machine side by side");
  assert.equal(textsOf(svg, "machine-name"), ["m1", "m2"]);
  const labels = [
    "start",
    "one",
    "one",
    "parted: m1 | b d",
    "tick",
    "crash: power c…",
    "restart",
    "healed",
    "stop",
    "three (p…",
    "four (do…",
  ];
  assert.equal(textsOf(layer(svg, "labels"), "label"), labels);
  assert.equal(byClass(svg, "band side-0").length, 1);
  assert.equal(byClass(svg, "band side-1").length, 1);
});

test("arrows lead from where a message was sent to where it was delivered", () => {
  const svg = readXml(spaceTimeSvg(small));
  const x = new Map(byClass(svg, "name").map((name) => [textOf(name), Number(name.attributes["x"])]));
  const rows = byClass(svg, "row").map(({ attributes }) => Number(attributes["y"]) + 13);
  const [shaft] = byClass(byClass(layer(svg, "arrows"), "delivered")[0] ?? svg, "shaft");
  const [, startX, startY, , endX, endY] = (shaft?.attributes["d"] ?? "").split(" ").map(Number);
  assert.equal([startX, startY], [x.get("a"), rows[0]]);
  const distance = Math.hypot((endX ?? 0) - (x.get("b") ?? 0), (endY ?? 0) - (rows[1] ?? 0));
  assert.ok(distance <= 6, `ends ${distance} px from its delivery`);
});

test("a line is broken from a crash to its restart, before its start and behind its stop", () => {
  const svg = readXml(spaceTimeSvg(small));
  const [a, c, b, d] = [0, 1, 2, 3].map((lane) => {
    const x = byClass(svg, "name")[lane]?.attributes["x"];
    const own = byClass(layer(svg, "lanes"), "lane").filter(({ attributes }) => attributes["d"]?.startsWith(`M ${x} `));
    return own.map(({ attributes }) => (attributes["class"] === "lane" ? "up" : "gone"));
  });
  assert.equal(a, ["gone", "up", "gone", "up"]);
  assert.equal(c, ["up", "gone", "up"]);
  assert.equal(b, ["up"]);
  assert.equal(d, ["up", "gone"]);
});

test("the violation is marked at its step and said in full", () => {
  const trace = twoPhaseCommit();
  const svg = readXml(spaceTimeSvg(trace));
  const [ring] = byClass(svg, "ring");
  const names = byClass(svg, "name").map(({ attributes }) => attributes["x"]);
  const last = trace.steps.at(-1);
  assert.equal(ring?.attributes["cx"], names[trace.lines.findIndex(({ id }) => id === last?.line)]);
  assert.equal(byClass(svg, "ring").length, 1);
  assert.equal(byClass(svg, "step violated").length, 1);
  assert.equal(textsOf(svg, "violation-text").join(" "), trace.violation?.message);
  assert.match(
    textsOf(svg, "violation-head").join(" "),
    /^Violated at step 23: "everybody decides" must hold at last$/,
  );
});

test("of a long trace the newest steps before the violation are drawn, and how many are left out is said", () => {
  const whole = longGossip(400);
  const { violation } = whole;
  assert.ok(violation);
  const svg = readXml(spaceTimeSvg({ ...whole, violation: { ...violation, step: 349 } }, { stepsMax: 50 }));
  const numbers = textsOf(layer(svg, "steps"), "number").map(Number);
  assert.equal([numbers.length, numbers[0], numbers.at(-1)], [50, 300, 349]);
  assert.equal(textsOf(svg, "left-out"), ["… 300 earlier steps and 50 later steps left out"]);
  assert.equal(byClass(svg, "ring").length, 1);
  const early = byClass(layer(svg, "arrows"), "early");
  const expected = whole.steps
    .slice(300, 350)
    .flatMap(({ message, lost = [] }) => [...(message ? [message] : []), ...lost]);
  assert.equal(early.length, expected.filter(({ sentStep }) => sentStep < 300).length);
  assert.ok(early.length > 0);
});

test("a machine isn't named twice where its only line has its name", () => {
  const lines = [
    { id: "a", machine: "a" },
    { id: "b", machine: "m" },
  ];
  const steps: RunTrace["steps"] = lines.map(({ id }, step) => ({ at: step, step, line: id, kind: "start" }));
  const machinesOf = (trace: RunTrace): string[] => textsOf(readXml(spaceTimeSvg(trace)), "machine-name");
  assert.equal(machinesOf({ title: "two", seed: 1, lines, steps }), ["m"]);
  assert.equal(machinesOf({ title: "one", seed: 1, lines: lines.slice(0, 1), steps: steps.slice(0, 1) }), []);
});

test("steps between two numbers are drawn, and a violation behind them isn't", async () => {
  const whole = longGossip(100);
  const numbersOf = (svg: ReturnType<typeof readXml>): number[] => textsOf(layer(svg, "steps"), "number").map(Number);
  const middle = readXml(spaceTimeSvg(whole, { firstStep: 20, lastStep: 45 }));
  assert.equal(
    numbersOf(middle),
    Array.from({ length: 26 }, (_, index) => 20 + index),
  );
  assert.match(textsOf(middle, "left-out").join(""), /^… 20 earlier steps and \d+ later steps left out$/);
  assert.equal([byClass(middle, "ring").length, byClass(middle, "box").length], [0, 0]);
  const last = readXml(spaceTimeSvg(whole, { firstStep: 90 }));
  assert.equal([numbersOf(last)[0], byClass(last, "ring").length], [90, 1]);
  assert.is(numbersOf(readXml(spaceTimeSvg(whole, { firstStep: 20, lastStep: 45, stepsMax: 6 })))[0], 40);
  await failure(() => spaceTimeSvg(whole, { firstStep: 1_000 }), "OPTION_INVALID");
});

test("runs of algorithms are drawn in every theme, and nothing in them comes from elsewhere", () => {
  for (const trace of [raftElection(), ringElection(), twoPhaseCommit(), longGossip(300)]) {
    for (const theme of ["auto", "light", "dark"] as const) {
      const text = spaceTimeSvg(trace, { theme, stepsMax: 1_000 });
      const svg = readXml(text);
      assert.equal(byClass(layer(svg, "steps"), "step").length, trace.steps.length);
      const ended = trace.steps.reduce((sum, { message, lost = [] }) => sum + (message ? 1 : 0) + lost.length, 0);
      const arrows = byClass(layer(svg, "arrows"), "arrow");
      assert.equal(arrows.length - byClass(layer(svg, "arrows"), "flying").length, ended);
      assert.not.match(text.replace('xmlns="http://www.w3.org/2000/svg"', ""), /https?:|url\(|@import|href/u);
      assert.equal(/prefers-color-scheme/u.test(text), theme === "auto");
    }
  }
});

test("a trace without lines or steps is drawn too", () => {
  for (const lines of [[], [{ id: "a" }]]) {
    const svg = readXml(spaceTimeSvg({ title: "", seed: 0, lines, steps: [] }));
    assert.equal(byClass(svg, "name").length, lines.length);
    assert.ok(
      allElements(svg).every(
        ({ attributes }) => !Object.values(attributes).some((value) => /NaN|Infinity/u.test(value)),
      ),
    );
  }
});

test("text and signs stand out from every background that they are on", () => {
  for (const palette of [lightPalette, darkPalette]) {
    const {
      background,
      surface,
      sides,
      violationFill,
      chosen,
      text,
      faint,
      message,
      lost,
      duplicate,
      timer,
      violation,
    } = palette;
    const signs = { text, faint, message, lost, duplicate, timer, violation };
    const grounds = { background, surface, violationFill, chosen, parted: sides[0], other: sides[1], third: sides[2] };
    for (const [sign, colour] of Object.entries(signs)) {
      for (const [ground, behind] of Object.entries(grounds)) {
        const ratio = contrast(colour, behind);
        // Labels have a rim in the background's colour; what is left of them on a band is a thin line, which needs 3 to 1.
        const least = ground === "background" || (ground === "surface" && sign !== "lost") ? 4.5 : 3;
        assert.ok(ratio >= least, `${sign} ${colour} on ${ground} ${behind}: ${ratio.toFixed(2)}`);
      }
    }
    assert.ok(contrast(palette.violation, violationFill) >= 4.5);
    assert.ok(contrast(palette.text, chosen) >= 4.5);
  }
});

test("options that can't be are refused", async () => {
  for (const options of [
    { stepsMax: 0 },
    { stepsMax: 1.5 },
    { stepsMax: NaN },
    { firstStep: -1 },
    { firstStep: 2, lastStep: 1 },
    { theme: "sepia" as "dark" },
  ]) {
    await failure(() => spaceTimeSvg(small, options), "OPTION_INVALID");
  }
});

/** Contrast of two colours as WCAG 2 defines it. */
function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].toSorted((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

test.run();
