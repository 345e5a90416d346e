import * as assert from "uvu/assert";
import { PromptTurns } from "../../../actors/hosts/prompt-turns.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("actors/hosts/prompt-turns");

/** Turns of an actor that has so much to do, and how they were had. */
function turnsOf(work: number): { turns: PromptTurns; counts: { asked: number; taken: number } } {
  const counts = { asked: 0, taken: 0 };
  const actor = { name: "turns", tell: (): void => void counts.asked++, stop: (): void => {} };
  const turns = new PromptTurns(actor, () => {
    counts.taken++;
    return counts.taken < work;
  });
  return { turns, counts };
}

test("the first turn is asked of the host", async () => {
  const { turns, counts } = turnsOf(1);
  turns.want();
  await Promise.resolve();
  assert.equal(counts, { asked: 1, taken: 0 });
  turns.given();
  assert.equal(counts, { asked: 1, taken: 1 });
});

test("what is ready soon after a turn has one without the host, but not at once", async () => {
  const { turns, counts } = turnsOf(1);
  turns.given();
  turns.want();
  assert.equal(counts, { asked: 0, taken: 1 });
  await Promise.resolve();
  assert.equal(counts, { asked: 0, taken: 2 });
});

test("the host is asked again after some turns without it", async () => {
  const { turns, counts } = turnsOf(1);
  turns.given();
  for (let turn = 0; turn < 100 && counts.asked === 0; turn++) {
    turns.want();
    await Promise.resolve();
  }
  assert.equal(counts, { asked: 1, taken: 33 });
  turns.given();
  turns.want();
  await Promise.resolve();
  assert.equal(counts, { asked: 1, taken: 35 });
});

test("a turn that leaves something to do is followed by one of the host", async () => {
  const { turns, counts } = turnsOf(4);
  turns.given();
  assert.equal(counts, { asked: 1, taken: 1 });
  turns.want();
  await Promise.resolve();
  assert.equal(counts, { asked: 2, taken: 2 });
});

test.run();
