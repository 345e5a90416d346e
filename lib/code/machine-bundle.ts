import { createHash } from "node:crypto";
import { hostname } from "node:os";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { OnResolveArgs, OnResolveResult, Plugin, PluginBuild } from "esbuild";
import { QStreamError } from "../core/errors.ts";
import { describeFailure, ownUrl } from "./bundle.ts";
import { findPackage, folderOf, hasMachineCode, packageOf, pathInPackage, versionOf } from "./packages.ts";

/** A flow's module with all that it imports, for other machines. */
export interface MachineBundle {
  readonly bytes: Uint8Array;
  /** SHA-256 of the bytes, in hexadecimal digits. */
  readonly hash: string;
}

/** A package that isn't in a bundle, because it holds machine code, or because each machine has its own. */
export interface NeededPackage {
  readonly name: string;
  /** As the machine that made the bundle has it; empty where that couldn't be found out. */
  readonly version: string;
}

/*
 * What a bundle needs from the machine that it comes to stands in its code as the name of a module: `qstream-own:index.js` for the
 * QStream that runs there, `qstream-package:name` for a package that is imported, `qstream-require:name` for one that is required.
 * Whoever takes the bundle puts the paths there in their place. Its first line says which packages that are.
 */
const ownPrefix = "qstream-own:";
const packagePrefix = "qstream-package:";
const requirePrefix = "qstream-require:";
const needsLine = "// qstream-needs: ";

const here = fileURLToPath(new URL(".", import.meta.url));

const ownFolders = ["lib", "actors", "operators", "readers"].map((name) => join(here, "../..", name, sep));

/** Packages that QStream brings along: its copy of each serves flow and engine. */
const brought: ReadonlySet<string> = new Set(["apache-arrow", "flatbuffers", "lmdb", "nodejs-polars", "redis", "ws"]);

const ownEntries: Readonly<Record<string, string>> = { qstream: "index.js", "qstream/testing": "testing/index.js" };

/**
 * Bundles a module and what it imports, packages among it, for other machines. Packages with machine code stay outside, and are named
 * at the top of the bundle.
 *
 * @param module - URL of the module
 * @throws QStreamError FLOW_NOT_FOUND with esbuild's message
 */
export async function machineBundle(module: string): Promise<MachineBundle> {
  if (!module.startsWith("file:")) {
    throw new QStreamError(
      "FLOW_NOT_FOUND",
      `the module ${module.slice(0, 100)} is no file that could be sent to a cluster`,
      {
        advice: "Define the flow in a module of its own",
      },
    );
  }
  const { build } = await import("esbuild");
  const entry = fileURLToPath(module);
  const needs = new Map<string, NeededPackage>();
  try {
    const built = await build({
      entryPoints: [entry],
      bundle: true,
      write: false,
      format: "esm",
      platform: "node",
      target: "node20",
      sourcemap: "inline",
      sourcesContent: true,
      // The bundle is going to be anywhere: stacks name the sources where they were written.
      sourceRoot: `${pathToFileURL(dirname(entry)).href}/`,
      logLevel: "silent",
      outfile: join(dirname(entry), "flow.mjs"),
      banner: { js: `${needsLine}\n${requireForPackages}` },
      plugins: [leaveOutside(needs), ownUrl()],
    });
    const code = built.outputFiles[0]?.text ?? "";
    const list = [...needs.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
    // In the line that is there for it, since the source map counts lines.
    const bytes = Buffer.from(code.replace(needsLine, () => `${needsLine}${JSON.stringify(list)}`));
    return { bytes, hash: createHash("sha256").update(bytes).digest("hex") };
  } catch (error) {
    throw new QStreamError("FLOW_NOT_FOUND", `${entry} can't be bundled for a cluster: ${describeFailure(error)}`, {
      advice: "Correct what the message names: the syntax, or an import that doesn't resolve",
      cause: error,
    });
  }
}

/** Packages that are CommonJS may ask for modules of Node. Not declared, since a source may declare a `require` of its own. */
const requireForPackages =
  'import { createRequire as qstreamCreateRequire } from "node:module"; globalThis.require ??= qstreamCreateRequire(import.meta.url);';

/** Keeps out of a bundle what each machine has itself. */
function leaveOutside(needs: Map<string, NeededPackage>): Plugin {
  return {
    name: "leave-outside",
    setup(build) {
      build.onResolve({ filter: /^[^./]/ }, (request) => resolveFor(build, request, needs));
      // A module beside QStream's own, an example or a spec, may name them by relative path.
      build.onResolve({ filter: /^\.\.?\// }, ({ path, resolveDir, kind }) => {
        const file = join(resolveDir, path);
        const isOwn = kind !== "entry-point" && ownFolders.some((own) => file.startsWith(own));
        const named = relative(join(here, ".."), file).replaceAll("\\", "/");
        return isOwn ? { path: `${ownPrefix}${named}`, external: true } : undefined;
      });
    },
  };
}

async function resolveFor(
  build: PluginBuild,
  request: OnResolveArgs,
  needs: Map<string, NeededPackage>,
): Promise<OnResolveResult | undefined> {
  const { path, kind, importer, resolveDir } = request;
  if (kind === "entry-point" || path.startsWith("node:") || request.pluginData === "inner") return undefined;
  const own = ownEntries[path];
  if (own !== undefined) return { path: `${ownPrefix}${own}`, external: true };
  const name = packageOf(path);
  const isRequire = kind === "require-call" || kind === "require-resolve";
  const outside = (version: string): OnResolveResult => {
    needs.set(name, { name, version });
    return { path: `${isRequire ? requirePrefix : packagePrefix}${path}`, external: true };
  };
  const found = await build.resolve(path, { kind, importer, resolveDir, pluginData: "inner" });
  if (found.errors.length > 0 && !brought.has(name)) {
    // An import statement would fail at once: better here, where the message has its line. Others may never run.
    return kind === "import-statement" ? { errors: found.errors } : { path, external: true };
  }
  const folder = folderOf(found.path, name);
  if (brought.has(name) && (folder === undefined || folder === findPackage(name, here))) {
    return outside(folder === undefined ? "" : versionOf(folder));
  }
  if (found.external) return { path, external: true };
  return folder !== undefined && hasMachineCode(folder) ? outside(versionOf(folder)) : undefined;
}

/** The packages that a bundle needs from the machine that it comes to. */
export function needsOf(code: string): readonly NeededPackage[] {
  const [first = ""] = code.split("\n", 1);
  return first.startsWith(needsLine) ? (JSON.parse(first.slice(needsLine.length)) as NeededPackage[]) : [];
}

/**
 * Puts this machine's own modules into a bundle's code.
 *
 * @param folder - where packages are looked for that this QStream doesn't see: where the worker was started
 * @throws QStreamError PACKAGE_MISSING, with name and version of a package that isn't here
 */
export function settleBundle(code: string, folder: string = process.cwd()): string {
  for (const { name, version } of needsOf(code)) checkPackage(name, version, folder);
  return code
    .replaceAll(/"qstream-own:([\w./-]+)"/gu, (_, path: string) =>
      JSON.stringify(new URL(`../${path}`, import.meta.url).href),
    )
    .replaceAll(/"qstream-(package|require):([^"]+)"/gu, (_, how: "package" | "require", path: string) => {
      const file = placeOf(path, how === "package", folder);
      return JSON.stringify(how === "package" ? pathToFileURL(file).href : file);
    });
}

/** The folder of a package on this machine: beside this QStream, else where the worker was started. */
function packageHere(name: string, folder: string): string | undefined {
  return findPackage(name, here) ?? findPackage(name, folder);
}

/** The file that an import of a package, or of something in it, gives here. */
function placeOf(path: string, isImport: boolean, folder: string): string {
  const name = packageOf(path);
  const found = packageHere(name, folder);
  const file = found === undefined ? undefined : pathInPackage(found, path.slice(name.length), isImport);
  if (file !== undefined) return file;
  throw new QStreamError(
    "PACKAGE_MISSING",
    `the flow needs ${path}, which the package ${name} of the machine ${hostname()} lacks`,
    {
      advice: "Install the same version of the package on all machines",
    },
  );
}

function checkPackage(name: string, version: string, folder: string): void {
  const found = packageHere(name, folder);
  const has = found === undefined ? undefined : versionOf(found);
  if (has !== undefined && (version === "" || majorOf(has) === majorOf(version))) return;
  const wanted = version === "" ? name : `${name}@${version}`;
  throw new QStreamError(
    "PACKAGE_MISSING",
    `the flow needs the package ${wanted}, and the machine ${hostname()} ${has === undefined ? "doesn't have it" : `has ${has}`}`,
    {
      advice: `Packages with machine code aren't sent along. On each machine and on the head's, where it is started: npm install ${wanted}`,
    },
  );
}

function majorOf(version: string): string | undefined {
  return version.split(".")[0];
}
