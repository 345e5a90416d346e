// Whether the soak finds out checkers that are broken; here only that it still can, so that nobody hears of it hours later.
import { rmSync } from "node:fs";
import { suite } from "../../../kit/suite.ts";
import { brokenCheckers, copies, mutants } from "./broken-checkers.ts";
import { comparisons } from "./compare.ts";

const test = suite("broken checkers of histories");

test.after(() => rmSync(copies, { recursive: true, force: true }));

test("each change still fits the checkers", async () => {
  await Promise.all(mutants.map((mutant, number) => brokenCheckers(mutant, number)));
});

test("a copy that isn't broken isn't found out", async () => {
  const same = { does: "nothing", file: "search", search: "class Search ", replace: "class Search " };
  const checkers = await brokenCheckers(same, mutants.length);
  for (const { compare } of comparisons) compare(checkers, 100, true);
});

test.run();
