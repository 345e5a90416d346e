import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
/**
 * A hash of a module's code and of all that it imports by relative path; packages count by their names only. Comments and
 * formatting don't count.
 *
 * @param module - its URL; what isn't a file is hashed as it is written
 * @returns 24 hexadecimal digits
 */
export async function codeHash(module: string): Promise<string> {
  return createHash("sha256")
    .update(await codeOf(module))
    .digest("hex")
    .slice(0, 24);
}

async function codeOf(module: string): Promise<string> {
  if (!module.startsWith("file:")) return module;
  const { build } = await import("esbuild");
  try {
    const built = await build({
      entryPoints: [fileURLToPath(module)],
      bundle: true,
      write: false,
      format: "esm",
      platform: "node",
      target: "node20",
      packages: "external",
      minifyWhitespace: true,
      legalComments: "none",
      logLevel: "silent",
    });
    return built.outputFiles[0]?.text ?? "";
  } catch {
    // It runs, so what can't be resolved is never imported: the module itself is what can be told.
    return readFile(fileURLToPath(module), "utf8");
  }
}
