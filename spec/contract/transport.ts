import { setImmediate as turn, setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import type { LinkMessage, Transport } from "../../lib/core/contracts/transport.ts";
import type { Payload } from "../../lib/core/payload.ts";
import { seededRandom } from "../../lib/core/seam/random.ts";
import type { Suite } from "../kit/suite.ts";

/** Ends that are connected with each other, in the order of the slots asked for. */
export interface ConnectedTransports {
  readonly ends: readonly Transport[];
  /** Called after all ends are closed. */
  readonly cleanup?: () => void | Promise<void>;
}

type Connect = (slots: readonly string[]) => ConnectedTransports | Promise<ConnectedTransports>;

const address = { execution: "run-spec", edge: 3, from: 1, to: 2, producer: 6, consumer: 7 };

/** A parcel whose payload's bytes follow from its seq. */
export function parcelOf(seq: number, bytes: number, format: Payload["format"] = "clone"): LinkMessage {
  return {
    ...address,
    kind: "parcel",
    seq,
    previous: seq - 1,
    payload: { format, rows: seq, bytes: bytesOf(seq, bytes) },
  };
}

export function bytesOf(seed: number, length: number): ArrayBuffer {
  const bytes = new Uint8Array(length);
  const random = seededRandom(seed);
  const words = new Uint32Array(bytes.buffer, 0, Math.floor(length / 4));
  for (let index = 0; index < words.length; index++) words[index] = random() * 2 ** 32;
  return bytes.buffer;
}

/** What goes downstream: a transport may carry it another way than the rest, and keeps the order of each way. */
function isBulk({ kind }: LinkMessage): boolean {
  return kind === "parcel" || kind === "end";
}

/** Adds to a suite what every transport must do. */
export function transportContract(test: Suite, connect: Connect, ways: "one" | "two" = "one"): void {
  const check = (
    sentence: string,
    slots: readonly string[],
    body: (ends: readonly Transport[]) => Promise<void>,
  ): void => {
    test(sentence, async () => {
      const { ends, cleanup } = await connect(slots);
      try {
        assert.equal(
          ends.map((end) => end.slot),
          slots,
        );
        await body(ends);
      } finally {
        await Promise.all(ends.map((end) => end.close()));
        await cleanup?.();
      }
    });
  };
  checkDelivery(check, ways);
  checkTopology(check);
  checkClosing(check);
}

type Check = (sentence: string, slots: readonly string[], body: (ends: readonly Transport[]) => Promise<void>) => void;

function checkDelivery(check: Check, ways: "one" | "two"): void {
  const byWay = (messages: readonly LinkMessage[]): readonly LinkMessage[] =>
    ways === "one" ? messages : [...messages.filter(isBulk), ...messages.filter((message) => !isBulk(message))];
  check("messages of all kinds arrive once, in order, and equal", ["a", "b"], async ([a, b]) => {
    const inbox = new Received(b);
    const sent = Array.from({ length: 3000 }, (_, index) => mixedMessage(index));
    for (const [index, message] of sent.entries()) {
      a?.send("b", message);
      if (index % 700 === 0) await turn();
    }
    const expected = Array.from({ length: 3000 }, (_, index) => mixedMessage(index));
    const received = await inbox.until(expected.length);
    assert.equal(byWay(received.map(({ message }) => message)).map(describe), byWay(expected).map(describe));
    assert.ok(received.every(({ from }) => from === "a"));
  });

  check("payloads of any size arrive with their bytes and format", ["a", "b"], async ([a, b]) => {
    const inbox = new Received(b);
    const sizes = [0, 1, 7, 8191, 8192, 8193, 65_536, 300_001, 0, 33 << 20, 5];
    const formats = ["columns", "clone", "batch"] as const;
    for (const [seq, size] of sizes.entries()) a?.send("b", parcelOf(seq, size, formats[seq % 3]));
    const received = await inbox.until(sizes.length);
    for (const [seq, size] of sizes.entries()) {
      const message = received[seq]?.message;
      assert.ok(message?.kind === "parcel");
      if (message?.kind !== "parcel") continue;
      assert.is(message.payload.format, formats[seq % 3]);
      assert.is(message.payload.rows, seq);
      assert.instance(message.payload.bytes, ArrayBuffer);
      assert.is(Buffer.compare(Buffer.from(message.payload.bytes), Buffer.from(bytesOf(seq, size))), 0);
    }
    assert.is(
      a?.bytesSent,
      sizes.reduce((sum, size) => sum + size, 0),
    );
    assert.is(b?.bytesSent, 0);
  });

  check("what came before anybody received is delivered then, in order", ["a", "b"], async ([a, b]) => {
    for (let seq = 0; seq < 50; seq++) a?.send("b", parcelOf(seq, 100));
    await wait(50);
    const inbox = new Received(b);
    for (let seq = 50; seq < 100; seq++) a?.send("b", parcelOf(seq, 100));
    const received = await inbox.until(100);
    assert.equal(
      received.map(({ message }) => seqOf(message)),
      Array.from({ length: 100 }, (_, seq) => seq),
    );
  });

  check("sending doesn't deliver at once", ["a", "b"], async ([a, b]) => {
    const inbox = new Received(b);
    a?.send("b", { ...address, kind: "cancel" });
    assert.is(inbox.count, 0);
    await inbox.until(1);
  });
}

function checkTopology(check: Check): void {
  check("both ends send at once", ["a", "b"], async ([a, b]) => {
    const atA = new Received(a);
    const atB = new Received(b);
    for (let seq = 0; seq < 400; seq++) {
      a?.send("b", parcelOf(seq, 10_000));
      b?.send("a", parcelOf(seq, 9000));
      if (seq % 50 === 0) await turn();
    }
    for (const inbox of [atA, atB]) assertInOrder(await inbox.until(400));
  });

  check("three ends all send to each other, and answer what they get", ["one", "two/2", "three é"], async (ends) => {
    const inboxes = ends.map((end) => new Received(end));
    ends.forEach((end, index) => {
      // Each parcel with an even seq is answered by the next one.
      inboxes[index]?.each((message, from) => {
        const seq = seqOf(message);
        if (seq % 2 === 0) end.send(from, parcelOf(seq + 1, 50));
      });
      for (const other of ends) {
        if (other !== end) for (let seq = 0; seq < 100; seq += 2) end.send(other.slot, parcelOf(seq, 300));
      }
    });
    for (const [index, inbox] of inboxes.entries()) {
      const received = await inbox.until(200);
      for (const other of ends) {
        if (other === ends[index]) continue;
        const seqs = received.filter(({ from }) => from === other.slot).map(({ message }) => seqOf(message));
        const even = seqs.filter((seq) => seq % 2 === 0);
        const odd = seqs.filter((seq) => seq % 2 === 1);
        assert.equal(
          even,
          Array.from({ length: 50 }, (_, at) => at * 2),
        );
        assert.equal(
          odd,
          Array.from({ length: 50 }, (_, at) => at * 2 + 1),
        );
      }
    }
  });
}

function checkClosing(check: Check): void {
  check("what was sent before closing arrives", ["a", "b"], async ([a, b]) => {
    const inbox = new Received(b);
    for (let seq = 0; seq < 20; seq++) a?.send("b", parcelOf(seq, 40_000));
    await a?.close();
    assertInOrder(await inbox.until(20));
  });

  check(
    "closing is quiet: twice, with messages under way, and while others still send",
    ["a", "b", "c"],
    async (ends) => {
      const [a, b, c] = ends;
      const inbox = new Received(b);
      const atC = new Received(c);
      for (let seq = 0; seq < 20; seq++) a?.send("b", parcelOf(seq, 1000));
      await inbox.until(20);
      await Promise.all([b?.close(), b?.close()]);
      const count = inbox.count;
      for (let seq = 20; seq < 40; seq++) {
        a?.send("b", parcelOf(seq, 1000));
        b?.send("a", parcelOf(seq, 1000));
        if (seq % 5 === 0) await wait(2);
      }
      a?.send("c", parcelOf(0, 10));
      await atC.until(1);
      await b?.close();
      assert.is(inbox.count, count);
    },
  );

  check("ends that never sent anything close", ["a", "b", "c"], () => Promise.resolve());
}

/** Gathers what an end receives. */
export class Received {
  readonly #received: { readonly message: LinkMessage; readonly from: string }[] = [];
  #each: (message: LinkMessage, from: string) => void = () => {};
  #arrived: () => void = () => {};

  constructor(end: Transport | undefined) {
    end?.receive((message, from) => {
      this.#received.push({ message, from });
      this.#each(message, from);
      this.#arrived();
    });
  }

  get count(): number {
    return this.#received.length;
  }

  each(handler: (message: LinkMessage, from: string) => void): void {
    this.#each = handler;
  }

  /** Waits for as many messages, and a moment longer for those that shouldn't come. */
  async until(count: number): Promise<readonly { readonly message: LinkMessage; readonly from: string }[]> {
    while (this.#received.length < count) await new Promise<void>((resolve) => (this.#arrived = resolve));
    await wait(5);
    assert.is(this.#received.length, count);
    return this.#received;
  }
}

export function assertInOrder(received: readonly { readonly message: LinkMessage }[]): void {
  assert.equal(
    received.map(({ message }) => seqOf(message)),
    received.map((_, seq) => seq),
  );
  for (const { message } of received) {
    if (message.kind !== "parcel") continue;
    const expected = bytesOf(message.seq, message.payload.bytes.byteLength);
    assert.is(Buffer.compare(Buffer.from(message.payload.bytes), Buffer.from(expected)), 0);
  }
}

function seqOf(message: LinkMessage): number {
  return message.kind === "parcel" ? message.seq : -1;
}

function mixedMessage(index: number): LinkMessage {
  const link = {
    execution: `run-${index % 3}`,
    edge: index % 7,
    from: index,
    to: index * 2,
    producer: 1,
    consumer: index,
  };
  switch (index % 4) {
    case 0:
      return { ...parcelOf(index, (index * 37) % 2000), ...link };
    case 1:
      return { ...link, kind: "end", previous: index - 2 };
    case 2:
      return { ...link, kind: "credit", objects: index * 1000, bytes: 2 ** 40 + index };
    default:
      return { ...link, kind: "cancel" };
  }
}

/** A message as plain data, in one order of properties. */
function describe(message: LinkMessage): unknown {
  const { execution, edge, from, to, kind } = message;
  const base = { execution, edge, from, to, kind };
  if (message.kind === "parcel") {
    const { seq, previous, payload } = message;
    const content = Buffer.from(payload.bytes).toString("base64");
    return { ...base, seq, previous, format: payload.format, rows: payload.rows, content };
  }
  if (message.kind === "end") return { ...base, previous: message.previous };
  return message.kind === "credit" ? { ...base, objects: message.objects, bytes: message.bytes } : base;
}
