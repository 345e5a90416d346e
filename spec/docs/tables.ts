import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectFolder } from "../kit/sources.ts";

/** A row of a Markdown table: its cells by the names of their columns. */
export type TableRow = Readonly<Record<string, string>>;

/** The rows of all tables of a document whose header starts with this column. */
export function tableRows(document: string, firstColumn: string): readonly TableRow[] {
  const rows: TableRow[] = [];
  let columns: readonly string[] | undefined;
  for (const line of readFileSync(join(projectFolder, document), "utf8").split("\n")) {
    if (!line.startsWith("|")) {
      columns = undefined;
      continue;
    }
    const cells = cellsOf(line);
    if (columns === undefined) columns = cells;
    else if (columns[0] === firstColumn && !/^:?-+:?$/.test(cells[0] ?? "")) {
      const names = columns;
      rows.push(Object.fromEntries(cells.map((cell, index) => [names[index] ?? "", cell])));
    }
  }
  if (rows.length === 0) throw new Error(`${document} has no table whose first column is "${firstColumn}"`);
  return rows;
}

function cellsOf(line: string): string[] {
  return line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim());
}

/** The words of a cell that are set as code, without what follows a bracket: "`sort(id, by)`" gives "sort". */
export function codeIn(cell: string | undefined): string[] {
  return [...(cell ?? "").matchAll(/`([^`]+)`/g)].map((match) => (match[1] ?? "").replace(/[^\w.].*$/, ""));
}

/** The names of functions that lib/index.ts exports from modules whose path starts with this. */
export function exportedFunctions(from: string): string[] {
  const text = readFileSync(join(projectFolder, "lib/index.ts"), "utf8");
  return [...text.matchAll(/export \{([^}]*)\} from "\.\.\/([^"]*)"/g)]
    .filter((match) => match[2]?.startsWith(from) === true)
    .flatMap((match) => (match[1] ?? "").split(","))
    .map((name) => name.trim())
    .filter((name) => /^[a-z]\w*$/.test(name));
}
