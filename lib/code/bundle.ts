import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync, existsSync, renameSync, readFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { dirname, extname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Plugin } from "esbuild";
import { QStreamError } from "../core/errors.ts";

const typescript = new Set([".ts", ".mts", ".tsx"]);

/**
 * The URL that a slot imports for a module: the module itself where Node can load it, else a bundle of it and of what it
 * imports by relative path. Packages stay outside, so that there is one copy of each.
 */
export async function loadableUrl(module: string): Promise<string> {
  if (!module.startsWith("file:")) return module;
  const path = fileURLToPath(module);
  if (!typescript.has(extname(path)) || runsTypeScript()) return module;
  let bundled = bundles.get(path);
  if (bundled === undefined) {
    bundled = bundle(path);
    bundles.set(path, bundled);
  }
  return pathToFileURL(await bundled).href;
}

// A module that was imported once stays as it was, and so does its bundle.
const bundles = new Map<string, Promise<string>>();

/** Node strips types by itself from 22.18 on. */
function runsTypeScript(): boolean {
  return Boolean((process.features as { typescript?: unknown }).typescript);
}

/** Bundles a module for Node, and returns the path of the bundle, which is named by the hash of its content. */
export async function bundle(entry: string): Promise<string> {
  const { build } = await import("esbuild");
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
      outfile: "flow.mjs",
      plugins: [outsidePackages(), ownUrl()],
    });
    code = built.outputFiles[0]?.text ?? "";
  } catch (error) {
    throw new QStreamError("FLOW_NOT_FOUND", `${entry} can't be bundled: ${error instanceof Error ? error.message : String(error)}`, {
      file: entry,
      advice: "Fix what the message names; the module must exist and its imports must resolve",
      cause: error,
    });
  }
  const name = createHash("sha256").update(code).digest("hex").slice(0, 24);
  return store(`${name}.mjs`, code);
}

function store(name: string, code: string): string {
  const folder = join(tmpdir(), `qstream-bundles-${userInfo().username}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, name);
  if (existsSync(path) && readFileSync(path, "utf8") === code) return path;
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, code, { mode: 0o600 });
  renameSync(temporary, path);
  return path;
}

/** Packages are imported from where the importing file finds them; ours is the copy that is running. */
function outsidePackages(): Plugin {
  return {
    name: "outside-packages",
    setup(build) {
      build.onResolve({ filter: /^[^./]/ }, async (request) => {
        if (request.kind === "entry-point" || request.path.startsWith("node:") || request.pluginData === "inner") return undefined;
        const own = ownExports[request.path];
        if (own !== undefined) return { path: new URL(own, import.meta.url).href, external: true };
        const found = await build.resolve(request.path, {
          kind: "import-statement",
          importer: request.importer,
          resolveDir: request.resolveDir,
          pluginData: "inner",
        });
        if (found.errors.length > 0 || found.path === "" || found.external) return { path: request.path, external: true };
        return { path: pathToFileURL(found.path).href, external: true };
      });
    },
  };
}

const ownExports: Readonly<Record<string, string>> = { qstream: "../index.js", "qstream/testing": "../testing/index.js" };

/** In a bundle, `import.meta.url` still is the URL of the file it was written in. */
function ownUrl(): Plugin {
  return {
    name: "own-url",
    setup(build) {
      build.onLoad({ filter: /\.[cm]?[jt]sx?$/ }, (file) => {
        const source = readFileSync(file.path, "utf8");
        if (!source.includes("import.meta")) return undefined;
        const url = JSON.stringify(pathToFileURL(file.path).href);
        const folder = JSON.stringify(dirname(file.path));
        const contents = source
          .replaceAll("import.meta.url", url)
          .replaceAll("import.meta.dirname", folder)
          .replaceAll("import.meta.filename", JSON.stringify(file.path));
        const loader = /\.[cm]?tsx?$/.test(file.path) ? (file.path.endsWith("x") ? "tsx" : "ts") : "js";
        return { contents, loader };
      });
    },
  };
}
