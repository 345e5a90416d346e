// Checkers that are broken in one place: comparing them with every order shows each of them.
import { rmSync } from "node:fs";
import * as assert from "uvu/assert";
import { suite } from "../../../kit/suite.ts";
import { brokenCheckers, copies, mutants } from "./broken-checkers.ts";
import { comparisons, type Checkers } from "./compare.ts";

const test = suite("broken checkers of histories");

test.after(() => rmSync(copies, { recursive: true, force: true }));

// Dependencies that few histories show are those of lists.
const ofLists = ["lists", "dependencies", "cycles", "components"];

/** Which comparison shows it, and undefined where none does. */
function shownBy(checkers: Checkers, file: string): string | undefined {
  const isOfLists = ofLists.includes(file);
  return comparisons.find(({ name, compare }) => {
    if (isOfLists && !name.endsWith("lists")) return false;
    try {
      compare(checkers, isOfLists ? 5000 : 600, true);
      return false;
    } catch {
      return true;
    }
  })?.name;
}

mutants.forEach((mutant, number) => {
  test(`a checker is found out that ${mutant.does}`, async () => {
    const checkers = await brokenCheckers(mutant, number);
    assert.ok(shownBy(checkers, mutant.file) !== undefined, `nothing shows ${mutant.search} -> ${mutant.replace}`);
  });
});

test.run();
