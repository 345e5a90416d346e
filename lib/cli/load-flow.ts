import { existsSync, statSync } from "node:fs";
import { extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { loadableUrl } from "../code/bundle.ts";
import { QStreamError } from "../core/errors.ts";
import type { Flow } from "../flow/define-flow.ts";

type AnyFlow = Flow<object, Record<string, unknown>>;

const endings: readonly string[] = [".ts", ".mts", ".cts", ".tsx", ".js", ".mjs", ".cjs"];

/** The path and the export that `path` or `path#export` names. */
export function exportOf(text: string): { readonly path: string; readonly name: string } {
  const at = text.lastIndexOf("#");
  return at > 0 && !existsSync(text)
    ? { path: text.slice(0, at), name: text.slice(at + 1) }
    : { path: text, name: "default" };
}

/**
 * Imports the flow that `path` or `path#export` names.
 *
 * @throws QStreamError PATH_NOT_FOUND without such a module, FLOW_NOT_FOUND where it has no such flow or can't be compiled;
 *   and what the module itself throws when it is loaded
 */
export async function loadFlow(text: string): Promise<AnyFlow> {
  const { path, name } = exportOf(text);
  const file = resolve(path);
  const advice = "Give the path of a TypeScript or JavaScript module";
  if (!existsSync(file)) throw new QStreamError("PATH_NOT_FOUND", `there is no module ${file}`, { advice });
  if (!statSync(file).isFile() || !endings.includes(extname(file))) {
    throw new QStreamError("PATH_NOT_FOUND", `${file} is no module`, { advice });
  }
  // What every flow needs loads while a TypeScript module is being bundled.
  const [url] = await Promise.all([loadableUrl(pathToFileURL(file).href), import("../flow/define-flow.ts")]);
  const module = (await import(url)) as Record<string, unknown>;
  const flow = Object.hasOwn(module, name) ? module[name] : undefined;
  if (isFlow(flow)) return flow;
  const flows = Object.keys(module).filter((key) => isFlow(module[key]));
  const wanted = name === "default" ? "default export that is a flow" : `flow "${name}"`;
  throw new QStreamError("FLOW_NOT_FOUND", `${path} has no ${wanted}`, {
    advice:
      flows.length === 0
        ? "Write: export default defineFlow(import.meta.url, (q, args) => ...)"
        : `It has: ${flows.map((key) => `${path}${key === "default" ? "" : `#${key}`}`).join(", ")}`,
  });
}

function isFlow(value: unknown): value is AnyFlow {
  const flow = value as Partial<AnyFlow> | undefined;
  return (
    typeof flow === "object" && flow !== null && typeof flow.run === "function" && typeof flow.explain === "function"
  );
}
