// node run-spec-mutant.js PATCHES SPEC: runs one compiled spec file with a broken engine, as it would run alone.
import { register } from "node:module";
import { pathToFileURL } from "node:url";
import type { Patch } from "./mutating-loader.ts";

const [, , patches = "[]", spec = ""] = process.argv;
register("./mutating-loader.js", import.meta.url, { data: JSON.parse(patches) as Patch[] });
await import(pathToFileURL(spec).href);
