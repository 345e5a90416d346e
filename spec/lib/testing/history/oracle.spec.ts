// Every checker agrees with trying every order; and broken checkers don't, so the comparison is worth something.
import * as assert from "uvu/assert";
import * as checkers from "../../../../lib/testing/history/index.ts";
import { suite } from "../../../kit/suite.ts";
import { comparisons } from "./compare.ts";

const test = suite("checkers of histories and every order");

for (const { name, compare } of comparisons) {
  test(`${name}: the checker says what trying every order says`, () => {
    const runs = 1200;
    const { kept } = compare(checkers, runs);
    assert.ok(kept > runs / 5 && kept < (runs * 9) / 10, `the promise was kept in ${kept} of ${runs}`);
  });
}

test.run();
