import { EventEmitter } from "node:events";
import * as assert from "uvu/assert";
import type { Connection } from "../../../../actors/transport/wire/lane.ts";
import { Peer, type Way } from "../../../../actors/transport/wire/peer.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("machines from which nothing comes back");
const staleMs = 1000;
const beatMs = 250;

/** A connection with a machine, and how many bytes came of it. */
function connect(peer: Peer, way: Way, now: number): { bytesRead: number; end: () => void } {
  const stream = { bytesRead: 0, cork: () => {}, uncork: () => {} };
  const socket = Object.assign(new EventEmitter(), {
    readyState: 1,
    OPEN: 1,
    bufferedAmount: 0,
    send: () => {},
    terminate: () => void socket.emit("close"),
  });
  const connection = { socket, stream } as unknown as Connection;
  peer.open(way, way === "control", connection, now, () => {});
  peer.sending[way].attach(connection, peer.sending[way].acknowledgedThrough);
  return Object.assign(stream, { end: () => void socket.emit("close") });
}

const one = { kind: "tell", content: { kind: "one" } } as const;

test("one that acknowledges what it is sent, or to which nothing is sent, isn't one", () => {
  const peer = new Peer("other", "ws://other:1", true, 0);
  for (let now = beatMs; now <= 20_000; now += beatMs) {
    if (now > 10_000) {
      peer.sending.control.send(one);
      peer.sending.control.acknowledged(peer.sending.control.last - 1);
    }
    peer.beat(now, staleMs, false);
    assert.ok(peer.stuckMs(now) <= beatMs, `${peer.stuckMs(now)} ms after ${now} ms`);
  }
});

for (const way of ["control", "data"] as const) {
  test(`what waits for a connection for ${way} that doesn't come to be does, whatever comes on the other way`, () => {
    const peer = new Peer("other", "ws://other:1", true, 0);
    const other = connect(peer, way === "control" ? "data" : "control", 0);
    peer.sending[way].send(one);
    for (let now = beatMs; now <= 5000; now += beatMs) {
      other.bytesRead++;
      peer.beat(now, staleMs, false);
    }
    assert.ok(peer.stuckMs(5000) >= 5000 - beatMs);
    // A process that didn't run can't know.
    peer.beat(9000, staleMs, true);
    assert.is(peer.stuckMs(9000), 0);
  });
}

test("a message that takes long over a connection from which signs of life come isn't stuck", () => {
  const peer = new Peer("other", "ws://other:1", true, 0);
  const connection = connect(peer, "data", 0);
  peer.sending.data.send(one);
  for (let now = beatMs; now <= 20_000; now += beatMs) {
    connection.bytesRead++;
    peer.beat(now, staleMs, false);
    assert.ok(peer.stuckMs(now) < 1.5 * staleMs, `${peer.stuckMs(now)} ms after ${now} ms`);
  }
});

test("connections that begin again and again, and bring no message to the other end, are", () => {
  const peer = new Peer("other", "ws://other:1", true, 0);
  peer.sending.data.send(one);
  let connection = connect(peer, "data", 0);
  for (let now = beatMs; now <= 20_000; now += beatMs) {
    connection.bytesRead++;
    peer.beat(now, staleMs, false);
    // The other end hears nothing for so long, and hangs up.
    if (now % (staleMs + beatMs) === 0) {
      connection.end();
      connection = connect(peer, "data", now);
    }
  }
  assert.ok(peer.stuckMs(20_000) >= 19_000, `${peer.stuckMs(20_000)} ms`);
});

test.run();
