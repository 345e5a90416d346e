// Module hooks that change the text of modules as they are loaded, to see whether specs notice.
import type { LoadHook } from "node:module";

/** A change of one module of ours: the text is found exactly once. */
export interface Patch {
  /** Path of the compiled module below dist: "actors/channel/tasks.js". */
  readonly file: string;
  readonly search: string;
  readonly replace: string;
}

let patches: readonly Patch[] = [];

/** Called once, with what `register` was given. */
export function initialize(data: readonly Patch[]): void {
  patches = data;
}

export const load: LoadHook = async (url, context, next) => {
  const own = patches.filter(({ file }) => url.endsWith(`/dist/${file}`));
  const loaded = await next(url, context);
  if (own.length === 0) return loaded;
  let text = typeof loaded.source === "string" ? loaded.source : new TextDecoder().decode(loaded.source as Uint8Array);
  for (const { file, search, replace } of own) {
    const parts = text.split(search);
    if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times: ${search}`);
    text = parts.join(replace);
  }
  return { ...loaded, source: text };
};
