import * as assert from "uvu/assert";
import { WebSocket } from "ws";
import { helloHeaders } from "../../../../actors/transport/wire/wire-hello.ts";
import { encodeWireMessage } from "../../../../actors/transport/wire/wire-message.ts";
import { suite } from "../../../kit/suite.ts";
import { readNonsense, readSealedNonsense } from "./nonsense.ts";
import { openWire, token, until } from "./wires.ts";

const test = suite("nonsense on the wire");

test("20,000 damaged messages are refused, each for a reason", () => {
  const refusals = readNonsense(20_000, 7);
  assert.is(refusals.total, 20_000);
  for (const reason of ["message", "frame", "tell"] as const) assert.ok(refusals.of(reason) > 100, reason);
});

test("20,000 damaged messages whose checksums are right are refused, or are messages", () => {
  const read = readSealedNonsense(20_000, 7);
  assert.ok(read > 1000 && read < 19_000, `${read} read`);
});

test("who sends nonsense is hung up on and has to wait, and is given up when it goes on", async () => {
  const a = await openWire("A");
  a.wire.meet("B", "ws://127.0.0.1:9");
  const headers = {
    authorization: `Bearer ${token}`,
    ...helloHeaders({ from: "B", to: "A", url: "ws://127.0.0.1:9", received: 0 }),
  };
  const gap = encodeWireMessage(99, { kind: "dial" })[0];
  const sent = [Buffer.from("nonsense"), "text", gap, Buffer.alloc(0)];
  for (let turn = 0; a.givenUp.length === 0 && turn < 2000; turn++) {
    const socket = new WebSocket(`${a.wire.url}/wire/control`, { headers });
    socket.on("error", () => {});
    socket.once("open", () => socket.send(sent[turn % sent.length] ?? ""));
    await until(() => socket.readyState === socket.CLOSED);
  }
  assert.match(a.givenUp[0] ?? "", /can't be read/u);
  const { message = 0, protocol = 0, number = 0 } = a.wire.refusals;
  assert.is(message + protocol + number, 8);
  assert.ok((a.wire.refusals["too-soon"] ?? 0) > 0);
  assert.equal([a.links, a.told], [[], []]);
  await a.wire.close();
}, 15_000);

test("a word that breaks what takes it ends no process: whoever told it is broken with", async () => {
  const a = await openWire("A", {
    told: () => {
      throw new TypeError("it isn't there");
    },
  });
  const b = await openWire("B");
  b.wire.meet("A", a.wire.url);
  b.wire.tell("A", { kind: "anything" });
  await until(() => a.givenUp.length > 0 && b.givenUp.length > 0);
  assert.is(a.wire.refusals.taking, 1);
  await Promise.all([a.wire.close(), b.wire.close()]);
});

test("without the token, from a page, or by one who may only look, nothing is opened", async () => {
  const readToken = "a-token-to-look-with";
  const a = await openWire("A", { security: { token, readToken, tls: undefined } });
  const hello = helloHeaders({ from: "B", to: "A", url: "ws://127.0.0.1:9", received: 0 });
  const refused: Readonly<Record<string, string>>[] = [
    hello,
    { ...hello, authorization: "Bearer another-token-than-it-is" },
    { ...hello, authorization: `Bearer ${readToken}` },
    { ...hello, authorization: `Bearer ${token}`, origin: "http://page.example" },
    { ...hello, authorization: `Bearer ${token}`, "x-qstream-version": "0" },
  ];
  const statuses: number[] = [];
  for (const headers of refused) {
    const socket = new WebSocket(`${a.wire.url}/wire/control`, { headers });
    socket.on("error", () => {});
    socket.on("unexpected-response", (_, response) => {
      statuses.push(response.statusCode ?? 0);
      response.resume();
      socket.terminate();
    });
    await until(() => socket.readyState === socket.CLOSED);
  }
  assert.equal(statuses, [401, 401, 403, 401, 400]);
  await a.wire.close();
});

test.run();
