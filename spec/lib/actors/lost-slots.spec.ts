// specs: waits
// What is left of a system of actors when a slot's process is killed.
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { local, type ActorEvent, type DistributedActors } from "../../../lib/index.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";
import spread, { mourner, resident, room } from "./spread-kinds.ts";

const test = suite("actors of slots that are lost");

const events: ActorEvent[] = [];
const slots = { slots: 2, isolation: "process", store: "memory" } as const;

/** A system on two processes, and an actor on each. */
async function twoSlots(): Promise<{
  readonly system: DistributedActors;
  readonly here: ReturnType<typeof spawnResident>;
  readonly there: ReturnType<typeof spawnResident>;
}> {
  const system = await spread.start({ ...slots, onEvent: (event) => void events.push(event) });
  const [here, there] = [spawnResident(system), spawnResident(system)];
  assert.is.not(await here.ask("pid"), await there.ask("pid"));
  return { system, here, there };
}

function spawnResident(system: DistributedActors) {
  return system.spawn(resident, undefined);
}

async function eventually(holds: () => Promise<boolean> | boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    // oxlint-disable-next-line no-await-in-loop -- until it holds
    if (await holds()) return;
    // oxlint-disable-next-line no-await-in-loop -- until it holds
    await wait(10);
  }
  assert.unreachable(`${what} didn't come to be`);
}

test("watchers are told, what waits for an answer is refused, and what is sent later is a dead letter", async () => {
  const { system, here, there } = await twoSlots();
  const watcher = system.spawn(mourner, undefined, { place: { kind: "near", actor: there } });
  watcher.tell("watch", here);
  await watcher.ask("ends");
  const ended = system.ended(here);
  const pid = await here.ask("pid");
  const refused = failure(() => here.ask("never", undefined, { timeoutMs: 30_000 }), "ACTOR_STOPPED");
  process.kill(pid, "SIGKILL");
  assert.is((await ended).reason, "lost");
  await refused;
  await eventually(async () => (await watcher.ask("ends")).length === 1, "the watcher's news");
  assert.equal(await watcher.ask("ends"), ["lost"]);
  await failure(() => here.ask("pid"), "ACTOR_STOPPED");
  assert.is((await system.ended(here)).reason, "lost");
  assert.is(await there.ask("pid"), await there.ask("pid"));
  await system.close();
});

test("entities go elsewhere and begin anew, one at a time, and what is sent meanwhile waits for them", async () => {
  const { system, here } = await twoSlots();
  const pid = await here.ask("pid");
  const rooms = Array.from({ length: 40 }, (_, index) => system.entity(room, `room ${index}`));
  const before = await Promise.all(rooms.map((each) => each.ask("visit")));
  const lost = new Set(before.flatMap((visit, index) => (visit.pid === pid ? [index] : [])));
  assert.ok(lost.size > 0 && lost.size < rooms.length, `${lost.size} were there`);
  here.tell("die");
  await system.ended(here);
  const after = await Promise.all(rooms.map((each) => each.ask("visit", undefined, { timeoutMs: 30_000 })));
  after.forEach((visit, index) => {
    assert.is(visit.key, `room ${index}`);
    assert.is(visit.visits, lost.has(index) ? 1 : 2);
    assert.is.not(visit.pid, pid);
  });
  await system.close();
});

test("the host of a lost slot goes to the one that takes its place, and what is sent meanwhile waits", async () => {
  const { system, here } = await twoSlots();
  const kept = system.hosts.map(({ slot }) => slot);
  const pid = await here.ask("pid");
  process.kill(pid, "SIGKILL");
  await system.ended(here);
  const rooms = Array.from({ length: 40 }, (_, index) => system.entity(room, `room ${index}`));
  await Promise.all(rooms.map((each) => each.ask("visit", undefined, { timeoutMs: 30_000 })));
  assert.is(system.hosts.length, 2);
  assert.is(new Set(system.hosts.map(({ slot }) => slot)).size, 2, "hosts of one slot each");
  assert.is(system.hosts.filter(({ slot }) => kept.includes(slot)).length, 1, "a new slot");
  const pids = await Promise.all(Array.from({ length: 60 }, () => spawnResident(system).ask("pid")));
  assert.is(new Set(pids).size, 2);
  assert.not.ok(pids.includes(pid));
  await system.close();
});

test("a system that is closed while it waits for a slot ends at once", async () => {
  const { system, here } = await twoSlots();
  process.kill(await here.ask("pid"), "SIGKILL");
  await system.ended(here);
  const since = performance.now();
  await system.close();
  assert.ok(performance.now() - since < 5000, `${performance.now() - since} ms`);
});

test("names and topics whose home is lost are known again", async () => {
  const { system, here, there } = await twoSlots();
  // Some of them are at home in the slot that is lost.
  const names = Array.from({ length: 12 }, (_, index) => `name ${index}`);
  for (const name of names) system.spawn(resident, name, { name, place: { kind: "near", actor: there } });
  for (const topic of names) there.tell("listen", topic);
  await Promise.all(names.map((name) => eventually(async () => (await system.find(name)) !== undefined, name)));
  here.tell("die");
  await system.ended(here);
  await eventually(() => system.hosts.length === 2, "the other host");
  for (const name of names) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await eventually(async () => (await system.find(name)) !== undefined, name);
    system.publish(name, name);
  }
  await eventually(async () => (await there.ask("words")).length === names.length, "all that was published");
  assert.equal((await there.ask("words")).toSorted(), names.toSorted());
  await system.close();
});

test("children of a lost parent end, and those of one that lives are its own in other slots, too", async () => {
  const { system, here, there } = await twoSlots();
  const child = await here.ask("child", there);
  assert.is(await child.ask("pid"), await there.ask("pid"));
  const ended = system.ended(child);
  here.tell("die");
  assert.is((await ended).reason, "stopped");
  const parent = system.spawn(resident, undefined);
  const second = await parent.ask("child", there);
  const secondEnd = system.ended(second);
  parent.tell("stop");
  assert.is((await secondEnd).reason, "stopped");
  await system.close();
});

test("a failure in another slot is the parent's", async () => {
  const { system, here, there } = await twoSlots();
  here.tell("say", "before");
  const child = await here.ask("failingChild", there);
  const ended = system.ended(child);
  events.length = 0;
  child.tell("fail");
  assert.is((await ended).reason, "failed");
  // It was made anew.
  await eventually(async () => (await here.ask("words")).length === 0, "the parent's restart");
  const failures = events.flatMap((event) => (event.kind === "actor-failed" ? [event] : []));
  assert.ok(failures.some(({ error }) => error.message.includes("broken")));
  await system.close();
});

test("a lost slot is told with how many actors went with it, and what they did is still counted", async () => {
  const { system, here, there } = await twoSlots();
  await Promise.all(Array.from({ length: 6 }, () => spawnResident(system).ask("pid")));
  const before = await system.metrics();
  assert.is(before.actors, 8);
  events.length = 0;
  const more = system.spawn(resident, undefined, { place: { kind: "near", actor: here } });
  await more.ask("pid");
  process.kill(await here.ask("pid"), "SIGKILL");
  await system.ended(here);
  const losses = events.flatMap((event) => (event.kind === "slot-lost" ? [event] : []));
  assert.is(losses.length, 1);
  assert.is(losses[0]?.actors, 5);
  assert.match(losses[0]?.error.message ?? "", "was lost: its process was ended by SIGKILL");
  const after = await system.metrics();
  const watchers = 1;
  assert.is(after.actors, 4 + watchers);
  assert.is(after.spawned, before.spawned + 1 + watchers);
  assert.is(after.ended, before.ended + 5);
  assert.ok(after.handled >= before.handled, `${after.handled} after ${before.handled}`);
  await there.ask("pid");
  await system.close();
});

test("who gives no listener is told of a lost slot on standard error", async () => {
  const written: string[] = [];
  const { stderr } = process;
  const write = stderr.write.bind(stderr);
  stderr.write = (text: unknown) => written.push(String(text)) > 0;
  try {
    await using system = await spread.start(slots);
    const here = spawnResident(system);
    process.kill(await here.ask("pid"), "SIGKILL");
    await system.ended(here);
  } finally {
    stderr.write = write;
  }
  assert.match(written.join(""), /slot \S+ was lost: .*SIGKILL.* With it went 1 actor, and what was in its mailbox/su);
});

test("a system without a store ends with its slot, and says so", async () => {
  await using session = await local({ ...slots, store: "none" });
  const system = await spread.start({ on: session });
  const target = system.spawn(resident, undefined);
  const pid = await target.ask("pid");
  const refused = failure(() => target.ask("never", undefined, { timeoutMs: 30_000 }), "SESSION_CLOSED");
  process.kill(pid, "SIGKILL");
  await refused;
  await system.close();
});

test.run();
