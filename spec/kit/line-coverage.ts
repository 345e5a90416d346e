import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectFolder } from "./sources.ts";

/** One file's lines that hold code, and which of them nothing ran. */
export interface FileCoverage {
  readonly file: string;
  readonly lines: number;
  readonly uncovered: readonly number[];
}

interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

interface Report {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly { readonly ranges: readonly Range[] }[];
  }[];
}

/**
 * What processes ran, by the reports that V8 left in the folder of NODE_V8_COVERAGE.
 *
 * @param files - those that count, compiled, as paths below dist ("actors/slot/slot.js"). Of one that no process loaded, nothing ran
 */
export function lineCoverage(folder: string, files: readonly string[]): FileCoverage[] {
  const ran = new Map<string, Set<number>>();
  const all = new Map(
    files.map((file) => [file, codeLines(readFileSync(join(projectFolder, "dist", file), "utf8"))] as const),
  );
  for (const name of readdirSync(folder)) {
    const { result } = JSON.parse(readFileSync(join(folder, name), "utf8")) as Report;
    for (const { url, functions } of result) {
      const file = url.slice(url.indexOf("/dist/") + "/dist/".length);
      const lines = all.get(file);
      if (lines === undefined) continue;
      const covered = ran.get(file) ?? new Set();
      ran.set(file, covered);
      const ranges = functions.flatMap((each) => each.ranges);
      for (const { line, offset } of lines) if (countAt(ranges, offset) > 0) covered.add(line);
    }
  }
  return [...all].map(([file, lines]) => ({
    file,
    lines: lines.length,
    uncovered: lines.flatMap(({ line }) => (ran.get(file)?.has(line) === true ? [] : line)),
  }));
}

/** The innermost range around a place decides. */
function countAt(ranges: readonly Range[], offset: number): number {
  let narrowest = Infinity;
  let count = 0;
  for (const range of ranges) {
    const width = range.endOffset - range.startOffset;
    if (range.startOffset > offset || range.endOffset <= offset || width > narrowest) continue;
    narrowest = width;
    ({ count } = range);
  }
  return count;
}

// Nothing of it can be run.
const empty = /^(?:(?:\} )?(?:else|finally|try) \{|export \{\};)$/u;

/** Lines that hold more than braces, comments and the mark of a module without code, with where their code begins. */
function codeLines(text: string): { readonly line: number; readonly offset: number }[] {
  const found: { line: number; offset: number }[] = [];
  let offset = 0;
  let inComment = false;
  text.split("\n").forEach((line, index) => {
    const code = line.trim();
    if (code.startsWith("/*")) inComment = true;
    const counts = !inComment && !code.startsWith("//") && /\w/u.test(code) && !empty.test(code);
    if (counts) found.push({ line: index + 1, offset: offset + line.length - line.trimStart().length });
    if (code.includes("*/")) inComment = false;
    offset += line.length + 1;
  });
  return found;
}
