import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript-6";

/** The project's folder: the nearest above this file, compiled or not, that has the lockfile. */
export const projectFolder = findProject(dirname(fileURLToPath(import.meta.url)));

const sourceFolders = ["lib", "actors", "operators", "readers", "spec", "benchmarks", "examples"] as const;

/** One import or re-export of a source file. */
export interface SourceImport {
  readonly specifier: string;
  /** For a relative import, the file from the project's folder: "lib/core/errors.ts". */
  readonly file: string | undefined;
  /** Erased by the compiler: `import type`, or every name in it is `type`. */
  readonly typeOnly: boolean;
  /** `import()` or `require()` inside of a function: loaded when that runs. */
  readonly lazy: boolean;
  readonly names: readonly string[];
  readonly line: number;
}

/** A source file, parsed, with its path from the project's folder and forward slashes. */
export interface Source {
  readonly file: string;
  readonly text: string;
  readonly tree: ts.SourceFile;
  readonly imports: readonly SourceImport[];
  /** Made by a tool: style doesn't apply. */
  readonly generated: boolean;
}

/** Every TypeScript file of the project that is compiled. */
export function readSources(): Source[] {
  return sourceFolders
    .flatMap((folder) => filesBelow(folder))
    .filter((file) => file.endsWith(".ts") && !file.startsWith("spec/types/refused/"))
    .map(readSource);
}

/** Files below a folder of the project, as paths from the project's folder with forward slashes. */
export function filesBelow(folder: string): string[] {
  const start = join(projectFolder, folder);
  if (!existsSync(start)) return [];
  return readdirSync(start, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(projectFolder, join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
    .toSorted();
}

/** Calls `visit` for every node of a file, from the outside in. */
export function eachNode(source: Source, visit: (node: ts.Node) => void): void {
  const walk = (node: ts.Node): void => {
    visit(node);
    ts.forEachChild(node, walk);
  };
  walk(source.tree);
}

/** "file:line" of a node, as editors and terminals link it. */
export function placeOf(source: Source, node: ts.Node): string {
  return `${source.file}:${lineOf(source.tree, node)}`;
}

function readSource(file: string): Source {
  const text = readFileSync(join(projectFolder, file), "utf8");
  const tree = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true, ts.ScriptKind.TS);
  const generated = file.includes("/generated/") || /^\/\/ automatically generated/i.test(text);
  return { file, text, tree, imports: importsOf(file, tree), generated };
}

function importsOf(file: string, tree: ts.SourceFile): SourceImport[] {
  const found: SourceImport[] = [];
  const add = (node: ts.Node, specifier: string, rest: Omit<SourceImport, "specifier" | "file" | "line">): void => {
    const target = specifier.startsWith(".")
      ? relative(projectFolder, resolve(projectFolder, dirname(file), specifier)).replaceAll("\\", "/")
      : undefined;
    found.push({ specifier, file: target, line: lineOf(tree, node), ...rest });
  };
  const walk = (node: ts.Node, inFunction: boolean): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      add(node, node.moduleSpecifier.text, { ...importedNames(node.importClause), lazy: false });
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier)) {
      add(node, node.moduleSpecifier.text, { typeOnly: node.isTypeOnly, lazy: false, names: [] });
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      const { literal } = node.argument;
      if (ts.isStringLiteral(literal)) add(node, literal.text, { typeOnly: true, lazy: false, names: [] });
    } else if (ts.isCallExpression(node) && loadsModule(node.expression)) {
      const [specifier] = node.arguments;
      if (specifier !== undefined && ts.isStringLiteralLike(specifier)) {
        add(node, specifier.text, { typeOnly: false, lazy: inFunction, names: [] });
      }
    }
    const inside = inFunction || ts.isFunctionLike(node);
    ts.forEachChild(node, (child) => walk(child, inside));
  };
  walk(tree, false);
  return found;
}

function loadsModule(called: ts.Expression): boolean {
  return called.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(called) && called.text === "require");
}

function importedNames(clause: ts.ImportClause | undefined): { typeOnly: boolean; names: string[] } {
  if (clause === undefined) return { typeOnly: false, names: [] };
  const bindings = clause.namedBindings;
  const elements = bindings !== undefined && ts.isNamedImports(bindings) ? [...bindings.elements] : [];
  const values = elements.filter((element) => !element.isTypeOnly);
  const everyNameIsType = clause.name === undefined && elements.length > 0 && values.length === 0;
  const typeOnly = clause.phaseModifier === ts.SyntaxKind.TypeKeyword || everyNameIsType;
  return { typeOnly, names: values.map((element) => (element.propertyName ?? element.name).text) };
}

function lineOf(tree: ts.SourceFile, node: ts.Node): number {
  return tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1;
}

function findProject(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, "package-lock.json"))) return folder;
    if (folder === dirname(folder)) throw new Error(`no package-lock.json above ${start}`);
  }
}
