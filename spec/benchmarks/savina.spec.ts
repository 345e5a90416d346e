import { startActors, type ActorSystem } from "qstream";
import * as assert from "uvu/assert";
import { programs } from "../../benchmarks/savina/programs.ts";
import { suite } from "../kit/suite.ts";

const test = suite("benchmarks/savina");

/** Where the actors of a program may be. */
const topologies: Readonly<Record<string, () => ActorSystem | Promise<ActorSystem>>> = {
  "one thread": () => startActors(),
};

for (const [where, start] of Object.entries(topologies)) {
  for (const { name, run, plain, small } of programs) {
    test(`${name} gives what plain code gives, on ${where}`, async () => {
      await using system = await start();
      assert.equal(await run(system, small), plain(small));
      const { failed, deadLetters } = system.metrics();
      assert.equal({ failed, deadLetters }, { failed: 0, deadLetters: 0 });
    });
  }
}

test.run();
