import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const relativeImport = /\b(?:from|import)\s*\(?\s*["']\.\.?\//u;
const sourceMap = /^\/\/# sourceMappingURL=.*$/gmu;

/**
 * A hash of a module's code and of all that it imports by relative path; packages count by their names only.
 *
 * @param module - its URL; what isn't a file is hashed as it is written
 * @param load - the URL that slots import for it: its bundle, if it has one
 * @returns 24 hexadecimal digits
 */
export async function codeHash(module: string, load: string): Promise<string> {
  const code = load.startsWith("file:") ? await codeOf(load) : module;
  // Where the sources of a bundle are is no part of what it does.
  return createHash("sha256").update(code.replaceAll(sourceMap, "").replaceAll(module, "")).digest("hex").slice(0, 24);
}

async function codeOf(load: string): Promise<string> {
  const path = fileURLToPath(load);
  const own = await readFile(path, "utf8");
  // A module that stands alone, as a bundle does, needs nobody to put it together.
  if (!relativeImport.test(own)) return own;
  const { build } = await import("esbuild");
  try {
    const built = await build({
      entryPoints: [path],
      bundle: true,
      write: false,
      format: "esm",
      platform: "node",
      target: "node20",
      packages: "external",
      legalComments: "none",
      logLevel: "silent",
    });
    return built.outputFiles[0]?.text ?? own;
  } catch {
    // It runs, so what can't be resolved is never imported: the module itself is what can be told.
    return own;
  }
}
