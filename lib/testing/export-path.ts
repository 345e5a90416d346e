import { relative } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** Where the command line finds something: `path#export`; or why it can't. */
export type ExportPath =
  | { readonly path: string; readonly why?: undefined }
  | { readonly path: ""; readonly why: string };

// A module that waits at its top level for whoever asks is never loaded before that has ended.
const loadedWithinMs = 500;

/**
 * Finds by which path and name a module exports something.
 *
 * @param module - its URL
 * @param what - what it is, for why it can't be found: `the flow`
 */
export async function exportPath(module: string | undefined, value: object, what: string): Promise<ExportPath> {
  if (module?.startsWith("file:") !== true) return { path: "", why: `${what} is in no module of its own` };
  const file = fileURLToPath(module);
  const below = relative(process.cwd(), file);
  const path = below.startsWith("..") ? file : below;
  const over = new AbortController();
  const loading = import(module).then(
    (loaded) => loaded as Readonly<Record<string, unknown>>,
    () => undefined,
  );
  const late = wait(loadedWithinMs, undefined, { signal: over.signal }).catch(() => undefined);
  const loaded = await Promise.race([loading, late]);
  over.abort();
  if (loaded === undefined) return { path: "", why: `${path} isn't loaded yet, as it waits for this` };
  const name = Object.keys(loaded).find((key) => loaded[key] === value);
  if (name === undefined) return { path: "", why: `${path} doesn't export ${what}` };
  return { path: name === "default" ? path : `${path}#${name}` };
}
