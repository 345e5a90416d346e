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

/** What an export has to be that a command wants. */
export interface WantedExport<T> {
  readonly isOne: (value: unknown) => value is T;
  /** As people call it. */
  readonly kind: string;
  /** Of a line that exports one. */
  readonly example: string;
  /** Is loaded while a TypeScript module is being bundled. */
  readonly meanwhile?: () => Promise<unknown>;
}

/**
 * Imports what `path` or `path#export` names.
 *
 * @throws QStreamError PATH_NOT_FOUND without such a module, FLOW_NOT_FOUND where it exports none, or not that one; and what the module
 *   itself throws when it is loaded
 */
export async function loadExport<T>(text: string, { isOne, kind, example, meanwhile }: WantedExport<T>): Promise<T> {
  const { path, name } = exportOf(text);
  const module = await loadModule(path, meanwhile);
  const found = Object.hasOwn(module, name) ? module[name] : undefined;
  if (isOne(found)) return found;
  const names = Object.keys(module).filter((key) => isOne(module[key]));
  const wanted =
    name === "default" ? `default export that is ${/^[aeiou]/u.test(kind) ? "an" : "a"} ${kind}` : `${kind} "${name}"`;
  throw new QStreamError("FLOW_NOT_FOUND", `${path} has no ${wanted}`, {
    advice:
      names.length === 0
        ? `Write: ${example}`
        : `It has: ${names.map((key) => `${path}${key === "default" ? "" : `#${key}`}`).join(", ")}`,
  });
}

/**
 * Imports a TypeScript or JavaScript module.
 *
 * @param meanwhile - is loaded while a TypeScript module is being bundled
 * @throws QStreamError PATH_NOT_FOUND without such a module; and what the module itself throws when it is loaded
 */
async function loadModule(path: string, meanwhile?: () => Promise<unknown>): Promise<Record<string, unknown>> {
  const file = resolve(path);
  const advice = "Give the path of a TypeScript or JavaScript module";
  if (!existsSync(file)) throw new QStreamError("PATH_NOT_FOUND", `there is no module ${file}`, { advice });
  if (!statSync(file).isFile() || !endings.includes(extname(file))) {
    throw new QStreamError("PATH_NOT_FOUND", `${file} is no module`, { advice });
  }
  const [url] = await Promise.all([loadableUrl(pathToFileURL(file).href), meanwhile?.()]);
  return (await import(url)) as Record<string, unknown>;
}
