import { themedRules, type DiagramTheme, type Palette } from "./palette.ts";

const fonts = 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, "Liberation Mono", monospace';

/** Rules for everything within an svg of the class `space-time`, so that a page around it is left alone. */
export function svgStyle(theme: DiagramTheme): string {
  return `${shapes}\n${themedRules(theme, colours)}`;
}

const shapes = rules({
  text: `font-family: ${fonts}; font-size: 11px`,
  ".title": "font-size: 15px; font-weight: 700",
  ".name": "font-size: 12px; font-weight: 700",
  ".violation-head": "font-weight: 700",
  ".number, .time, .machine-name, .command, .left-out": "font-size: 11px",
  ".lane": "stroke-width: 1.5",
  ".lane.gone": "stroke-width: 1; stroke-dasharray: 1 5",
  ".label": "paint-order: stroke; stroke-width: 3px; stroke-linejoin: round",
  ".label.note": "font-weight: 700",
  ".row": "fill: none; pointer-events: all",
  ".events, .arrows, .labels, .lanes": "pointer-events: none",
  ".shaft": "fill: none; stroke-width: 1.4",
  ".cross": "fill: none; stroke-width: 2.2",
  ".duplicate .shaft": "stroke-dasharray: 6 4",
  ".flying .shaft": "stroke-dasharray: 1.5 3",
  ".early .shaft": "stroke-opacity: 0.55",
  ".machine, .pointer": "fill: none; stroke-width: 1.2",
  ".sign": "stroke-width: 1.6",
  ".timer .sign, .crash .sign": "stroke-width: 2.6; fill: none",
  ".event.partition, .partition .sign": "stroke-width: 1.4; stroke-dasharray: 5 3; fill: none",
  ".event.heal, .heal .sign": "stroke-width: 1.4; fill: none",
  ".ring": "fill: none; stroke-width: 2.5",
  ".box": "stroke-width: 1.5",
  ".violated .row": "stroke-width: 1.5",
});

function colours(palette: Palette): string {
  const { text, faint, background, message, lost, duplicate, timer, violation, line } = palette;
  return rules({
    ".background": `fill: ${background}`,
    text: `fill: ${text}`,
    ".number, .time, .machine-name, .command, .left-out, .legend text": `fill: ${faint}`,
    ".lane, .machine": `stroke: ${line}; fill: none`,
    ".side-0": `fill: ${palette.sides[0]}`,
    ".side-1": `fill: ${palette.sides[1]}`,
    ".side-2": `fill: ${palette.sides[2]}`,
    ".label": `stroke: ${background}; fill: ${text}`,
    ".shaft": `stroke: ${message}`,
    ".head": `fill: ${message}`,
    ".lost .shaft, .cross": `stroke: ${lost}`,
    ".label.lost": `fill: ${lost}`,
    ".duplicate .shaft": `stroke: ${duplicate}`,
    ".duplicate .head, .label.duplicate": `fill: ${duplicate}`,
    ".flying .shaft": `stroke: ${faint}`,
    ".flying .head, .label.note": `fill: ${faint}`,
    ".sign": `fill: ${message}; stroke: ${background}`,
    ".timer .sign": `stroke: ${timer}`,
    ".label.timer": `fill: ${timer}`,
    ".crash .sign": `stroke: ${text}`,
    ".start .sign, .stop .sign": `fill: ${background}; stroke: ${text}`,
    ".restart .sign": `fill: ${text}; stroke: ${text}`,
    ".note .sign": `fill: ${faint}`,
    ".event.partition, .partition .sign": `stroke: ${lost}`,
    ".event.heal, .heal .sign": `stroke: ${timer}`,
    ".label.partition": `fill: ${lost}`,
    ".label.heal": `fill: ${timer}`,
    ".violated .row": `fill: ${palette.violationFill}; stroke: ${violation}`,
    ".ring, .pointer": `stroke: ${violation}`,
    ".box": `fill: ${palette.violationFill}; stroke: ${violation}`,
    ".violation-head, .violation-text": `fill: ${violation}`,
  });
}

/** Rules by selector; each selector of a list is confined to the picture. */
function rules(bySelector: Readonly<Record<string, string>>): string {
  return Object.entries(bySelector)
    .map(([selectors, body]) => {
      const confined = selectors.split(", ").map((selector) => `.space-time ${selector}`);
      return `${confined.join(", ")} { ${body} }`;
    })
    .join("\n");
}
