// The notes of a simulated slot: who asks for tasks hears of each of them once, and one that waits is none that begins.
import * as assert from "uvu/assert";
import { HangingNotes } from "../../../../lib/testing/simulation/hanging-notes.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("notes of simulated slots");

/** Notes with a channel whose task 5 waits for a promise, and another one. */
function waiting() {
  const heard: string[] = [];
  const notes = new HangingNotes({ onTask: () => heard.push("task") });
  const [one, other] = [notes.channel("run-1", 1), notes.channel("run-1", 2)];
  let settle: () => void = () => {};
  const pending = new Promise<void>((resolve) => (settle = resolve));
  const done = one.during(() => {
    one.task(5);
    return pending;
  });
  return { heard, notes, one, other, settle, done };
}

test("a task that waits is heard of once, whatever else runs meanwhile", async () => {
  const { heard, one, other, settle, done } = waiting();
  assert.is(heard.length, 1);
  other.during(() => other.task(8));
  other.during(() => {});
  assert.is(heard.length, 2);
  settle();
  await done;
  one.during(() => {
    one.task(6);
    one.took([{ edge: 0, from: 0, firstSeq: 1, lastSeq: 1 }]);
  });
  assert.is(heard.length, 3);
});

test("a slot hangs in a task that begins, not in one that waits already", () => {
  const { notes, other } = waiting();
  const hung: (number | undefined)[] = [];
  notes.hangNext(({ life }) => hung.push(life));
  other.during(() => {});
  assert.equal(hung, []);
  other.during(() => other.task(8));
  assert.equal(hung, [2]);
});

test.run();
