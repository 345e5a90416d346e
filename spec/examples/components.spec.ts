import * as assert from "uvu/assert";
import components, { ferries } from "../../examples/components.ts";
import { suite } from "../kit/suite.ts";
import { onEveryTopology, onThisMachine, printedBy } from "./running.ts";

const test = suite("example components");

/** By a plain loop: each place with the first name of its component. */
function expected(): Map<string, string> {
  const first = new Map<string, string>();
  for (const { from, to } of ferries) for (const place of [from, to]) first.set(place, place);
  for (let changed = true; changed;) {
    changed = false;
    for (const { from, to } of ferries) {
      const [name = ""] = [first.get(from) ?? "", first.get(to) ?? ""].toSorted();
      changed ||= first.get(from) !== name || first.get(to) !== name;
      first.set(from, name).set(to, name);
    }
  }
  return first;
}

onEveryTopology(test, "finds which places can be reached from which", async (session) => {
  const { reached } = await components.run({}, { on: session });
  const found = reached.map(({ place, with: first }) => [place, first] as const);
  assert.is(found.length, new Map(found).size);
  assert.equal(new Map(found), expected());
  assert.is(new Set(expected().values()).size, 3);
});

onThisMachine(test, "prints them", async () => {
  const text = await printedBy("components");
  for (const [place, first] of expected()) assert.match(text, new RegExp(`^${place} +${first}`, "m"));
});

test.run();
