// Every type that stands in the public declarations has a public name.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { projectFolder } from "../kit/sources.ts";
import { suite } from "../kit/suite.ts";
import { unexportedTypes } from "../kit/unexported-types.ts";

const test = suite("public names");
const dist = join(projectFolder, "dist");
const main = join(dist, "lib/index.d.ts");
const testing = join(dist, "lib/testing/index.d.ts");

test("qstream exports all types that its declarations name", () => {
  assert.equal(unexportedTypes(main, [], dist), []);
});

test("qstream/testing exports the types that its declarations name, or qstream does", () => {
  assert.equal(unexportedTypes(testing, [main], dist), []);
});

test("a type that isn't exported is found: of a property, behind a base, of a class of another file", () => {
  const folder = mkdtempSync(join(tmpdir(), "qstream-public-names-"));
  try {
    const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
    write(
      "inner.d.ts",
      `export interface Inner { readonly one: 1 }
      export interface Given { readonly two: 2 }
      export declare class Own { private readonly hidden: Inner; /** @internal */ readonly inside: Inner; of(): Inner[] }`,
    );
    write(
      "entry.d.ts",
      `import type { Given, Inner } from "./inner.js";
      interface Base { readonly inner: Inner }
      type Helper<T> = T extends string ? 1 : 2;
      interface Local { readonly three: 3 }
      export interface Outer extends Base { readonly help: Helper<string>; readonly given: Given }
      export declare function make(): Promise<Local>;
      export declare const looked: Local["three"];
      export { Own } from "./inner.js";
      export type { Given } from "./inner.js";`,
    );
    assert.equal(unexportedTypes(join(folder, "entry.d.ts"), [], folder), [
      'Inner, in "Outer" (inner.d.ts)',
      'Inner, in "Own" (inner.d.ts)',
      'Local, in "make" (entry.d.ts)',
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test.run();
