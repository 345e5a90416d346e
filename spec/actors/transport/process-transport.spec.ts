import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { encodeHello } from "../../../actors/transport/hello.ts";
import { ProcessTransport } from "../../../actors/transport/process-transport.ts";
import type { QStreamError } from "../../../lib/core/errors.ts";
import { assertInOrder, parcelOf, Received, transportContract } from "../../contract/transport.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("process transport");
const token = "a token of this spec";
const onPosix = process.platform !== "win32";

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "qstream-spec-"));
  try {
    await body(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

transportContract(test, async (slots) => {
  const folder = await mkdtemp(join(tmpdir(), "qstream-spec-"));
  const lost: string[] = [];
  const peerLost = (slot: string): void => void lost.push(slot);
  const ends = await Promise.all(slots.map((slot) => ProcessTransport.open({ slot, folder, token, peerLost })));
  return {
    ends,
    cleanup: async () => {
      assert.equal(lost, []);
      if (onPosix) assert.equal(readdirSync(folder), []);
      await rm(folder, { recursive: true, force: true });
    },
  };
});

function startEcho(folder: string): ChildProcess {
  const env = { ...process.env, QSTREAM_SLOT: "child", ECHO_FOLDER: folder };
  return fork(fileURLToPath(import.meta.url), [], { env });
}

test("a child process answers, and closes in order", () =>
  inFolder(async (folder) => {
    const lost: string[] = [];
    const peerLost = (slot: string): void => void lost.push(slot);
    const end = await ProcessTransport.open({ slot: "parent", folder, token, peerLost });
    const child = startEcho(folder);
    await once(child, "message");
    const inbox = new Received(end);
    for (let seq = 0; seq < 300; seq++) end.send("child", parcelOf(seq, seq * 500));
    assertInOrder(await inbox.until(300));
    child.send("close");
    const [code] = (await once(child, "exit")) as [number];
    assert.is(code, 0);
    await end.close();
    assert.equal(lost, []);
  }));

test("a child process that is killed is reported lost, once, and what is sent to it is counted", () =>
  inFolder(async (folder) => {
    const lost: QStreamError[] = [];
    const peerLost = (_slot: string, error: QStreamError): void => void lost.push(error);
    const end = await ProcessTransport.open({ slot: "parent", folder, token, peerLost });
    const child = startEcho(folder);
    await once(child, "message");
    const inbox = new Received(end);
    end.send("child", parcelOf(0, 10));
    await inbox.until(1);
    child.kill("SIGKILL");
    await once(child, "exit");
    while (lost.length === 0) await wait(2);
    end.send("child", parcelOf(1, 10));
    await wait(10);
    assert.is(lost.length, 1);
    assert.is(lost[0]?.code, "SLOT_LOST");
    assert.match(lost[0]?.message ?? "", /slot parent with slot child broke/u);
    assert.is(end.messagesUndelivered, 1);
    await end.close();
  }));

test("a slot that isn't there is lost at the first message", () =>
  inFolder(async (folder) => {
    const lost: string[] = [];
    const peerLost = (slot: string): void => void lost.push(slot);
    const end = await ProcessTransport.open({ slot: "a", folder, token, peerLost });
    end.send("nobody", parcelOf(0, 10));
    while (lost.length === 0) await wait(2);
    assert.equal(lost, ["nobody"]);
    await end.close();
  }));

test("the folder and the socket are this user's only", () =>
  inFolder(async (folder) => {
    if (!onPosix) return;
    const end = await ProcessTransport.open({ slot: "a", folder, token });
    assert.is(statSync(folder).mode & 0o777, 0o700);
    assert.ok(existsSync(join(folder, "a.sock")));
    await end.close();
    assert.not(existsSync(join(folder, "a.sock")));
  }));

async function dial(folder: string, ...pieces: readonly Uint8Array[]): Promise<Socket> {
  const socket = connect(join(folder, "a.sock"));
  socket.on("error", () => {});
  await once(socket, "connect");
  for (const piece of pieces) {
    socket.write(piece);
    await wait(2);
  }
  return socket;
}

test("who doesn't know the token, or doesn't say hello, is shut out", () =>
  inFolder(async (folder) => {
    if (!onPosix) return;
    const lost: string[] = [];
    const peerLost = (slot: string): void => void lost.push(slot);
    const end = await ProcessTransport.open({ slot: "a", folder, token, peerLost });
    const inbox = new Received(end);
    const wrong = encodeHello({ slot: "b", token: "another token......." });
    const tooLong = Buffer.from(encodeHello({ slot: "b", token }));
    tooLong.writeUInt16LE(65_535, 8);
    for (const first of [wrong, tooLong, Buffer.from("GET / HTTP/1.1\r\n\r\n"), encodeHello({ slot: "a", token })]) {
      const socket = await dial(folder, first);
      if (!socket.destroyed) await once(socket, "close");
    }
    assert.equal(lost, []);
    assert.is(inbox.count, 0);
    await end.close();
  }));

test("a hello may come in pieces, a second one in the same name is refused, and no frames is a loss", () =>
  inFolder(async (folder) => {
    if (!onPosix) return;
    const lost: QStreamError[] = [];
    const peerLost = (_slot: string, error: QStreamError): void => void lost.push(error);
    const end = await ProcessTransport.open({ slot: "a", folder, token, peerLost });
    const hello = encodeHello({ slot: "b", token });
    const first = await dial(folder, hello.subarray(0, 3), hello.subarray(3, 20), hello.subarray(20));
    const second = await dial(folder, hello);
    if (!second.destroyed) await once(second, "close");
    assert.is(lost.length, 0);
    first.write(Buffer.alloc(100, 1));
    await once(first, "close");
    assert.is(lost.length, 1);
    assert.is((lost[0]?.cause as QStreamError | undefined)?.code, "FRAME_INVALID");
    await end.close();
  }));

test("a receiver that stops reading holds nobody up for longer than the grace", () =>
  inFolder(async (folder) => {
    if (!onPosix) return;
    const end = await ProcessTransport.open({ slot: "a", folder, token });
    const socket = await dial(folder, encodeHello({ slot: "b", token }));
    socket.pause();
    const started = performance.now();
    await end.close();
    assert.ok(performance.now() - started < 2000);
    socket.destroy();
  }));

test("a path that is too long for a socket is refused with advice", async () => {
  if (!onPosix) return;
  try {
    await ProcessTransport.open({ slot: "a", folder: join(tmpdir(), "x".repeat(120)), token });
    assert.unreachable();
  } catch (error) {
    assert.is((error as QStreamError).code, "OPTION_INVALID");
    assert.match((error as QStreamError).message, /TMPDIR/u);
  }
});

const echoFolder = process.env["ECHO_FOLDER"];
if (echoFolder === undefined) {
  test.run();
} else {
  const end = await ProcessTransport.open({ slot: "child", folder: echoFolder, token });
  end.receive((message, from) => end.send(from, message));
  process.on("message", () => void end.close().then(() => process.disconnect()));
  process.send?.("ready");
}
