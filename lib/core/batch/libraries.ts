import { createRequire } from "node:module";
import type * as ArrowModule from "apache-arrow";
import type { default as PolarsModule } from "nodejs-polars";
import { QStreamError } from "../errors.ts";

export type ArrowLibrary = typeof ArrowModule;
export type PolarsLibrary = typeof PolarsModule;

let polars: PolarsLibrary | undefined;

/** Loads apache-arrow: the module instance that an `import` in user code gets too. */
export async function loadArrow(): Promise<ArrowLibrary> {
  try {
    return await import("apache-arrow");
  } catch (error) {
    throw missing("apache-arrow", error);
  }
}

/** Loads nodejs-polars at its first use. It is a CommonJS package, so that this can be done synchronously. */
export function loadPolars(): PolarsLibrary {
  try {
    polars ??= createRequire(import.meta.url)("nodejs-polars") as PolarsLibrary;
    return polars;
  } catch (error) {
    throw missing("nodejs-polars", error);
  }
}

function missing(name: string, cause: unknown): QStreamError {
  return new QStreamError("PACKAGE_MISSING", `${name} can't be loaded`, {
    advice: `Columnar batches need it: npm install ${name}, with optional packages for this platform.`,
    cause,
  });
}
