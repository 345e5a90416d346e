import { hashBytes } from "../../lib/core/hash.ts";
import type { Patch } from "./mutating-loader.ts";

/** A small change that a program made up. */
export interface MadeMutant extends Patch {
  /** File, line, and what was changed. */
  readonly name: string;
}

interface Change {
  readonly pattern: RegExp;
  readonly by: string;
}

/**
 * Comparisons turned round, conditions swapped, numbers off by one, statements left out. A comparison that is only moved by
 * one makes no difference to a budget, nor to what is checked again elsewhere: such changes would tell nothing.
 */
const changes: readonly Change[] = [
  { pattern: / === /gu, by: " !== " },
  { pattern: / !== /gu, by: " === " },
  { pattern: / < /gu, by: " >= " },
  { pattern: / <= /gu, by: " > " },
  { pattern: / > /gu, by: " <= " },
  { pattern: / >= /gu, by: " < " },
  { pattern: / && /gu, by: " || " },
  { pattern: / \|\| /gu, by: " && " },
  { pattern: / \+ 1\b/gu, by: "" },
  { pattern: / - 1\b/gu, by: "" },
  {
    pattern:
      /^ +(?:this\.[#\w.]+(?: [-+]?= [^{}]+|\([^{}]*\));|[a-z]\w*(?:\.\w+)+\([^{}]*\);|[a-z]\w*(?:\.\w+)+ [-+]?= [^{}]+;|return;)$/gmu,
    by: "",
  },
];

/**
 * Draws so many changes, of as many files and kinds as can be. Those in messages, imports and checks of arguments don't count.
 * What is drawn depends on a seed and on the changed lines alone: it stays the same when others change.
 */
export function madeMutants(texts: ReadonlyMap<string, string>, count: number, seed: number): MadeMutant[] {
  const groups = [...texts].flatMap(([file, text]) =>
    changes.map((change, kind) => ({
      rank: rankOf(seed, `${file} ${kind}`),
      sites: sitesOf(file, text, change)
        .map((mutant) => ({ mutant, rank: rankOf(seed, mutant.name.replace(/:\d+ /u, " ")) }))
        .toSorted((left, right) => left.rank - right.rank),
    })),
  );
  const drawn = groups.toSorted((left, right) => left.rank - right.rank);
  const made: MadeMutant[] = [];
  const changed = new Set<string>();
  while (made.length < count && drawn.some(({ sites }) => sites.length > 0)) {
    for (const { sites } of drawn) {
      const mutant = sites.shift()?.mutant;
      const line = mutant?.name.slice(0, mutant.name.indexOf(" ")) ?? "";
      // Another change of the same line would tell the same of it.
      if (mutant === undefined || changed.has(line) || made.length >= count) continue;
      changed.add(line);
      made.push(mutant);
    }
  }
  return made;
}

/** A number that is drawn for a text. */
function rankOf(seed: number, text: string): number {
  const bytes = new TextEncoder().encode(`${seed} ${text}`);
  return hashBytes(bytes, 0, bytes.length);
}

// Nor do conditions under which a library is loaded: one that is loaded for nothing makes no difference.
const untold =
  /invariant\(|throw |import |export |metrics|`|differs\(|QStreamError|loadedBatches|loadBatches|holdsBatch/u;

function sitesOf(file: string, text: string, { pattern, by }: Change): MadeMutant[] {
  const found: MadeMutant[] = [];
  const lines = text.split("\n");
  let start = 0;
  lines.forEach((line, index) => {
    for (const match of line.matchAll(new RegExp(pattern.source, pattern.flags.replace("m", "")))) {
      const changed = `${line.slice(0, match.index)}${by}${line.slice(match.index + match[0].length)}`;
      if (untold.test(line) || line.trimStart().startsWith("//") || line.trimStart().startsWith("*")) continue;
      const patch = unique(text, start, line, changed);
      if (patch !== undefined)
        found.push({ file, ...patch, name: `${file}:${index + 1} ${line.trim()} -> ${changed.trim()}` });
    }
    start += line.length + 1;
  });
  return found;
}

/** The line with as many lines before it as make it the only one of its kind. */
function unique(
  text: string,
  start: number,
  line: string,
  changed: string,
): { readonly search: string; readonly replace: string } | undefined {
  let from = start;
  for (let lines = 0; lines < 8; lines++) {
    const before = text.slice(from, start);
    const search = `${before}${line}\n`;
    if (text.split(search).length === 2) return { search, replace: `${before}${changed}\n` };
    from = text.lastIndexOf("\n", from - 2) + 1;
  }
  return undefined;
}
