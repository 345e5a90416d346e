import * as assert from "uvu/assert";
import { activityOf, beatsOf, executionMark, makeNotesMemory, TurnNotes } from "../../../actors/slot/turn-notes.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("turn notes");
const run = (from: number, firstSeq: number) => ({ edge: 2, from, firstSeq, lastSeq: firstSeq + 1 });

test("a slot that does nothing is at nothing, and comes back to its loop", () => {
  const memory = makeNotesMemory();
  const notes = new TurnNotes(memory);
  assert.is(activityOf(memory).execution, undefined);
  notes.beat();
  notes.beat();
  assert.is(beatsOf(memory), 2);
});

test("a turn notes its channel, then its task and what that took; afterwards nothing", () => {
  const memory = makeNotesMemory();
  const channel = new TurnNotes(memory).channel("run-1", 7);
  const execution = executionMark("run-1");
  channel.during(() => {
    assert.equal(activityOf(memory), { execution, life: 7, seq: undefined, consumed: [] });
    channel.task(3);
    channel.took([run(0, 5), run(1, 9)]);
    assert.equal(activityOf(memory), { execution, life: 7, seq: 3, consumed: [run(0, 5), run(1, 9)] });
    channel.task(4);
    assert.equal(activityOf(memory), { execution, life: 7, seq: 4, consumed: [] });
  });
  assert.is(activityOf(memory).execution, undefined);
});

test("a turn that throws is over", () => {
  const memory = makeNotesMemory();
  const channel = new TurnNotes(memory).channel("run-1", 7);
  assert.throws(() =>
    channel.during(() => {
      throw new Error("by user code");
    }),
  );
  assert.is(activityOf(memory).execution, undefined);
});

test("of more runs of parcels than there is room for, the first are noted", () => {
  const memory = makeNotesMemory();
  const channel = new TurnNotes(memory).channel("run-1", 7);
  channel.task(1);
  channel.took(Array.from({ length: 40 }, (_, from) => run(from, from)));
  const consumed = activityOf(memory).consumed;
  assert.is(consumed.length, 16);
  assert.equal(consumed[15], run(15, 15));
});

test("asynchronous code that waits is what goes on, where it is the only one; of several, it isn't known", async () => {
  const memory = makeNotesMemory();
  const notes = new TurnNotes(memory);
  const [one, other, third] = [notes.channel("run-1", 1), notes.channel("run-1", 2), notes.channel("run-1", 3)];
  let go: () => void = () => {};
  const waiting = new Promise<void>((resolve) => (go = resolve));
  const first = one.during(() => {
    one.task(5);
    return waiting;
  });
  assert.is(activityOf(memory).seq, 5);
  assert.is(activityOf(memory).waits, true);
  third.during(() => {
    assert.is(activityOf(memory).life, 3);
    assert.is(activityOf(memory).waits, undefined);
  });
  assert.is(activityOf(memory).life, 1);
  const second = other.during(() => waiting.then(() => new Promise<void>((resolve) => setImmediate(resolve))));
  assert.is(activityOf(memory).execution, undefined);
  go();
  await first;
  assert.is(activityOf(memory).life, 2);
  await second;
  assert.is(activityOf(memory).execution, undefined);
});

test("loading a module is noted until something else begins", async () => {
  const memory = makeNotesMemory();
  const notes = new TurnNotes(memory);
  const loaded = await notes.loads("run-2", () => {
    assert.equal(activityOf(memory), {
      execution: executionMark("run-2"),
      life: undefined,
      seq: undefined,
      consumed: [],
    });
    return Promise.resolve("module");
  });
  assert.is(loaded, "module");
  assert.is(activityOf(memory).execution, undefined);
});

test.run();
