import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

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
 * @param wanted - which files count, by URL
 */
export function lineCoverage(folder: string, wanted: (url: string) => boolean): FileCoverage[] {
  const ran = new Map<string, Set<number>>();
  const all = new Map<string, readonly { readonly line: number; readonly offset: number }[]>();
  for (const name of readdirSync(folder)) {
    const { result } = JSON.parse(readFileSync(join(folder, name), "utf8")) as Report;
    for (const { url, functions } of result) {
      if (!wanted(url)) continue;
      const lines = all.get(url) ?? codeLines(readFileSync(new URL(url), "utf8"));
      all.set(url, lines);
      const covered = ran.get(url) ?? new Set();
      ran.set(url, covered);
      const ranges = functions.flatMap((each) => each.ranges);
      for (const { line, offset } of lines) if (countAt(ranges, offset) > 0) covered.add(line);
    }
  }
  return [...all].map(([url, lines]) => ({
    file: url.slice(url.indexOf("/dist/") + "/dist/".length),
    lines: lines.length,
    uncovered: lines.flatMap(({ line }) => (ran.get(url)?.has(line) === true ? [] : line)),
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

/** Lines that hold more than braces and comments, with where their code begins. */
function codeLines(text: string): { readonly line: number; readonly offset: number }[] {
  const found: { line: number; offset: number }[] = [];
  let offset = 0;
  let inComment = false;
  text.split("\n").forEach((line, index) => {
    const code = line.trim();
    if (code.startsWith("/*")) inComment = true;
    const counts =
      !inComment && !code.startsWith("//") && /\w/u.test(code) && !/^(?:\} )?(?:else|finally|try) \{$/u.test(code);
    if (counts) found.push({ line: index + 1, offset: offset + line.length - line.trimStart().length });
    if (code.includes("*/")) inComment = false;
    offset += line.length + 1;
  });
  return found;
}
