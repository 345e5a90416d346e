import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { Patch } from "../../../kit/mutating-loader.ts";
import { projectFolder } from "../../../kit/sources.ts";
import { suite } from "../../../kit/suite.ts";
import { CrashingSystem } from "./crashing-system.ts";

const test = suite("durable actors whose memory is lost at any point");

const seeds = 50;
const mutantSeeds = 400;

interface Mutant extends Patch {
  readonly name: string;
}

const folder = "actors/system/durable";
const mutants: readonly Mutant[] = [
  {
    name: "effects leave before the log has their transition",
    file: `${folder}/cell-entry.js`,
    search: "this.#effects.push(effect);",
    replace: "effect.leave(this.#cell);",
  },
  {
    name: "a message that comes twice is handled twice",
    file: `${folder}/transitions.js`,
    search: "if (number === heard + 1)",
    replace: "if (number >= 1)",
  },
  {
    name: "a message that comes too early is handled",
    file: `${folder}/transitions.js`,
    search: "if (number === heard + 1)",
    replace: "if (number > heard)",
  },
  {
    name: "what a replay sent is forgotten",
    file: `${folder}/transitions.js`,
    search: "this.#keeper.mail.repeat(cell, transition.effects);",
    replace: "return;",
  },
  {
    name: "nobody wakes an actor whose messages are on their way",
    file: `${folder}/transitions.js`,
    search: "entry.isAwake = true;",
    replace: "entry.isAwake = undefined;",
  },
  {
    name: "a snapshot leaves out what was put aside",
    file: `${folder}/snapshot-bytes.js`,
    search: "stash: kept.stash,",
    replace: "stash: [],",
  },
  {
    name: "chance isn't the same in a replay",
    file: `${folder}/transition.js`,
    search: "keyedRandom(seed, this.seq)",
    replace: "keyedRandom(seed, this.seq, this.isReplay ? 1 : 0)",
  },
  {
    name: "a step that failed is repeated",
    file: `${folder}/transitions.js`,
    search: "if (!hasFailed && handler !== undefined)",
    replace: "if (handler !== undefined)",
  },
];

test("whatever is lost, all states and what a ledger is told are as if nothing had been", async () => {
  let crashes = 0;
  for (let seed = 1; seed <= seeds; seed++) {
    const system = new CrashingSystem(seed);
    try {
      // oxlint-disable-next-line no-await-in-loop -- they share a thread
      await system.check();
    } catch (error) {
      throw new Error(`seed ${seed} (node dist/spec/actors/system/durable/run-crashes.js ${seed} 1)`, { cause: error });
    }
    crashes += system.crashes;
  }
  assert.ok(crashes > seeds, `${crashes} crashes`);
});

for (const { name, ...patch } of mutants) {
  test(`it is noticed if ${name}`, async () => {
    const program = join(projectFolder, "dist/spec/actors/system/durable/run-crashes.js");
    const child = spawn(
      process.execPath,
      ["--no-warnings", program, "1", String(mutantSeeds), JSON.stringify([patch])],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
    const [code] = (await once(child, "close")) as [number];
    assert.is(code, 1);
    assert.match(said, /^seed \d+: /u);
  });
}

test.run();
