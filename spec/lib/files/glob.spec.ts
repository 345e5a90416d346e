import * as assert from "uvu/assert";
import { globExpression, globPrefix, isGlob } from "../../../lib/files/glob.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("glob");

const cases: readonly (readonly [glob: string, matching: readonly string[], other: readonly string[]])[] = [
  ["a/*.csv", ["a/b.csv", "a/b.c.csv"], ["a/.csv", "a/b/c.csv", "a/bcsv", "b/a.csv"]],
  ["a/**/c", ["a/c", "a/b/c", "a/b/b/c"], ["a/.b/c", "ac", "a/bc"]],
  ["a/**", ["a/b", "a/b/c"], ["b/a"]],
  ["part-?.txt", ["part-1.txt"], ["part-12.txt", "part-.txt", "part-/.txt"]],
  ["[a-c]x", ["ax", "cx"], ["dx", "x"]],
  ["[!a]x", ["bx"], ["ax", "/x"]],
  ["{a,b{1,2}}.x", ["a.x", "b1.x", "b2.x"], ["b.x", "ab1.x"]],
  ["a+b(c).d$", ["a+b(c).d$"], ["aab(c).d$", "a+b(c)xd$"]],
];

for (const [glob, matching, other] of cases) {
  test(`${glob} matches what a shell would match`, () => {
    const expression = globExpression(glob);
    for (const name of matching) assert.ok(expression.test(name), `${name} should match ${glob}`);
    for (const name of other) assert.not(expression.test(name), `${name} should not match ${glob}`);
  });
}

test("a glob is told from a name, and its folder is known", () => {
  for (const glob of ["*", "a?", "[ab]", "{a,b}", "x/{1..3}"]) assert.ok(isGlob(glob), glob);
  for (const name of ["a", "a/b.csv", "a{b}", "a[]", "a]"]) assert.not(isGlob(name), name);
  assert.is(globPrefix("a/b/c*.csv"), "a/b/");
  assert.is(globPrefix("*.csv"), "");
  assert.is(globPrefix("a/{b,c}/d"), "a/");
});

test.run();
