import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import type { OnResolveArgs, OnResolveResult, Plugin, PluginBuild } from "esbuild";
import { bundledSources, isTypeScript, loaderOf, type Sources } from "./bundle.ts";

const relativeImport = /\b(?:from|import|require)\s*\(?\s*["']\.\.?\//u;

/**
 * A hash of a module's code and of all that it imports by relative path; packages count by their names only. It depends on what the
 * code says and on nothing else: not on where the files are, nor on where one stands, nor on comments.
 *
 * @param module - its URL; what isn't a file is hashed as it is written
 * @returns 24 hexadecimal digits
 */
export async function codeHash(module: string): Promise<string> {
  const code = module.startsWith("file:") ? await codeOf(fileURLToPath(module)) : module;
  return createHash("sha256").update(code).digest("hex").slice(0, 24);
}

async function codeOf(path: string): Promise<string> {
  const sources = bundledSources(path);
  const own = sources?.get(path) ?? readFileSync(path, "utf8");
  // A module of JavaScript that stands alone needs nobody to put it together.
  if (!isTypeScript(path) && !relativeImport.test(own)) return own;
  const { build } = await import("esbuild");
  try {
    const built = await build({
      entryPoints: [path],
      bundle: true,
      write: false,
      format: "esm",
      platform: "node",
      target: "node20",
      // Names that esbuild gives, and comments, tell of paths.
      minify: true,
      legalComments: "none",
      logLevel: "silent",
      plugins: [namesOfPackages(), asBundled(sources ?? new Map())],
    });
    return built.outputFiles[0]?.text ?? own;
  } catch {
    // It runs, so what can't be resolved is never imported: the module itself is what can be told.
    return own;
  }
}

/** Leaves packages, and QStream itself, outside under the names by which they are imported. */
function namesOfPackages(): Plugin {
  return {
    name: "names-of-packages",
    setup(build) {
      build.onResolve({ filter: /^[^./]/ }, (request) => resolvePackage(build, request));
      // A module beside QStream's own, an example or a spec, may name them by relative path.
      build.onResolve({ filter: /^\.\.?\// }, ({ path, resolveDir, kind }) => {
        const file = join(resolveDir, path);
        const isOwn = kind !== "entry-point" && ownFolders.some((own) => file.startsWith(own));
        return isOwn ? { path: `qstream:${file.slice(root.length)}`, external: true } : undefined;
      });
    },
  };
}

const root = fileURLToPath(new URL("../../", import.meta.url));
const ownFolders = ["lib", "actors", "operators", "readers"].map((name) => join(root, name, sep));

async function resolvePackage(build: PluginBuild, request: OnResolveArgs): Promise<OnResolveResult | undefined> {
  const { path, kind, importer, resolveDir } = request;
  if (kind === "entry-point" || request.pluginData === "inner") return undefined;
  const outside = { path, external: true };
  if (path.startsWith("node:")) return outside;
  const found = await build.resolve(path, { kind, importer, resolveDir, pluginData: "inner" });
  // A path mapping, or a package of a workspace that is TypeScript, is the user's own code.
  return found.errors.length === 0 && isTypeScript(found.path) ? { path: found.path } : outside;
}

/** What runs is what was bundled, whatever has become of the files since. */
function asBundled(sources: Sources): Plugin {
  return {
    name: "as-bundled",
    setup(build) {
      build.onLoad({ filter: /\.[cm]?[jt]sx?$/ }, ({ path }) => {
        const contents = sources.get(path);
        return contents === undefined ? undefined : { contents, loader: loaderOf(path), resolveDir: dirname(path) };
      });
    },
  };
}
