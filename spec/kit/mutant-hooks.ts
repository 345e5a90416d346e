// Module hooks by which one process can have several versions of a module: a query on its URL says what is changed in which file,
// and what it imports by a relative path has the same query.
import type { LoadHook, ResolveHook } from "node:module";
import type { Patch } from "./mutating-loader.ts";

const parameter = "mutant";

export const resolve: ResolveHook = async (specifier, context, next) => {
  const resolved = await next(specifier, context);
  const query = context.parentURL === undefined ? null : new URL(context.parentURL).searchParams.get(parameter);
  if (query === null || !specifier.startsWith(".")) return resolved;
  const url = new URL(resolved.url);
  url.searchParams.set(parameter, query);
  return { ...resolved, url: url.href };
};

export const load: LoadHook = async (url, context, next) => {
  const loaded = await next(url, context);
  if (!url.startsWith("file:")) return loaded;
  const { searchParams, pathname } = new URL(url);
  const query = searchParams.get(parameter);
  if (query === null) return loaded;
  let text = typeof loaded.source === "string" ? loaded.source : new TextDecoder().decode(loaded.source as Uint8Array);
  for (const { file, search, replace } of JSON.parse(query) as readonly Patch[]) {
    if (!pathname.endsWith(`/dist/${file}`)) continue;
    const parts = text.split(search);
    if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times: ${search}`);
    text = parts.join(replace);
  }
  return { ...loaded, source: text };
};
