import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, sep } from "node:path";

// What of installed packages says whether they can be sent to another machine, and where they are on this one.

interface PackageJson {
  readonly version?: string;
  readonly gypfile?: boolean;
  readonly napi?: unknown;
  readonly binary?: unknown;
  readonly main?: string;
  readonly exports?: unknown;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** Packages by which others find their machine code. */
const loaders: readonly string[] = [
  "bindings",
  "node-gyp-build",
  "node-gyp-build-optional-packages",
  "prebuild-install",
];

/** The name of the package that an import names: `@scope/name` of `@scope/name/inner`. */
export function packageOf(path: string): string {
  return path
    .split("/")
    .slice(0, path.startsWith("@") ? 2 : 1)
    .join("/");
}

/** The folder of the package that a file is in. */
export function folderOf(file: string, name: string): string | undefined {
  const inside = join("node_modules", ...name.split("/"));
  const at = file.lastIndexOf(`${inside}${sep}`);
  return at < 0 ? undefined : file.slice(0, at + inside.length);
}

/** The folder of a package as Node finds it from a folder. */
export function findPackage(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const found = join(folder, "node_modules", ...name.split("/"));
    if (existsSync(join(found, "package.json"))) return realpathSync(found);
    if (dirname(folder) === folder) return undefined;
  }
}

export function versionOf(folder: string): string {
  return readPackage(folder).version ?? "";
}

/** True for a package whose machine code a bundle can't hold. */
export function hasMachineCode(folder: string): boolean {
  const { gypfile, napi, binary, dependencies = {}, optionalDependencies = {} } = readPackage(folder);
  if (gypfile === true || napi !== undefined || binary !== undefined) return true;
  if (loaders.some((loader) => Object.hasOwn(dependencies, loader))) return true;
  if (Object.keys(optionalDependencies).some((name) => /-(linux|darwin|win32)-/u.test(name))) return true;
  return readdirSync(folder).some((name) => name.endsWith(".node") || name === "binding.gyp" || name === "prebuilds");
}

/**
 * The file that an import of a package gives.
 *
 * @param inner - what stands behind the package's name: empty, or "/inner"
 * @param isImport - true for `import`, false for `require`, which may mean another file
 */
export function pathInPackage(folder: string, inner: string, isImport: boolean): string | undefined {
  const { exports } = readPackage(folder);
  if (exports !== undefined) {
    const target = exported(exports, `.${inner}`, new Set(["node", "default", isImport ? "import" : "require"]));
    return target === undefined ? undefined : join(folder, target);
  }
  try {
    return createRequire(join(folder, "package.json")).resolve(join(folder, inner));
  } catch {
    return undefined;
  }
}

/** What a package's exports say of a path: for itself, or by a pattern with one star. */
function exported(exports: unknown, path: string, conditions: ReadonlySet<string>): string | undefined {
  const isOfPaths =
    typeof exports === "object" && exports !== null && Object.keys(exports).some((key) => key.startsWith("."));
  if (!isOfPaths) return path === "." ? targetOf(exports, conditions) : undefined;
  const paths = exports as Readonly<Record<string, unknown>>;
  if (Object.hasOwn(paths, path)) return targetOf(paths[path], conditions);
  for (const [key, target] of Object.entries(paths)) {
    const [before = "", after, ...more] = key.split("*");
    if (after === undefined || more.length > 0 || !path.startsWith(before) || !path.endsWith(after)) continue;
    if (path.length < before.length + after.length) continue;
    return targetOf(target, conditions)?.replaceAll("*", () => path.slice(before.length, path.length - after.length));
  }
  return undefined;
}

/** The first target whose condition holds. */
function targetOf(target: unknown, conditions: ReadonlySet<string>): string | undefined {
  if (typeof target === "string") return target;
  if (Array.isArray(target)) return targetOf(target[0], conditions);
  if (typeof target !== "object" || target === null) return undefined;
  for (const [condition, inner] of Object.entries(target)) {
    const found = conditions.has(condition) ? targetOf(inner, conditions) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function readPackage(folder: string): PackageJson {
  const path = join(folder, "package.json");
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as PackageJson) : {};
}
