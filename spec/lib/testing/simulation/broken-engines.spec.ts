// specs: timeout 120 s
// Simulation is worth something only if it finds engines that are broken. All of them run in the soak.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript-6";
import * as assert from "uvu/assert";
import { brokenBeyondRepair, brokenEngines } from "../../../kit/broken-engines.ts";
import { runMutant } from "../../../kit/mutants.ts";
import { runShell } from "../../../kit/run-shell.ts";
import { eachNode, projectFolder, readSources } from "../../../kit/sources.ts";
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
  ["sinks are told of a task before its lineage is durable", "written"],
  ["records are freed that a consumer may need", "join"],
  ["the channels of a loop start from states that don't fit together", "loopVotes"],
  ["what is on its way isn't saved with the state of a loop", "loopAtOnce"],
  ["producers are cancelled before the log has it that the channel stops", "earlyStop"],
  ["a sink's checkpoint is restored, and what follows isn't written again", "live"],
  ["a state that was taken while its channel was ended is saved", "sinks"],
] as const) {
  test(`it is found within 400 seeds that the engine ${name.startsWith("pushes") ? name : `lets this happen: ${name}`}`, async () => {
    const verdict = await runMutant(brokenEngines[name] ?? [], 400, "run-mutant", flow);
    assert.ok(verdict?.reason !== undefined, name);
  }, 60_000);
}

test("so it is, under faults that nobody can repair, that an engine doesn't see where a log ends; and its seed can be run again", async () => {
  for (const { patches, flow, faults } of Object.values(brokenBeyondRepair)) {
    const verdict = await runMutant(patches, 2000, "run-mutant", flow, faults);
    assert.ok(verdict?.reason !== undefined);
    const ended = await runShell(verdict?.command ?? "");
    assert.is(ended.code, 1, ended.stderr);
    assert.match(ended.stdout, verdict?.reason ?? "");
    assert.match(ended.stdout, /ms {2}client>slot-0 +order prepare/u);
  }
}, 110_000);

/** What a class can do, by the names of its methods and accessors that others may call. */
interface ClassShape {
  readonly name: string;
  readonly members: ReadonlySet<string>;
}

function classesIn(...folders: readonly string[]): ClassShape[] {
  const found: ClassShape[] = [];
  for (const source of readSources()) {
    if (!folders.some((folder) => source.file.startsWith(folder))) continue;
    eachNode(source, (node) => {
      if (!ts.isClassLike(node)) return;
      const members = node.members.flatMap(({ name }) =>
        name !== undefined && ts.isIdentifier(name) ? name.text : [],
      );
      found.push({ name: node.name?.text ?? "", members: new Set(members) });
    });
  }
  return found;
}

// A class with fewer may look like any other.
const membersLeast = 3;

test("the simulated world has no engine of its own: no class is called like one of the engine's, or could stand in for it", () => {
  const kit = classesIn("lib/testing/");
  const every = new Set(classesIn("actors/").map(({ name }) => name));
  const engine = classesIn(
    "actors/scheduler/",
    "actors/channel/",
    "actors/lineage/",
    "actors/slot/",
    "actors/cluster/",
  );
  assert.ok(every.has("Scheduler") && every.has("Channel") && kit.length > 20 && engine.length > 50);
  const same = kit.filter(({ name }) => every.has(name)).map(({ name }) => name);
  for (const { name, members } of engine) {
    if (members.size < membersLeast) continue;
    const likes = kit.filter((one) => [...members].every((member) => one.members.has(member)));
    same.push(...likes.map((like) => `${like.name} has all that ${name} has`));
  }
  assert.equal(same, []);
});

test.run();
