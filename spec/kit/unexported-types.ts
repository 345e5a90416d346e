// Finds types that stand in what an entry of a package exports, though the entry doesn't export them: whoever gets one has no name
// for it.

import ts from "typescript-6";

/**
 * Walks the declarations that an entry exports.
 *
 * @param entry - path of the entry's .d.ts
 * @param others - entries whose exports count as well
 * @param folder - where declarations are the package's own; types from elsewhere aren't looked at
 * @returns a line for each type without a name: `Inner, in "hidden" (inner.d.ts)`
 */
export function unexportedTypes(entry: string, others: readonly string[], folder: string): string[] {
  const options = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    // What isn't the package's own isn't loaded: names are enough.
    noLib: true,
    types: [],
  };
  const program = ts.createProgram([entry, ...others], options, ownFilesOnly(options, folder));
  const checker = program.getTypeChecker();
  const exportsOf = (path: string): ts.Symbol[] => {
    const source = program.getSourceFile(path);
    const symbol = source === undefined ? undefined : checker.getSymbolAtLocation(source);
    if (symbol === undefined) throw new Error(`${path} exports nothing`);
    return checker.getExportsOfModule(symbol);
  };
  const named = new Set([entry, ...others].flatMap(exportsOf).map((each) => resolved(checker, each)));
  const found = new Set<string>();
  for (const exported of exportsOf(entry)) {
    const symbol = resolved(checker, exported);
    const bases = new Set<ts.Symbol>();
    const visit = (declared: ts.Symbol): void => {
      for (const declaration of declared.declarations ?? []) {
        walk(declaration, isTypeOnly(exported), (name, isBase) => {
          const used = checker.getSymbolAtLocation(name);
          const type = used === undefined ? undefined : resolved(checker, used);
          const file = type === undefined ? undefined : ownFile(type, folder);
          if (type === undefined || file === undefined || named.has(type) || bases.has(type)) return;
          if (isBase) {
            // Nobody has to name a base; what it hands down is as public as the rest.
            bases.add(type);
            visit(type);
          } else if (!isHelper(type)) {
            found.add(`${type.name}, in "${symbol.name}" (${file.slice(folder.length + 1)})`);
          }
        });
      }
    };
    visit(symbol);
  }
  return [...found].toSorted();
}

/** Calls back with each name of a type that a declaration shows, and whether that is a base of it. */
function walk(node: ts.Node, typeOnly: boolean, named: (name: ts.Node, isBase: boolean) => void): void {
  if (isHidden(node, typeOnly)) return;
  if (ts.isTypeReferenceNode(node)) named(lastOf(node.typeName), false);
  else if (ts.isExpressionWithTypeArguments(node)) named(node.expression, ts.isHeritageClause(node.parent));
  else if (ts.isImportTypeNode(node) && node.qualifier !== undefined) named(lastOf(node.qualifier), false);
  ts.forEachChild(node, (child) => {
    // The compiler shows what is looked up, and not where.
    const isLookedIn = ts.isIndexedAccessTypeNode(node) && child === node.objectType && ts.isTypeReferenceNode(child);
    if (!isLookedIn) walk(child, typeOnly, named);
  });
}

/** True for what isn't for users: private members, those marked as internal, and constructors of what they can't construct. */
function isHidden(node: ts.Node, typeOnly: boolean): boolean {
  if (typeOnly && ts.isConstructorDeclaration(node)) return true;
  const modifiers = ts.canHaveModifiers(node) ? node.modifiers : undefined;
  if (modifiers?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword) === true) return true;
  return ts.getJSDocTags(node).some(({ tagName }) => tagName.text === "internal");
}

/** True for an alias that its own file keeps to itself: the compiler writes out what it stands for. */
function isHelper(symbol: ts.Symbol): boolean {
  const [declaration] = symbol.declarations ?? [];
  if (declaration === undefined || !ts.isTypeAliasDeclaration(declaration)) return false;
  return declaration.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) !== true;
}

function isTypeOnly(exported: ts.Symbol): boolean {
  return (
    exported.declarations?.some((each) => ts.isExportSpecifier(each) && ts.isTypeOnlyExportDeclaration(each)) === true
  );
}

function lastOf(name: ts.EntityName): ts.Node {
  return ts.isIdentifier(name) ? name : name.right;
}

function resolved(checker: ts.TypeChecker, symbol: ts.Symbol): ts.Symbol {
  return (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol);
}

/** The file that declares a type of the package; undefined for type parameters, and for types of others. */
function ownFile(symbol: ts.Symbol, folder: string): string | undefined {
  if ((symbol.flags & ts.SymbolFlags.TypeParameter) !== 0) return undefined;
  const path = symbol.declarations?.[0]?.getSourceFile().fileName;
  return path?.startsWith(`${folder}/`) === true ? path : undefined;
}

/** A host that doesn't find packages, so that a program takes a second and not many. */
function ownFilesOnly(options: ts.CompilerOptions, folder: string): ts.CompilerHost {
  const host = ts.createCompilerHost(options);
  return {
    ...host,
    resolveModuleNameLiterals: (literals, containing) =>
      literals.map(({ text }) =>
        text.startsWith(".") ? ts.resolveModuleName(text, containing, options, host) : { resolvedModule: undefined },
      ),
    fileExists: (path) => path.startsWith(folder) && host.fileExists(path),
  };
}
