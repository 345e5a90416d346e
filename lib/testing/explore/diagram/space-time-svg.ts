import type { RunTrace } from "../trace.ts";
import { describeViolation } from "./describe.ts";
import { drawArrow, drawArrows } from "./draw-arrows.ts";
import { drawBands, drawHeads, drawLanes } from "./draw-lanes.ts";
import { drawEvents, drawLabels, drawRows, drawSign, drawViolation } from "./draw-steps.ts";
import { placeArrows } from "./geometry.ts";
import { placeLabels } from "./labels.ts";
import { layOut, type Layout } from "./layout.ts";
import { signWidth, type LegendEntry } from "./legend.ts";
import { element, pixels, textAt } from "./markup.ts";
import { checkDiagramOptions, type DiagramOptions } from "./options.ts";
import { svgStyle } from "./svg-style.ts";
import { escapeXml } from "./text.ts";

const stepsMaxDefault = 150;

/**
 * A space-time diagram of a run, as the text of an SVG file: lines of actors side by side, time downwards with a row a step,
 * messages as arrows from where they were sent to where they were delivered, crashes, partitions, and the violation in red.
 * It needs nothing from elsewhere, and its titles tell on hover what happened in a step.
 *
 * @param options.stepsMax - steps that are shown at most, the newest up to the violation (default 150)
 * @param options.firstStep, options.lastStep - numbers of the steps between which it is shown (default: all)
 * @param options.theme - "light", "dark", or "auto" (the default) as the reader's system prefers
 * @throws QStreamError OPTION_INVALID for an option that can't be
 * @example
 * await writeFile("run.svg", spaceTimeSvg(trace, { stepsMax: 60, theme: "light" }));
 */
export function spaceTimeSvg(trace: RunTrace, options: DiagramOptions = {}): string {
  const { theme, ...range } = checkDiagramOptions(options, stepsMaxDefault);
  return `${drawDiagram(layOut(trace, range), element("style", {}, svgStyle(theme)))}\n`;
}

/**
 * @param style - a style element, or nothing where the page around the picture has the rules
 * @param role - what the picture is for those who can't see it: one image, or a group whose parts can be gone through
 */
export function drawDiagram(layout: Layout, style: string, role: "img" | "group" = "img"): string {
  const arrows = placeArrows(layout);
  const { trace, width, height } = layout;
  const attributes = {
    xmlns: "http://www.w3.org/2000/svg",
    class: "space-time",
    role,
    width,
    height,
    viewBox: `0 0 ${pixels(width)} ${pixels(height)}`,
    "aria-label": `Space-time diagram: ${trace.title}, seed ${trace.seed}`,
  };
  const layers: Readonly<Record<string, string>> = {
    bands: drawBands(layout),
    steps: drawRows(layout),
    lanes: drawLanes(layout),
    heads: drawHeads(layout),
    arrows: drawArrows(arrows),
    events: drawEvents(layout),
    labels: drawLabels(placeLabels(layout, arrows)),
  };
  return element(
    "svg",
    attributes,
    [
      ...(style === "" ? [] : [style]),
      ...(trace.violation === undefined ? [] : [element("desc", {}, escapeXml(describeViolation(trace.violation)))]),
      element("rect", { class: "background", width, height }),
      ...layout.headings.map(({ kind, text, y }) => textAt(kind, 16, y, text)),
      element("g", { class: "legend" }, layout.legend.map(drawLegendEntry).join("\n")),
      ...Object.entries(layers).map(([name, markup]) => element("g", { class: name }, `\n${markup}\n`)),
      drawViolation(layout),
    ].join("\n"),
  );
}

/** The names of lines as a picture of their own, to stay in sight above the other. */
export function drawNames(layout: Layout): string {
  const { width, headTop, top } = layout;
  const height = top - headTop;
  const attributes = {
    class: "space-time",
    width,
    height,
    viewBox: `0 ${pixels(headTop)} ${pixels(width)} ${pixels(height)}`,
  };
  const background = element("rect", { class: "background", x: 0, y: headTop, width, height });
  return element("svg", attributes, background + drawHeads(layout));
}

function drawLegendEntry({ sign, text, x, y }: LegendEntry): string {
  return drawLegendSign(sign, x, y) + textAt("meaning", x + signWidth, y + 4, text);
}

function drawLegendSign(sign: LegendEntry["sign"], x: number, y: number): string {
  switch (sign) {
    case "delivered":
    case "duplicate":
    case "lost":
    case "flying": {
      const ends = { x1: x, y1: y, x2: x + (sign === "lost" ? 21 : 26), y2: y, from: 0, to: 1 };
      return element("g", { class: `arrow ${sign}` }, drawArrow({ ...ends, kind: sign }));
    }
    default:
      return element("g", { class: `event ${sign}` }, drawSign(sign, x + 16, y));
  }
}
