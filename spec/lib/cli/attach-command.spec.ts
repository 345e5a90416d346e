// A system of actors in this process, and `qstream attach` in others.
import { connect } from "node:net";
import * as assert from "uvu/assert";
import { openDoors } from "../../../actors/transport/loopback-door.ts";
import { requestOf } from "../../../lib/cli/attach-command.ts";
import type { DistributedActors } from "../../../lib/index.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";
import spread, { resident, room } from "../actors/spread-kinds.ts";
import { qstream } from "./command.ts";

const test = suite("qstream attach");

const onEvent = (): void => {};
let opened: Promise<DistributedActors> | undefined;
const system = (): Promise<DistributedActors> =>
  (opened ??= spread.start({ slots: 2, isolation: "none", attachable: true, onEvent }));

test("it lists actors, shows one, tells and asks, and shows what nobody handled", async () => {
  const running = await system();
  running.spawn(resident, "hello", { name: "ann" });
  await running.entity(room, "blue").ask("visit");
  assert.ok((await running.find("ann")) !== undefined);
  const name = running.execution;
  const words = ["list resident", 'tell ann say "first"', "tell ann nonsense", "ask ann words", "ask room/blue visit"];
  const { code, stdout, stderr } = await qstream([
    "attach",
    name,
    ...[...words, "inspect ann", "dead-letters", "metrics"].flatMap((line) => ["--execute", line]),
  ]);
  assert.is(code, 0, stderr);
  assert.match(stdout, /ann +resident +slot-\d +idle +0 +1 +0/u);
  assert.match(stdout, /sent\nsent\n\[\n {2}"first"\n\]/u);
  assert.match(stdout, '"visits": 2');
  assert.match(stdout, "state { word: 'hello', words: [ 'first' ] }");
  assert.match(stdout, /ann +nonsense +no-handler/u);
  assert.match(stdout, '"deadLetters": 1');
  const json = await qstream(["attach", name, "--json", "--execute", "list room"]);
  const [listed] = JSON.parse(json.stdout) as [{ readonly actor: string; readonly handled: number }];
  assert.is(listed.actor, "room/blue");
});

test("what can't be done is said, and is exit code 1; words that make no sense are 2", async () => {
  const { execution } = await system();
  const [unknown, refused, nobody, wrong] = await Promise.all([
    qstream(["attach", execution, "--execute", "ask nobody words"]),
    qstream(["attach", execution, "--execute", "ask room/red nonsense"]),
    qstream(["attach", "nobody", "--execute", "list"]),
    qstream(["attach", execution, "--execute", "ask ann words {"]),
  ]);
  assert.equal([unknown.code, refused.code, nobody.code, wrong.code], [1, 1, 1, 2]);
  assert.match(unknown.stderr, 'no actor is called "nobody"');
  assert.match(refused.stderr, "MESSAGE_UNHANDLED");
  assert.match(nobody.stderr, "attachable: true");
  assert.match(wrong.stderr, "isn't JSON");
});

test("kinds and slots that there aren't are told with what there is", async () => {
  const { execution } = await system();
  const wrong = {
    "list residnt": 'no kind is called "residnt" Did you mean "resident"?',
    "list on slot-9": 'no slot is called "slot-9"',
    "ask rom/blue visit": 'no actor is called "rom/blue" Did you mean the kind "room"?',
  };
  for (const [line, words] of Object.entries(wrong)) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { code, stdout, stderr } = await qstream(["attach", execution, "--execute", line]);
    assert.equal([code, stdout], [1, ""], line);
    assert.match(stderr.replace(/[.\s]+/gu, " "), words);
  }
  const { code, stdout } = await qstream(["attach", execution, "--execute", 'ask "room/green tea" visit']);
  assert.is(code, 0, stdout);
  const shown = await qstream(["attach", execution, "--execute", 'inspect "room/green tea"']);
  assert.match(shown.stdout, "state { key: 'green tea', visits: 1 }");
});

test("while a slot is kept from its events, the others are shown, and it is said", async () => {
  await using spinning = await spread.start({ slots: 2, turnMs: 60_000, attachable: true, onEvent });
  const kept = [0, 1, 2, 3].map((number) => spinning.spawn(resident, "hello", { name: `t${number}` }));
  await Promise.all(kept.map((each) => each.ask("words")));
  const places = new Map((await spinning.list()).map(({ label, slot }) => [label, slot]));
  const stuck = places.get("t0") ?? "";
  kept[0]?.tell("spin", 8000);
  const others = [...places].flatMap(([label, slot]) => (slot === stuck ? [] : [label]));
  assert.ok(others.length > 0);
  const lines = ["list", ...others.map((label) => `inspect ${label}`)];
  const words = lines.flatMap((line) => ["--execute", line]);
  const shown = await qstream(["attach", spinning.execution, ...words]);
  assert.is(shown.code, 0, shown.stderr);
  assert.match(shown.stderr, `${stuck} doesn't answer`);
  for (const label of others) assert.match(shown.stdout, new RegExp(`^${label} \\(resident\\), idle`, "mu"));
  const hidden = await qstream(["attach", spinning.execution, "--execute", "inspect t0"]);
  assert.is(hidden.code, 1);
  assert.match(hidden.stderr, `${stuck} doesn't answer`);
});

test("who doesn't know the token is hung up on", async () => {
  const { execution } = await system();
  const place = openDoors().find(({ name }) => name === execution);
  assert.ok(place !== undefined);
  for (const said of ['{"id":1,"token":"wrong","request":{"kind":"list"}}\n', "no JSON\n", "x".repeat(3 << 20)]) {
    const socket = connect({ host: "127.0.0.1", port: place.port });
    let heard = "";
    socket.on("data", (data) => (heard += String(data))).on("error", () => {});
    socket.write(said);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await new Promise((resolve) => socket.once("close", resolve));
    assert.is(heard, "");
  }
});

test("lines are read as people write them", () => {
  assert.equal(requestOf("list"), { kind: "list" });
  assert.equal(requestOf(" list account on slot-1"), { kind: "list", of: "account", slot: "slot-1" });
  assert.equal(requestOf("list on slot-1"), { kind: "list", slot: "slot-1" });
  assert.equal(requestOf('tell ann add {"a": 1}'), { kind: "tell", actor: "ann", message: "add", payload: { a: 1 } });
  assert.equal(requestOf('ask "the counter" get'), { kind: "ask", actor: "the counter", message: "get" });
  assert.equal(requestOf("inspect account/ann b"), { kind: "inspect", actor: "account/ann b" });
  assert.equal(requestOf('inspect "with blank"'), { kind: "inspect", actor: "with blank" });
  assert.equal(requestOf('list "my kind" on slot-1'), { kind: "list", of: "my kind", slot: "slot-1" });
  for (const line of ["list my kind", 'inspect "half', 'inspect "a" b']) {
    assert.throws(() => requestOf(line), /can't be understood/u, line);
  }
});

test("a system that is closed can't be looked at", async () => {
  const running = await system();
  await running.close();
  assert.not(openDoors().some(({ name }) => name === running.execution));
  await failure(() => running.find("ann"), "SESSION_CLOSED").catch(() => {});
});

test.run();
