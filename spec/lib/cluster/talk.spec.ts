import { EventEmitter } from "node:events";
import type { WebSocket } from "ws";
import * as assert from "uvu/assert";
import { dial } from "../../../actors/transport/wire/dial.ts";
import { WireServer } from "../../../actors/transport/wire/server.ts";
import { Talk } from "../../../lib/cluster/talk.ts";
import type { Clock } from "../../../lib/core/seam/clock.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("talks");

interface Message {
  readonly kind: string;
  readonly text?: string;
}

const [token, readToken] = ["0123456789abcdef-all", "0123456789abcdef-read"];

/** The end of a talk at which people connect, and what is heard there. */
class Listener {
  readonly heard: string[] = [];
  readonly #server: WireServer;

  private constructor(server: WireServer) {
    this.#server = server;
  }

  static async open(): Promise<Listener> {
    const opened: { listener?: Listener } = {};
    const hear = (text: string): void => void opened.listener?.heard.push(text);
    const server = await WireServer.open({
      bind: { host: "127.0.0.1", port: 0 },
      security: { token, readToken, tls: undefined },
      admit: () => ({
        admitted: true,
        headers: {},
        connected: ({ socket, rights }) => {
          const talk: Talk<Message, Message> = new Talk(socket, 5000, {
            told: ({ kind }) => (hear(kind), talk.tell({ kind: "answer" })),
            unread: rights === "all" ? undefined : () => (hear("unread"), talk.tell({ kind: "answer" })),
            ended: () => hear("ended"),
          });
        },
      }),
    });
    return (opened.listener = new Listener(server));
  }

  /** A talk with it, and a way to wait for its next answer, or for the end. */
  async connect(
    shown: string,
  ): Promise<{ talk: Talk<Message, Message>; next: () => Promise<string>; send: (text: string) => void }> {
    const { socket } = await dial(`ws://127.0.0.1:${this.#server.port}/`, {}, { token: shown, tls: undefined });
    let answer: (kind: string) => void = () => {};
    const talk: Talk<Message, Message> = new Talk(socket, 5000, {
      told: ({ kind }) => answer(kind),
      ended: () => answer("ended"),
    });
    const next = (): Promise<string> => new Promise((resolve) => (answer = resolve));
    return { talk, next, send: (text) => socket.send(text) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.close();
  }
}

test("who has the token tells structured clone and JSON; of who may only look, structured clone isn't read", async () => {
  await using listener = await Listener.open();
  for (const [shown, expected] of [
    [token, ["clone", "json"]],
    [readToken, ["unread", "json"]],
  ] as const) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { talk, next } = await listener.connect(shown);
    talk.tell({ kind: "clone" });
    // oxlint-disable-next-line no-await-in-loop -- see above
    assert.is(await next(), "answer");
    talk.tellPlainly({ kind: "json" });
    // oxlint-disable-next-line no-await-in-loop -- see above
    assert.is(await next(), "answer");
    assert.equal(listener.heard.splice(0), expected);
    assert.is(talk.isOver, false);
    talk.close();
    // oxlint-disable-next-line no-await-in-loop -- see above
    assert.is(await next(), "ended");
    assert.is(talk.isOver, true);
    listener.heard.length = 0;
  }
});

test("what is no message ends the connection", async () => {
  await using listener = await Listener.open();
  for (const shown of [token, readToken]) {
    for (const text of ["nonsense", "", "[]", '"list"', "null", '{"kind":1}', "{}"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { next, send } = await listener.connect(shown);
      send(text);
      // oxlint-disable-next-line no-await-in-loop -- see above
      assert.is(await next(), "ended", text);
    }
  }
  assert.ok(
    listener.heard.every((heard) => heard === "ended"),
    listener.heard.join(),
  );
});

test("silence ends a connection, but for a large message that is on its way, either way", () => {
  let now = 0;
  let beat = (): void => {};
  const clock = {
    monotonic: () => now,
    after: (_: number, callback: () => void) => ((beat = callback), () => {}),
  } as unknown as Clock;
  const stream = { bytesRead: 0 };
  const socket = Object.assign(new EventEmitter(), {
    readyState: 1,
    OPEN: 1,
    bufferedAmount: 1000,
    isTerminated: false,
    ping: () => {},
    resume: () => {},
    terminate: () => void (socket.isTerminated = true),
  });
  void new Talk(socket as unknown as WebSocket, 1000, { told: () => {}, ended: () => {}, stream, clock });
  const pass = (ms: number, change: () => void = () => {}): boolean => {
    for (const until = now + ms; now < until && !socket.isTerminated;) {
      now += 250;
      change();
      beat();
    }
    return !socket.isTerminated;
  };
  assert.ok(pass(1000));
  assert.ok(pass(3000, () => socket.bufferedAmount--));
  assert.ok(pass(3000, () => stream.bytesRead++));
  // This process stood still.
  now += 5000;
  assert.ok(pass(1000));
  assert.not.ok(pass(1000));
});

test.run();
