import * as assert from "uvu/assert";
import { AwaitedActors } from "../../../../actors/system/distant/awaited-actors.ts";
import { firstDistantId } from "../../../../actors/system/reference.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("actors that others start");

/** The number that node 3 gives. */
const idOf = (count: number): number => firstDistantId(3) + count;

function awaited(lost: ReadonlySet<number> = new Set()): { readonly actors: AwaitedActors; readonly done: string[] } {
  return { actors: new AwaitedActors((life) => !lost.has(life)), done: [] };
}

test("what comes before the order to start its actor waits for it, in its order", () => {
  const { actors, done } = awaited();
  actors.whenMade(idOf(1), () => done.push("first"));
  actors.whenMade(idOf(2), () => done.push("of the second"));
  actors.whenMade(idOf(1), () => done.push("next"));
  assert.equal(done, []);
  actors.made(idOf(1));
  assert.equal(done, ["first", "next"]);
  actors.made(idOf(2));
  assert.equal(done, ["first", "next", "of the second"]);
});

test("for one that is there, was there, or has a number of this node nothing waits", () => {
  const { actors, done } = awaited();
  actors.made(idOf(5));
  actors.whenMade(idOf(5), () => done.push("there"));
  actors.whenMade(idOf(4), () => done.push("gone, or elsewhere"));
  actors.whenMade(7, () => done.push("own"));
  assert.equal(done, ["there", "gone, or elsewhere", "own"]);
});

test("what waits for a node that is lost is done then, and found to be for nobody", () => {
  const lost = new Set<number>();
  const { actors, done } = awaited(lost);
  actors.whenMade(idOf(1), () => done.push("waited"));
  actors.whenMade(firstDistantId(4) + 1, () => done.push("of another"));
  lost.add(3);
  actors.lost(3);
  assert.equal(done, ["waited"]);
  actors.whenMade(idOf(2), () => done.push("later"));
  assert.equal(done, ["waited", "later"]);
});

test.run();
