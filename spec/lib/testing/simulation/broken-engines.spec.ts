// specs: timeout 120 s
// Simulation is worth something only if it finds engines that are broken. All of them run in the soak.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { brokenBeyondRepair, brokenEngines } from "../../../kit/broken-engines.ts";
import { runMutant } from "../../../kit/mutants.ts";
import { projectFolder, readSources } from "../../../kit/sources.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("broken engines");
const linesMax = 10;

test("each way to break the engine still fits it, in at most ten lines", () => {
  const beyondRepair = Object.entries(brokenBeyondRepair).map(([name, { patches }]) => [name, patches] as const);
  for (const [name, patches] of [...Object.entries(brokenEngines), ...beyondRepair]) {
    let lines = 0;
    for (const { file, search, replace } of patches) {
      const text = readFileSync(join(projectFolder, "dist", file), "utf8");
      assert.is(text.split(search).length - 1, 1, `${name}: ${file} doesn't have once: ${search}`);
      lines += Math.max(search.split("\n").length, replace.split("\n").length);
    }
    assert.ok(lines <= linesMax, name);
  }
});

// With the flow that shows it soonest.
for (const [name, flow] of [
  ["pushes before its lineage is durable", "join"],
  ["records are freed that a consumer may need", "join"],
  ["producers are cancelled before the log has it that the channel stops", "earlyStop"],
  ["a sink's checkpoint is restored, and what follows isn't written again", "live"],
  ["a state that was taken while its channel was ended is saved", "sinks"],
] as const) {
  test(`it is found within 400 seeds that the engine ${name.startsWith("pushes") ? name : `lets this happen: ${name}`}`, async () => {
    const verdict = await runMutant(brokenEngines[name] ?? [], 400, "run-mutant", flow);
    assert.ok(verdict?.reason !== undefined, name);
  }, 60_000);
}

test("the simulated world has no engine of its own", () => {
  const classesIn = (folder: string): string[] =>
    readSources()
      .filter(({ file }) => file.startsWith(folder))
      .flatMap(({ text }) => [...text.matchAll(/^(?:export )?class (\w+)/gmu)].map(([, name]) => name ?? ""));
  const ours = new Set(classesIn("actors/"));
  assert.ok(ours.has("Scheduler") && ours.has("Channel"));
  assert.equal(
    classesIn("lib/testing/").filter((name) => ours.has(name)),
    [],
  );
});

test.run();
