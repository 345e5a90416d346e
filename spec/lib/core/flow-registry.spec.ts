import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as assert from "uvu/assert";
import { findFlow } from "../../../lib/core/flow-registry.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("flow registry");

const folder = mkdtempSync(join(tmpdir(), "qstream-registry-"));
const registry = new URL("../../../lib/core/flow-registry.js", import.meta.url).href;
const module = pathToFileURL(join(folder, "flow.ts")).href;
const loads = globalThis as { flowLoads?: string[] };

/** A module as a bundle of `flow.ts` is: what it defines names `flow.ts`, and not the bundle. */
function version(name: string, flows: readonly string[]): string {
  const path = join(folder, `${name}.mjs`);
  const defined = flows.map(
    (says) => `registerFlow(${JSON.stringify(module)}, undefined, { build: () => "${says}" });`,
  );
  const said = `(globalThis.flowLoads ??= []).push("${name}");`;
  writeFileSync(path, [`import { registerFlow } from "${registry}";`, said, ...defined].join("\n"));
  return pathToFileURL(path).href;
}

const saying = async (name: string, load: string): Promise<unknown> =>
  (await findFlow({ module, name, load })).build(undefined);

test("each version of a module that was submitted gives its own flows, and is imported once", async () => {
  const [old, changed] = [version("old", ["old 1", "old 2"]), version("changed", ["changed 1", "changed 2"])];
  assert.is(await saying("flow", old), "old 1");
  assert.is(await saying("flow", changed), "changed 1");
  assert.is(await saying("flow-2", changed), "changed 2");
  assert.is(await saying("flow-2", old), "old 2");
  assert.is(await saying("flow", changed), "changed 1");
  assert.equal(loads.flowLoads, ["old", "changed"]);
});

test("versions that are looked for at once don't mix", async () => {
  const names = ["a", "b", "c"];
  const all = names.map((name) => version(name, [`${name} 1`, `${name} 2`]));
  const found = await Promise.all(all.flatMap((load) => [saying("flow-2", load), saying("flow", load)]));
  assert.equal(found, ["a 2", "a 1", "b 2", "b 1", "c 2", "c 1"]);
});

test("a version that can't be imported says so, and the next one is found", async () => {
  const missing = pathToFileURL(join(folder, "missing.mjs")).href;
  const [failed, found] = await Promise.allSettled([saying("flow", missing), saying("flow", version("d", ["d 1"]))]);
  assert.is(failed.status, "rejected");
  assert.equal(found, { status: "fulfilled", value: "d 1" });
});

test.after(() => rmSync(folder, { recursive: true, force: true }));

test.run();
