import { themedRules, type DiagramTheme, type Palette } from "./palette.ts";

/** Rules for the page around the picture. */
export function pageStyle(theme: DiagramTheme): string {
  const scheme = theme === "auto" ? "light dark" : theme;
  return `:root { color-scheme: ${scheme}; }\n${shapes}\n${themedRules(theme, colours)}`;
}

const shapes = `
* { box-sizing: border-box; }
body { margin: 0; height: 100vh; display: grid; grid-template: auto minmax(0, 1fr) / minmax(0, 1fr) minmax(300px, 30rem);
  font: 13px/1.45 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
header { grid-column: 1 / -1; padding: 10px 16px; border-bottom: 1px solid; display: flex; flex-wrap: wrap; gap: 6px 20px; align-items: center; }
h1 { font-size: 16px; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 13px; margin: 0 0 6px; }
.command { display: flex; gap: 8px; align-items: center; min-width: 0; margin: 0; }
code, pre, td, #steps, #now { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, "Liberation Mono", monospace; font-size: 12px; }
code { overflow-wrap: anywhere; padding: 2px 6px; border-radius: 4px; }
.broken { flex-basis: 100%; margin: 0; padding: 6px 10px; border: 1px solid; border-radius: 4px; overflow-wrap: anywhere; }
.broken pre { margin: 4px 0 0; max-height: 40vh; overflow: auto; }
main { overflow: auto; position: relative; }
main svg { display: block; }
#names { position: sticky; top: 0; height: 0; z-index: 1; }
#names[hidden] { display: none; }
#names svg { border-bottom: 1px solid; }
aside { border-left: 1px solid; display: flex; flex-direction: column; min-height: 0; }
aside > section { padding: 10px 12px; border-bottom: 1px solid; }
.states { max-height: 38vh; overflow: auto; }
.controls { display: flex; flex-wrap: wrap; gap: 6px; }
button, input, select { font: inherit; padding: 3px 9px; border: 1px solid; border-radius: 4px; }
button { cursor: pointer; }
button:disabled { opacity: 0.5; cursor: default; }
#now { margin: 8px 0 0; min-height: 3.9em; max-height: 9em; overflow: auto; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 2px 8px 2px 4px; border-top: 1px solid; overflow-wrap: anywhere; }
th { white-space: nowrap; font-weight: 600; max-width: 11rem; overflow: hidden; text-overflow: ellipsis; }
aside > .log { flex: 1; min-height: 0; display: flex; flex-direction: column; border-bottom: 0; }
.search { display: flex; gap: 6px; margin-bottom: 6px; }
.search input { flex: 1; min-width: 0; }
.search select { max-width: 45%; }
#steps { list-style: none; margin: 0; padding: 0; overflow: auto; flex: 1; min-height: 0; }
#steps li { padding: 2px 4px; cursor: pointer; overflow-wrap: anywhere; content-visibility: auto; contain-intrinsic-size: auto 22px; }
#steps li b { display: inline-block; min-width: 3.2em; }
#steps li.hidden { display: none; }
.space-time .step { cursor: pointer; outline: none; }
.space-time .dim, .space-time .arrow.dim { opacity: 0.25; }
.space-time .arrow.now .shaft { stroke-width: 3; stroke-opacity: 1; }
kbd { border: 1px solid; border-radius: 3px; padding: 0 4px; font-size: 11px; }
.hint { margin: 6px 0 0; font-size: 12px; }
:focus-visible { outline: 2px solid; outline-offset: -2px; }
@media (max-width: 900px) {
  body { height: auto; grid-template: auto 60vh auto / minmax(0, 1fr); }
  aside { border-left: 0; border-top: 1px solid; }
  #steps { max-height: 60vh; }
}
@media (forced-colors: active) { #steps li.current { outline: 2px solid; } }`;

function colours({
  background,
  surface,
  text,
  faint,
  grid,
  line,
  message,
  violation,
  violationFill,
  chosen,
}: Palette): string {
  return `
body { background: ${background}; color: ${text}; }
header, aside { background: ${surface}; }
header, aside, aside > section, th, td, #names svg { border-color: ${grid}; }
code, #steps, input, select, button { background: ${background}; color: ${text}; }
button, input, select, kbd { border-color: ${line}; }
button:hover:enabled { border-color: ${message}; color: ${message}; }
.broken, #steps li.violated { color: ${violation}; }
.broken { background: ${violationFill}; border-color: ${violation}; }
#steps b, .hint, td.down, td.unknown { color: ${faint}; }
#steps li.current, tr.changed td, tr.changed th { background: ${chosen}; }
#steps li:hover { box-shadow: inset 3px 0 ${message}; }
.space-time .step.current .row { fill: ${chosen}; stroke: ${message}; }
.space-time .step:hover .row { stroke: ${message}; }
:focus-visible { outline-color: ${message}; }`;
}
