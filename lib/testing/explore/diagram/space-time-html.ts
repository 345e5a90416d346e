import { createHash } from "node:crypto";
import type { RunTrace, RunViolation } from "../trace.ts";
import { describeLeftOut, describeStep, describeViolation } from "./describe.ts";
import type { Lanes } from "./lanes.ts";
import { element } from "./markup.ts";
import { checkDiagramOptions, type DiagramOptions } from "./options.ts";
import { pageDataOf } from "./page-data.ts";
import { pageScript } from "./page-script.ts";
import { pageStyle } from "./page-style.ts";
import type { Selection } from "./selection.ts";
import { layOut } from "./layout.ts";
import { drawDiagram, drawNames } from "./space-time-svg.ts";
import { svgStyle } from "./svg-style.ts";
import { embeddedJson, escapeLine, escapeXml, formatMs, printable, printableLines } from "./text.ts";

const stepsMaxDefault = 5_000;

/**
 * A run as one HTML page: its space-time diagram, the state of every line at each step, back and forth by buttons and arrow
 * keys, the list of steps with search, the command that repeats the run, and the violation. The page needs no server, loads
 * nothing and sends nothing: its own policy forbids it.
 *
 * @param options.stepsMax - steps that are in the page at most, the newest up to the violation (default 5,000)
 * @param options.firstStep, options.lastStep - numbers of the steps between which it is shown (default: all)
 * @param options.theme - "light", "dark", or "auto" (the default) as the reader's system prefers
 * @throws QStreamError OPTION_INVALID for an option that can't be
 * @example
 * await writeFile("run.html", spaceTimeHtml(trace));
 */
export function spaceTimeHtml(whole: RunTrace, options: DiagramOptions = {}): string {
  const { theme, ...range } = checkDiagramOptions(options, stepsMaxDefault);
  const layout = layOut(whole, range);
  const { trace, selection, lanes } = layout;
  const style = `${pageStyle(theme)}\n${svgStyle(theme)}`;
  const title = `${trace.title} · seed ${trace.seed}`;
  const body = [
    drawHeader(trace, title),
    element(
      "main",
      {},
      element("div", { id: "names", "aria-hidden": "true", "data-top": String(layout.headTop) }, drawNames(layout)) +
        element("div", { id: "picture" }, drawDiagram(layout, "", "group")),
    ),
    element("aside", {}, [drawControls(trace, selection), drawStates(lanes), drawLog(selection, lanes)].join("\n")),
    // A script element of another type than scripts have is data, which no browser runs.
    element("script", { type: "application/json", id: "data" }, embeddedJson(pageDataOf(trace, selection, lanes))),
    element("script", {}, pageScript),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy(style)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${escapeXml(title)}</title>
<style>${style}</style>
</head>
<body>
${body.join("\n")}
</body>
</html>
`;
}

/** Allows the page's own script and style by their hashes, and nothing else. */
function policy(style: string): string {
  const [script, rules] = [pageScript, style].map((text) => createHash("sha256").update(text).digest("base64"));
  return (
    `default-src 'none'; script-src 'sha256-${script}'; style-src 'sha256-${rules}'; ` +
    `base-uri 'none'; form-action 'none'`
  );
}

function drawHeader({ command, violation }: RunTrace, title: string): string {
  const repeat = command === undefined ? "" : printable(command);
  const parts = [
    element("h1", {}, escapeXml(title)),
    ...(repeat === ""
      ? []
      : [
          element(
            "p",
            { class: "command" },
            `Repeat it: ${element("code", { id: "command" }, escapeXml(repeat))} ${button("copy", "Copy")}`,
          ),
        ]),
    ...(violation === undefined ? [] : [drawBroken(violation)]),
    element("noscript", {}, "Stepping and searching need scripts; the picture and the list of steps don't."),
  ];
  return element("header", {}, parts.join("\n"));
}

function drawBroken(violation: RunViolation): string {
  const head = element("strong", {}, escapeXml(describeViolation(violation)));
  const lines = printableLines(violation.message);
  if (lines.length === 1) return element("p", { class: "broken" }, `${head}. ${lines.map(escapeLine).join("")}`);
  return element("div", { class: "broken" }, head + element("pre", {}, lines.map(escapeLine).join("\n")));
}

function drawControls({ violation }: RunTrace, { earlier, later }: Selection): string {
  const leftOut = describeLeftOut(earlier, later);
  const buttons = [
    button("first", "First"),
    button("back", "← Back"),
    button("forward", "Forward →"),
    button("last", "Last"),
    ...(violation === undefined ? [] : [button("violation", "Violation")]),
  ];
  const keys = ["←", "→", "Home", "End", ...(violation === undefined ? [] : ["v"])];
  const hint = `Keys: ${keys.map((key) => element("kbd", {}, key)).join(" ")}. Hover a step for its states.`;
  return element(
    "section",
    {},
    [
      element("div", { class: "controls" }, buttons.join("\n")),
      element("p", { id: "now", "aria-live": "polite" }, ""),
      element("p", { class: "hint" }, hint + (leftOut === undefined ? "" : ` ${escapeXml(leftOut)}.`)),
    ].join("\n"),
  );
}

function drawStates(lanes: Lanes): string {
  const rows = lanes.all.map(({ id, machine }) => {
    const title = machine === undefined ? id : `${id} on ${machine}`;
    const head = element("th", { scope: "row", title }, escapeXml(id));
    return element("tr", {}, `${head}${element("td", {}, "")}`);
  });
  const table = element("table", {}, element("tbody", {}, rows.join("\n")));
  return element("section", { class: "states" }, `<h2>State of every line</h2>\n${table}`);
}

function drawLog({ steps, violated }: Selection, lanes: Lanes): string {
  const choices = lanes.all.map(({ id }, lane) => element("option", { value: String(lane) }, escapeXml(id)));
  const items = steps.map((step, row) => {
    const line = step.line === "" ? "" : `${step.line} `;
    return element(
      "li",
      { class: row === violated ? "violated" : undefined, "data-index": String(row) },
      `<b>${step.step}</b> ${formatMs(step.at)} ms ${escapeXml(`${line}${describeStep(step)}`)}`,
    );
  });
  const search = [
    element("input", { id: "search", type: "search", placeholder: "Search steps", "aria-label": "Search steps" }),
    element(
      "select",
      { id: "line", "aria-label": "Steps of one line" },
      `<option value="">All lines</option>${choices.join("")}`,
    ),
  ];
  const list = element("ol", { id: "steps" }, items.join("\n"));
  return element(
    "section",
    { class: "log" },
    `<h2>Steps (<span id="count"></span>)</h2>\n${element("div", { class: "search" }, search.join(""))}\n${list}`,
  );
}

function button(id: string, text: string): string {
  return element("button", { type: "button", id }, escapeXml(text));
}
