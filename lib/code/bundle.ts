import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Message, OnResolveArgs, OnResolveResult, Plugin, PluginBuild } from "esbuild";
import { QStreamError } from "../core/errors.ts";
import { makeTemporaryFolder, removeTemporaryFolder } from "../core/seam/temporary-folder.ts";

const typescript = new Set([".ts", ".mts", ".cts", ".tsx"]);

export function isTypeScript(path: string): boolean {
  return typescript.has(extname(path));
}

/**
 * The URL that a slot imports for a module: the module itself if it's JavaScript, else a bundle of it and of what it imports
 * by relative path. Packages stay outside, so that there is one copy of each. Nodes that strip types by themselves get the
 * bundle too: they know but a part of TypeScript, and a module may come from a loader that knows more.
 */
export async function loadableUrl(module: string): Promise<string> {
  if (!module.startsWith("file:")) return module;
  const path = fileURLToPath(module);
  if (!isTypeScript(path)) return module;
  let bundled = bundles.get(path);
  if (bundled === undefined) {
    const sources = new Map<string, string>();
    bundled = { file: bundle(path, sources), sources };
    bundles.set(path, bundled);
  }
  return pathToFileURL(await bundled.file).href;
}

/** Texts of source files by their paths. */
export type Sources = ReadonlyMap<string, string>;

// A module that was imported once stays as it was, and so does its bundle.
const bundles = new Map<string, { readonly file: Promise<string>; readonly sources: Sources }>();

/** The texts that a module's bundle was made of; undefined where none was made. */
export function bundledSources(path: string): Sources | undefined {
  return bundles.get(path)?.sources;
}

/**
 * Bundles a module for Node, and returns the path of the bundle, which is named by the hash of its content.
 *
 * @param sources - is filled with the texts that were bundled
 * @throws QStreamError FLOW_NOT_FOUND with esbuild's message: a missing file, an import that doesn't resolve, wrong syntax
 */
export async function bundle(entry: string, sources?: Map<string, string>): Promise<string> {
  // Errors in what is bundled point to the lines of the sources.
  process.setSourceMapsEnabled(true);
  const { build } = await import("esbuild");
  const folder = bundleFolder();
  let code: string;
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
      logLevel: "silent",
      // Sources in the map are relative to the place of the bundle.
      outfile: join(folder, "flow.mjs"),
      plugins: [outsidePackages(), ownUrl(sources)],
    });
    code = built.outputFiles[0]?.text ?? "";
  } catch (error) {
    throw new QStreamError("FLOW_NOT_FOUND", `${entry} can't be compiled: ${describeFailure(error)}`, {
      advice: "Correct what the message names: the syntax, or an import that doesn't resolve",
      cause: error,
    });
  }
  const name = createHash("sha256").update(code).digest("hex").slice(0, 24);
  return store(join(folder, `${name}.mjs`), code);
}

const messagesMax = 5;

/** esbuild's messages with their places. */
export function describeFailure(error: unknown): string {
  const { errors } = error as { readonly errors?: readonly Message[] };
  if (errors === undefined || errors.length === 0) return error instanceof Error ? error.message : String(error);
  const shown = errors.slice(0, messagesMax).map(({ text, location }) => {
    return location === null ? text : `${location.file}:${location.line}:${location.column + 1}: ${text}`;
  });
  if (errors.length > shown.length) shown.push(`and ${errors.length - shown.length} more`);
  return shown.join("; ");
}

let ownFolder: string | undefined;

/** A folder that only this user can enter; it goes with the process. */
function bundleFolder(): string {
  if (ownFolder !== undefined && existsSync(ownFolder)) return ownFolder;
  const folder = makeTemporaryFolder("code-");
  process.once("exit", () => removeTemporaryFolder(folder));
  ownFolder = folder;
  return folder;
}

function store(path: string, code: string): string {
  if (existsSync(path)) return path;
  const temporary = `${path}.part`;
  writeFileSync(temporary, code, { mode: 0o600 });
  renameSync(temporary, path);
  return path;
}

/** Packages are imported from where the importing file finds them; ours is the copy that is running. */
function outsidePackages(): Plugin {
  return {
    name: "outside-packages",
    setup(build) {
      build.onResolve({ filter: /^[^./]/ }, (request) => resolveOutside(build, request));
    },
  };
}

async function resolveOutside(build: PluginBuild, request: OnResolveArgs): Promise<OnResolveResult | undefined> {
  if (request.kind === "entry-point" || request.path.startsWith("node:") || request.pluginData === "inner")
    return undefined;
  const own = ownExports[request.path];
  if (own !== undefined) return { path: new URL(own, import.meta.url).href, external: true };
  const found = await build.resolve(request.path, {
    kind: request.kind,
    importer: request.importer,
    resolveDir: request.resolveDir,
    pluginData: "inner",
  });
  if (found.errors.length > 0) {
    // An import statement would fail at once: better here, where the message has its line. Others may never run.
    return request.kind === "import-statement" ? { errors: found.errors } : { path: request.path, external: true };
  }
  if (found.path === "" || found.external) return { path: request.path, external: true };
  // A path mapping, or a package of a workspace that is TypeScript: Node couldn't load it from outside.
  if (isTypeScript(found.path)) return { path: found.path };
  const isRequire = request.kind === "require-call" || request.kind === "require-resolve";
  return { path: isRequire ? found.path : pathToFileURL(found.path).href, external: true };
}

const ownExports: Readonly<Record<string, string>> = {
  qstream: "../index.js",
  "qstream/testing": "../testing/index.js",
};

/**
 * In a bundle, `import.meta.url` still is the URL of the file it was written in.
 *
 * @param sources - is filled with the texts of all files that are bundled
 */
export function ownUrl(sources?: Map<string, string>): Plugin {
  return {
    name: "own-url",
    setup(build) {
      build.onLoad({ filter: /\.[cm]?[jt]sx?$/ }, async (file) => {
        const source = readFileSync(file.path, "utf8");
        sources?.set(file.path, source);
        if (!source.includes("import.meta")) return undefined;
        try {
          return {
            contents: await withOwnUrl(build, file.path, source),
            loader: file.path.endsWith("x") ? "jsx" : "js",
          };
        } catch {
          // Whoever bundles it finds the same error, and tells its place.
          return undefined;
        }
      });
    },
  };
}

/** By the syntax, and not by the text: a string or a comment may hold the words, too. */
async function withOwnUrl({ esbuild, initialOptions }: PluginBuild, path: string, source: string): Promise<string> {
  const { code } = await esbuild.transform(source, {
    loader: loaderOf(path),
    jsx: "preserve",
    target: initialOptions.target ?? "node20",
    sourcemap: "inline",
    sourcefile: basename(path),
    define: {
      "import.meta.url": JSON.stringify(pathToFileURL(path).href),
      "import.meta.dirname": JSON.stringify(dirname(path)),
      "import.meta.filename": JSON.stringify(path),
    },
  });
  return code;
}

export function loaderOf(path: string): "tsx" | "ts" | "jsx" | "js" {
  if (path.endsWith("x")) return path.endsWith(".tsx") ? "tsx" : "jsx";
  return isTypeScript(path) ? "ts" : "js";
}
