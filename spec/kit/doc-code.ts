import { basename, dirname } from "node:path";

/** A fenced block of a Markdown document, or a file that a comment in it holds. */
export interface DocBlock {
  /** The document, from the project's folder: "docs/guide/joins.md". */
  readonly document: string;
  /** 1-based line of its opening fence. */
  readonly line: number;
  readonly language: string;
  /** The name after `file=`: other blocks of the document import or read it. */
  readonly file: string | undefined;
  /** The words after the language, without `file=`: "run", "no-run". */
  readonly words: readonly string[];
  readonly text: string;
}

/** A program or data file made of a block, below the folder where the code of all documents is put. */
export interface DocFile {
  readonly document: string;
  readonly line: number;
  /** "docs-guide-joins/block-12.ts": one folder a document, which is also the working folder of its programs. */
  readonly path: string;
  readonly text: string;
  readonly run: boolean;
}

const comment = /^<!-- file=(\S+)\n([\s\S]*?)-->/gm;

/**
 * The blocks of a document in order. A comment `<!-- file=NAME`, line end, text, `-->` gives the document's programs a
 * data file that readers of the page don't see.
 */
export function blocksOf(document: string, text: string): DocBlock[] {
  const hidden = [...text.matchAll(comment)].map((match) => ({
    document,
    line: text.slice(0, match.index).split("\n").length,
    language: "",
    file: match[1],
    words: [],
    text: match[2] ?? "",
  }));
  return [...hidden, ...fencesOf(document, text)];
}

function fencesOf(document: string, text: string): DocBlock[] {
  const found: DocBlock[] = [];
  let open: { fence: string; indent: string; line: number; info: string; lines: string[] } | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    const match = /^(\s*)(`{3,}|~{3,})(.*)$/.exec(line);
    if (open === undefined) {
      const [, indent = "", fence = "", info = ""] = match ?? [];
      if (match !== null) open = { fence, indent, line: index + 1, info, lines: [] };
    } else if (match !== null && match[2]?.startsWith(open.fence) === true && match[3]?.trim() === "") {
      found.push(toBlock(document, open));
      open = undefined;
    } else {
      open.lines.push(line.startsWith(open.indent) ? line.slice(open.indent.length) : line.trimStart());
    }
  }
  if (open !== undefined) throw new Error(`${document}:${open.line}: the code block has no end`);
  return found;
}

function toBlock(document: string, open: { line: number; info: string; lines: readonly string[] }): DocBlock {
  const [language = "", ...words] = open.info.trim().split(/\s+/);
  const file = words.find((word) => word.startsWith("file="))?.slice("file=".length);
  return {
    document,
    line: open.line,
    language,
    file,
    words: words.filter((word) => !word.startsWith("file=")),
    text: `${open.lines.join("\n")}\n`,
  };
}

/**
 * What is written for a document: its TypeScript blocks as modules and its named blocks as files. A block without a name
 * is a program and runs, unless it says `no-run`; a named one is there for others and runs only if it says `run`.
 */
export function filesOf(blocks: readonly DocBlock[]): DocFile[] {
  return blocks.flatMap(({ document, line, language, file, words, text }) => {
    const program = language === "ts" || language === "typescript";
    if (!program && file === undefined) return [];
    const path = `${folderOf(document)}/${file ?? `block-${line}.ts`}`;
    const run = program && (file === undefined ? !words.includes("no-run") : words.includes("run"));
    return [{ document, line, path, text, run }];
  });
}

/** The folder for a document's code: "docs/guide/joins.md" to "docs-guide-joins". */
export function folderOf(document: string): string {
  return `${dirname(document)}/${basename(document, ".md")}`.replace(/^\.\//, "").replaceAll("/", "-").toLowerCase();
}

/** The commands of a document's shell blocks that are ours to keep true: `npm ...`, `npx qstream ...`, `node ...`. */
export function commandsOf(
  blocks: readonly DocBlock[],
): { readonly place: string; readonly words: readonly string[] }[] {
  return blocks
    .filter(({ language }) => ["sh", "bash", "shell", "console"].includes(language))
    .flatMap(({ document, line, text }) =>
      text
        .replaceAll("\\\n", " ")
        .split("\n")
        .map((command) =>
          command
            .replace(/^\$ /, "")
            .replace(/\s#.*$/, "")
            .trim(),
        )
        .filter((command) => /^(npm|npx qstream|node) /.test(command))
        .map((command) => ({ place: `${document}:${line}`, words: command.split(/\s+/) })),
    );
}

/** The relative targets of a document's links, without their fragments. */
export function linksOf(text: string): string[] {
  const prose = text.replaceAll(/^(\s*)(`{3,}|~{3,})[\s\S]*?^\s*\2`*$/gm, "").replaceAll(/`[^`\n]*`/g, "");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => (match[1] ?? "").replace(/#.*$/, ""))
    .filter((target) => target !== "" && !/^[a-z]+:/i.test(target));
}
