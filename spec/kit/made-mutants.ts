import type { Random } from "../../lib/core/seam/random.ts";
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

/** Draws so many changes, of as many files and kinds as can be. Those in messages, imports and checks of arguments don't count. */
export function madeMutants(texts: ReadonlyMap<string, string>, count: number, random: Random): MadeMutant[] {
  const sites = [...texts].flatMap(([file, text]) => changes.map((change) => sitesOf(file, text, change)));
  const byChange = sites.filter((list) => list.length > 0);
  const made: MadeMutant[] = [];
  const changed = new Set<string>();
  while (made.length < count && byChange.length > 0) {
    const list = byChange[Math.floor(random() * byChange.length)] ?? [];
    const [mutant] = list.splice(Math.floor(random() * list.length), 1);
    if (list.length === 0) byChange.splice(byChange.indexOf(list), 1);
    const line = mutant?.name.slice(0, mutant.name.indexOf(" ")) ?? "";
    // Another change of the same line would tell the same of it.
    if (mutant === undefined || changed.has(line)) continue;
    changed.add(line);
    made.push(mutant);
  }
  return made;
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
