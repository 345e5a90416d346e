// Pictures of runs: space-time diagrams as SVG, as a page to step through, and as text.
export { describeStep } from "./describe.ts";
export { formatTrace, type FormatTraceOptions } from "./format-trace.ts";
export { spaceTimeHtml } from "./space-time-html.ts";
export { spaceTimeSvg } from "./space-time-svg.ts";
export type { DiagramOptions, StepRange } from "./options.ts";
export type { DiagramTheme } from "./palette.ts";
