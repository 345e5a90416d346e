// Colours of diagrams. Each kind of event also has a shape of its own, so that nothing is told by colour alone; what is text
// or a thin line has a contrast of at least 4.5 to 1 against the background (a spec computes it).

/** `auto` follows what the reader's system prefers. */
export type DiagramTheme = "auto" | "light" | "dark";

export interface Palette {
  readonly background: string;
  readonly surface: string;
  readonly text: string;
  readonly faint: string;
  readonly line: string;
  readonly grid: string;
  readonly message: string;
  readonly lost: string;
  readonly duplicate: string;
  readonly timer: string;
  readonly violation: string;
  readonly violationFill: string;
  readonly chosen: string;
  readonly sides: readonly [string, string, string];
}

export const lightPalette: Palette = {
  background: "#ffffff",
  surface: "#f4f5f7",
  text: "#1b1f24",
  faint: "#5a6370",
  line: "#737c88",
  grid: "#e6e8ec",
  message: "#005ea8",
  lost: "#a34a00",
  duplicate: "#8a3d91",
  timer: "#14694b",
  violation: "#c1121f",
  violationFill: "#fdeaea",
  chosen: "#fff3c4",
  sides: ["#fbe9d0", "#d7eaf6", "#e3e6d2"],
};

export const darkPalette: Palette = {
  background: "#14171c",
  surface: "#1e232a",
  text: "#e8eaed",
  faint: "#a2abb7",
  line: "#828c99",
  grid: "#262c34",
  message: "#6cb8f5",
  lost: "#f5a35c",
  duplicate: "#d79be0",
  timer: "#62c8a0",
  violation: "#ff7b80",
  violationFill: "#3d1a1e",
  chosen: "#463c14",
  sides: ["#40301a", "#18333f", "#31361f"],
};

/**
 * Style rules for a theme. Colours are written out in each rule, as not all programs that show SVG know variables of styles.
 *
 * @param rules - gives the rules in the colours of one palette
 */
export function themedRules(theme: DiagramTheme, rules: (palette: Palette) => string): string {
  if (theme === "light") return rules(lightPalette);
  if (theme === "dark") return rules(darkPalette);
  return `${rules(lightPalette)}\n@media (prefers-color-scheme: dark) {\n${rules(darkPalette)}\n}`;
}
