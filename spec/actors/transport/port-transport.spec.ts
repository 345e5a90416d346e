import { once } from "node:events";
import { setImmediate as turn, setTimeout as wait } from "node:timers/promises";
import { isMainThread, MessageChannel, Worker, workerData, type MessagePort } from "node:worker_threads";
import * as assert from "uvu/assert";
import { PortTransport } from "../../../actors/transport/port-transport.ts";
import { assertInOrder, parcelOf, Received, transportContract } from "../../contract/transport.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("port transport");

function connect(slots: readonly string[]): PortTransport[] {
  const ends = slots.map((slot) => new PortTransport(slot));
  ends.forEach((first, index) => {
    for (const second of ends.slice(index + 1)) {
      const { port1, port2 } = new MessageChannel();
      first.addPort(second.slot, port1);
      second.addPort(first.slot, port2);
    }
  });
  return ends;
}

transportContract(test, (slots) => ({ ends: connect(slots) }));

function startEcho(port: MessagePort): Worker {
  return new Worker(new URL(import.meta.url), { workerData: { port }, transferList: [port] });
}

test("threads exchange parcels, and closing here ends the thread that has nothing else", async () => {
  const { port1, port2 } = new MessageChannel();
  const worker = startEcho(port2);
  const end = new PortTransport("main", new Map([["worker", port1]]));
  const inbox = new Received(end);
  const parcels = Array.from({ length: 300 }, (_, seq) => parcelOf(seq, seq * 100));
  for (const parcel of parcels) end.send("worker", parcel);
  assertInOrder(await inbox.until(300));
  // The payloads were given away, not copied.
  assert.ok(parcels.every((parcel) => parcel.kind !== "parcel" || parcel.payload.bytes.byteLength === 0));
  const exited = once(worker, "exit");
  await end.close();
  await exited;
});

test("sending to a thread that ended is counted, and closing still works", async () => {
  const { port1, port2 } = new MessageChannel();
  const worker = startEcho(port2);
  const end = new PortTransport("main", new Map([["worker", port1]]));
  const inbox = new Received(end);
  end.send("worker", parcelOf(0, 10));
  await inbox.until(1);
  await worker.terminate();
  await wait(20);
  for (let seq = 1; seq <= 3; seq++) end.send("worker", parcelOf(seq, 10));
  assert.is(end.messagesUndelivered, 3);
  await end.close();
});

test("parcels that keep coming are posted together; other messages wait for no parcels", async () => {
  const { port1, port2 } = new MessageChannel();
  const end = new PortTransport("main", new Map([["other", port1]]));
  const posts: string[][] = [];
  const post = port1.postMessage.bind(port1);
  port1.postMessage = (messages: readonly { readonly kind: string }[], transfer) => {
    posts.push(messages.map(({ kind }) => kind));
    post(messages, transfer as never);
  };
  const parcels = 200;
  for (let seq = 0; seq < parcels; seq++) {
    end.send("other", parcelOf(seq, 10));
    await turn();
  }
  while (posts.flat().length < parcels) await turn();
  assert.ok(posts.length < parcels, `${posts.length} posts`);
  end.send("other", parcelOf(parcels, 10));
  const { execution, edge, from, to, producer, consumer } = parcelOf(0, 0);
  end.send("other", { execution, edge, from, to, producer, consumer, kind: "credit", objects: 1, bytes: 1 });
  await turn();
  await turn();
  assert.equal(posts.at(-1), ["parcel", "credit"]);
  await end.close();
  port2.close();
});

test("a slot without a port is a defect that is named", async () => {
  const [a] = connect(["a", "b"]);
  assert.throws(() => a?.send("z", parcelOf(0, 1)), /slot a has no port to slot z/u);
  await a?.close();
});

test("a message that can't be read is reported", async () => {
  const { port1, port2 } = new MessageChannel();
  const failures: string[] = [];
  const end = new PortTransport("main", new Map([["other", port1]]), {
    failed: (slot, error) => void failures.push(`${slot}: ${error.message}`),
  });
  port1.emit("messageerror", new Error("out of memory"));
  assert.is(failures.length, 1);
  assert.match(failures[0] ?? "", /^other: a message from slot other to slot main can't be read/u);
  await end.close();
  port2.close();
});

if (isMainThread) {
  test.run();
} else {
  const { port } = workerData as { readonly port?: MessagePort };
  if (port !== undefined) {
    const end = new PortTransport("worker", new Map([["main", port]]));
    end.receive((message, from) => end.send(from, message));
  }
}
