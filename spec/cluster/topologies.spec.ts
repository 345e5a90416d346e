// specs: timeout 300 s
// What holds on every topology of one machine, on a cluster of two: operators, readers, sinks and all examples.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as assert from "uvu/assert";
import type { Flow } from "../../lib/index.ts";
import { tableRows } from "../docs/tables.ts";
import { failure } from "../kit/failure.ts";
import { projectFolder } from "../kit/sources.ts";
import { warm } from "./at-cluster.ts";
import { beginLater } from "./begin-later.ts";
import { notOnACluster } from "./not-on-a-cluster.ts";

// Some of them wait for something while they are loaded.
const begin = beginLater();

/** What needs a system of actors beside the flow is run in a spec of its own: `flows-and-actors.spec.ts`. */
const withActors = {
  files: new Set(filesOf("examples", "flow-and-actors.ts")),
  steps: new Set(["reader actor", "sink actor", "sink entities"]),
};
const suites = filesOf("spec/topologies", ".spec.ts");
for (const file of [...suites, ...filesOf("spec/examples", ".spec.ts")]) {
  // oxlint-disable-next-line no-await-in-loop -- they are run in this order
  await import(file);
}

const { suite } = await import("../kit/suite.ts");
const test = suite("what runs on a cluster");
test.after(() => warm.close());

test("every suite of all topologies and every flow of the examples was run there", async () => {
  if (!(await warm.isThere())) return;
  const modules = new Set([...warm.flows].map((flow) => flow.split("#")[0]));
  for (const file of suites) assert.ok(modules.has(file), file);
  // Some examples have actors and no flow, or several files.
  let seen = 0;
  for (const file of filesOf("examples", ".ts")) {
    if (withActors.files.has(file)) continue;
    // oxlint-disable-next-line no-await-in-loop -- it is loaded already
    const flows = Object.values((await import(file)) as Record<string, unknown>).filter(isFlow);
    seen += flows.length;
    for (const { name } of flows) assert.ok(warm.flows.has(`${file}#${name}`), `${name} of ${file}`);
  }
  assert.ok(seen >= 19, `${seen} flows`);
});

test("every reader, operator and sink was run there, but for what can't be", async () => {
  if (!(await warm.isThere())) return;
  for (const what of ["reader", "operator", "sink"]) {
    for (const row of tableRows(`docs/${what}s.md`, what)) {
      const step = `${what} ${/`(.+)`/u.exec(row["kind"] ?? "")?.[1]}`;
      if (!withActors.steps.has(step)) assert.is(warm.steps.has(step), notOnACluster[step] === undefined, step);
    }
  }
});

for (const [what, { why, code, advice, tried }] of Object.entries(notOnACluster)) {
  test(`${what}: not there, since ${why}; and the error says what to do`, async () => {
    if (!(await warm.isThere())) return;
    assert.match((await failure(async () => tried(await warm.session()), code)).message, advice);
  });
}

test.run();
await begin();

function isFlow(value: unknown): value is Flow<object, Record<string, unknown>> {
  return typeof (value as Partial<Flow<object, Record<string, unknown>>> | undefined)?.explain === "function";
}

/** URLs of what the files of a folder are compiled to. */
function filesOf(folder: string, ending: string): string[] {
  const names = readdirSync(join(projectFolder, folder), { recursive: true, encoding: "utf8" });
  return names
    .filter((name) => name.endsWith(ending))
    .map((name) => pathToFileURL(join(projectFolder, "dist", folder, name.replace(/ts$/u, "js"))).href);
}
