import type { RunStep, RunStepKind } from "../trace.ts";
import { describeStep } from "./describe.ts";
import { signRadius } from "./geometry.ts";
import type { Label } from "./labels.ts";
import { lineHeight, rowHeight, type Layout } from "./layout.ts";
import { crossAt, element, path, textAt } from "./markup.ts";
import { escapeLine, escapeXml, formatMs, printable, shorten } from "./text.ts";

const stateColumnsMax = 240;

/** The rows of steps: number, time, and what happened as a title. `data-index` is the row, `data-x` where its sign is. */
export function drawRows(layout: Layout): string {
  const { selection, numbersEnd, timesEnd, width } = layout;
  return selection.steps
    .map((step, row) => {
      const y = layout.rowY(row);
      const isViolated = row === selection.violated;
      const [lane] = layout.lanes.meantBy(step.line);
      const attributes = {
        class: isViolated ? "step violated" : "step",
        "data-index": String(row),
        "data-x": lane === undefined ? undefined : layout.laneX(lane),
      };
      // The frame of the violated one is also around the label above its event.
      const above = rowHeight / 2 + (isViolated ? 6 : 0);
      const area = { class: "row", x: 4, y: y - above, width: width - 8, height: above + rowHeight / 2, rx: 3 };
      return element(
        "g",
        attributes,
        element("title", {}, escapeXml(rowTitle(step))) +
          element("rect", area) +
          textAt("number", numbersEnd, y + 4, String(step.step), { "text-anchor": "end" }) +
          textAt("time", timesEnd, y + 4, formatMs(step.at), { "text-anchor": "end" }),
      );
    })
    .join("\n");
}

/** The signs of events, on their lines. */
export function drawEvents(layout: Layout): string {
  const { selection, lanes } = layout;
  return selection.steps
    .flatMap((step, row) => {
      const y = layout.rowY(row);
      const isWide = step.kind === "partition" || step.kind === "heal";
      if (isWide) return [path(`event ${step.kind}`, ["M", layout.left, y, "H", layout.right])];
      return lanes.meantBy(step.line).map((lane) => {
        const x = layout.laneX(lane);
        const ring = row === selection.violated ? element("circle", { class: "ring", cx: x, cy: y, r: 10 }) : "";
        return element("g", { class: `event ${step.kind}` }, ring + drawSign(step.kind, x, y));
      });
    })
    .join("\n");
}

/** The sign of an event: each kind has a shape of its own. */
export function drawSign(kind: RunStepKind, x: number, y: number): string {
  const radius = signRadius;
  switch (kind) {
    case "deliver":
      return element("circle", { class: "sign", cx: x, cy: y, r: radius - 0.5 });
    case "timer":
      return path("sign", ["M", x - radius - 1, y, "h", 2 * radius + 2]);
    case "start":
    case "restart":
      return path("sign", ["M", x - radius, y - radius, "h", 2 * radius, "L", x, y + radius - 1, "Z"]);
    case "stop":
      return element("rect", { class: "sign", x: x - radius, y: y - radius, width: 2 * radius, height: 2 * radius });
    case "crash":
      return crossAt("sign", x, y, radius);
    case "note":
      return path("sign", ["M", x, y - radius, "l", radius, radius, "l", -radius, radius, "l", -radius, -radius, "Z"]);
    case "partition":
    case "heal":
      return path("sign", ["M", x - 2 * radius, y, "h", 4 * radius]);
  }
}

export function drawLabels(labels: readonly Label[]): string {
  return labels.map(({ kind, x, baseline, text }) => textAt(`label ${kind}`, x, baseline, text)).join("\n");
}

/** The text of the violation in a box of its own, below its row. */
export function drawViolation({ violation, selection, left, right, ...layout }: Layout): string {
  if (violation === undefined) return "";
  const { top, height, headline, message } = violation;
  const parts = [element("rect", { class: "box", x: left, y: top, width: right - left, height, rx: 4 })];
  const lane = selection.violated === undefined ? undefined : selection.steps[selection.violated]?.line;
  const index = lane === undefined ? undefined : layout.lanes.indexOf(lane);
  if (index !== undefined && selection.violated !== undefined) {
    parts.push(path("pointer", ["M", layout.laneX(index), layout.rowY(selection.violated) + 10, "V", top]));
  }
  for (const [row, text] of [...headline, ...message].entries()) {
    const className = row < headline.length ? "violation-head" : "violation-text";
    const at = { class: className, x: left + 12, y: top + 18 + row * lineHeight };
    const hasBlanks = / {2}|^ /u.test(text);
    parts.push(element("text", { ...at, "xml:space": hasBlanks ? "preserve" : undefined }, escapeLine(text)));
  }
  return element("g", { class: "violation" }, parts.join("\n"));
}

function rowTitle(step: RunStep): string {
  const line = step.line === "" ? "" : `${printable(step.line)} `;
  const state = step.state === undefined ? "" : ` · state ${shorten(printable(step.state), stateColumnsMax)}`;
  return `Step ${step.step} at ${formatMs(step.at)} ms: ${line}${describeStep(step)}${state}`;
}
