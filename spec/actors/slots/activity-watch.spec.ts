import { PassThrough } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { makeNotesMemory, type SlotActivity } from "../../../actors/slot/turn-notes.ts";
import { activityAtEnd, makeToldFlag, ToldNotes, watchActivity } from "../../../actors/slots/activity-watch.ts";
import { Lease } from "../../../actors/slots/lease.ts";
import { SignReader, type SlotSign } from "../../../actors/slots/signs-of-life.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("what a slot is at when it ends");
const execution = "run-000000000001";
const consumed = [{ edge: 2, from: 0, firstSeq: 5, lastSeq: 7 }];
const activityIn = (seq: number): SlotActivity => ({ execution: 1, life: 3, seq, consumed, ended: true });

/** A slot, and what its parent was told last. */
function watched(): { readonly notes: ToldNotes; readonly said: (SlotActivity | null)[]; readonly stop: () => void } {
  const [memory, told] = [makeNotesMemory(), makeToldFlag()];
  const said: (SlotActivity | null)[] = [];
  const notes = new ToldNotes(memory, told, () => said.push(null));
  return { notes, said, stop: watchActivity(memory, told, (activity) => said.push(activity)) };
}

test("a task that takes long is told, and taken back when it is over", async () => {
  const { notes, said, stop } = watched();
  const channel = notes.channel(execution, 3);
  channel.task(4);
  channel.took(consumed);
  while (said.length === 0) await wait(10);
  assert.equal([said[0]?.life, said[0]?.seq, said[0]?.consumed], [3, 4, consumed]);
  await wait(100);
  assert.is(said.length, 1, "it is told once");
  channel.task(5);
  assert.is(said[1], null);
  while (said.length === 2) await wait(10);
  assert.is(said[2]?.seq, 5);
  notes.rest();
  assert.is(said[3], null);
  stop();
});

test("tasks that are over soon aren't told", async () => {
  const { notes, said, stop } = watched();
  const channel = notes.channel(execution, 3);
  for (let seq = 0; seq < 25; seq++) {
    channel.during(() => channel.task(seq));
    await wait(5);
  }
  assert.equal(said, []);
  stop();
});

test("where a slot was at its event loop, nothing is known", () => {
  const memory = makeNotesMemory();
  assert.is(activityAtEnd(memory), undefined);
  const notes = new ToldNotes(memory, makeToldFlag(), () => {});
  const channel = notes.channel(execution, 3);
  channel.task(4);
  const { ended, seq } = activityAtEnd(memory) ?? {};
  assert.equal([ended, seq], [true, 4]);
});

test("signs of life are put together wherever they were cut", () => {
  const signs: SlotSign[] = [
    { at: activityIn(4) },
    { at: null },
    { stuck: { stuckMs: 700, activity: { execution: 1, life: 3, seq: 1, consumed } } },
  ];
  const text = `...${signs.map((sign) => `${JSON.stringify(sign)}\n`).join("..")}.`;
  for (const size of [1, 7, 64, text.length]) {
    const reader = new SignReader();
    const read: SlotSign[] = [];
    for (let at = 0; at < text.length; at += size) read.push(...reader.take(Buffer.from(text.slice(at, at + size))));
    assert.equal(read, signs, `pieces of ${size}`);
  }
});

test("what a process said last counts when it has ended, though it comes afterwards", async () => {
  const signs = new PassThrough();
  const lease = new Lease(signs, 10_000, { silent: () => {}, stuck: () => {} });
  signs.write(`.${JSON.stringify({ at: activityIn(4) })}\n`);
  const last = lease.lastActivity();
  signs.end(`${JSON.stringify({ at: activityIn(5) })}\n`);
  assert.is((await last)?.seq, 5);
  lease.stop();
});

test("a pipe that somebody else keeps open isn't waited for for long", async () => {
  const signs = new PassThrough();
  const lease = new Lease(signs, 10_000, { silent: () => {}, stuck: () => {} });
  signs.write(`${JSON.stringify({ at: activityIn(4) })}\n${JSON.stringify({ at: null })}\n`);
  assert.is(await lease.lastActivity(), undefined);
  lease.stop();
});

test.run();
