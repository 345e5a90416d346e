// What who started a system on slots sees of it, and what is left of one that was closed or didn't start.
import { getEventListeners } from "node:events";
import { writeFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { actor, local, type ExecutionEvent } from "../../../lib/index.ts";
import { suite } from "../../kit/suite.ts";
import spread, { resident } from "./spread-kinds.ts";

const test = suite("systems of actors on slots, from outside");

/** Of this file alone: it stays in the thread that starts it. */
const notes = actor({
  kind: "notes",
  init: (line: string) => ({ lines: [line] }),
  receive: {
    add({ lines }, line: string) {
      lines.push(line);
    },
  },
});

test("actors of the thread that started the system are listed, counted and shown like all others", async () => {
  await using system = await spread.start({ slots: 2, isolation: "none" });
  const [own, other] = [system.spawn(notes, "bread"), system.spawn(resident, "hello")];
  own.tell("add", "butter");
  await other.ask("words");
  const listed = await system.list();
  assert.equal(listed.map(({ kind }) => kind).toSorted(), ["notes", "resident"]);
  assert.is(listed.find(({ kind }) => kind === "notes")?.slot, "client");
  assert.match((await system.inspect(own)) ?? "", /notes.*bread.*butter/su);
  assert.match((await system.inspect(other)) ?? "", /resident.*hello/su);
  const { actors, spawned } = await system.metrics();
  assert.equal([actors, spawned], [2, 2]);
  // Who watches for others isn't anybody's.
  const ended = system.ended(own);
  system.stop(own);
  await ended;
  assert.equal(
    (await system.list()).map(({ kind }) => kind),
    ["resident"],
  );
  assert.is(await system.inspect(own), undefined);
});

test("several wait for one end, and each is told once", async () => {
  await using system = await spread.start({ slots: 2, isolation: "none" });
  const [first, second] = [system.spawn(resident, "1"), system.spawn(resident, "2")];
  const ends = [system.ended(first), system.ended(second), system.ended(first)];
  await second.ask("words");
  system.stop(first);
  assert.equal(
    (await Promise.all([ends[0], ends[2]])).map((end) => [end?.actor.equals(first), end?.reason]),
    [
      [true, "stopped"],
      [true, "stopped"],
    ],
  );
  system.stop(second);
  assert.is((await ends[1])?.actor.equals(second), true);
  assert.is((await system.ended(first)).reason, "stopped");
});

test("a system that is closed leaves nothing at the signal that could have stopped it", async () => {
  await using session = await local({ slots: 1, isolation: "none" });
  const stop = new AbortController();
  for (let times = 0; times < 3; times++) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const system = await spread.start({ on: session, signal: stop.signal });
    await system.close(); // oxlint-disable-line no-await-in-loop -- see above
  }
  assert.is(getEventListeners(stop.signal, "abort").length, 0);
});

test("a system that others can't be let look at isn't left running", async () => {
  const folder = mkdtempSync(join(tmpdir(), "qstream-spec-"));
  const { TMPDIR: before } = process.env;
  const events: ExecutionEvent["kind"][] = [];
  await using session = await local({ slots: 1, isolation: "none" });
  // A file, where the folder of doors should be.
  writeFileSync(join(folder, "file"), "");
  process.env["TMPDIR"] = join(folder, "file");
  try {
    const options = {
      on: session,
      attachable: true,
      onExecution: ({ kind }: ExecutionEvent) => void (kind === "progress" || events.push(kind)),
    };
    const error = await spread.start(options).catch((thrown: unknown) => thrown);
    assert.match(String(error), "ENOTDIR");
  } finally {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
    rmSync(folder, { recursive: true });
  }
  for (let turns = 0; turns < 200 && !events.includes("failed"); turns++)
    await new Promise((resolve) => setImmediate(resolve)); // oxlint-disable-line no-await-in-loop -- until it has ended
  assert.equal(events, ["placed", "started", "failed"]);
});

test.run();
