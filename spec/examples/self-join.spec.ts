import * as assert from "uvu/assert";
import selfJoin, { employees } from "../../examples/self-join.ts";
import { suite } from "../kit/suite.ts";
import { onEveryTopology, onThisMachine, printedBy } from "./running.ts";

const test = suite("example self-join");
const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);

const expected = employees
  .flatMap(({ name, born, boss }) => {
    const found = employees.find((employee) => employee.name === boss);
    return found === undefined ? [] : [{ name, boss: found.name, younger: found.born - born }];
  })
  .toSorted(byName);

onEveryTopology(test, "finds each employee's boss in the same stream", async (session) => {
  const { pairs, withYoungerBoss } = await selfJoin.run({}, { on: session });
  assert.equal(pairs.toSorted(byName), expected);
  assert.equal(
    withYoungerBoss.toSorted(byName),
    expected.filter(({ younger }) => younger > 0),
  );
});

onThisMachine(test, "prints them", async () => {
  const text = await printedBy("self-join");
  for (const { name, boss } of expected) assert.match(text, new RegExp(`^${name} +${boss} `, "m"));
});

test.run();
