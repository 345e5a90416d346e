import { existsSync, statSync } from "node:fs";
import { extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { loadableUrl } from "../code/bundle.ts";
import { QStreamError } from "../core/errors.ts";

const endings: readonly string[] = [".ts", ".mts", ".cts", ".tsx", ".js", ".mjs", ".cjs"];

/** The path and the export that `path` or `path#export` names. */
export function exportOf(text: string): { readonly path: string; readonly name: string } {
  const at = text.lastIndexOf("#");
  return at > 0 && !existsSync(text)
    ? { path: text.slice(0, at), name: text.slice(at + 1) }
    : { path: text, name: "default" };
}

/**
 * Imports a TypeScript or JavaScript module.
 *
 * @param meanwhile - is loaded while a TypeScript module is being bundled
 * @throws QStreamError PATH_NOT_FOUND without such a module; and what the module itself throws when it is loaded
 */
export async function loadModule(path: string, meanwhile: () => Promise<unknown>): Promise<Record<string, unknown>> {
  const file = resolve(path);
  const advice = "Give the path of a TypeScript or JavaScript module";
  if (!existsSync(file)) throw new QStreamError("PATH_NOT_FOUND", `there is no module ${file}`, { advice });
  if (!statSync(file).isFile() || !endings.includes(extname(file))) {
    throw new QStreamError("PATH_NOT_FOUND", `${file} is no module`, { advice });
  }
  const [url] = await Promise.all([loadableUrl(pathToFileURL(file).href), meanwhile()]);
  return (await import(url)) as Record<string, unknown>;
}
