import { once } from "node:events";
import { createServer } from "node:https";
import { createServer as createTcpServer, type AddressInfo } from "node:net";
import { inspect } from "node:util";
import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { WebSocketServer, type WebSocket } from "ws";
import type { Reader, Run } from "../../lib/core/contracts/reader.ts";
import { testContext } from "../../lib/testing/test-context.ts";
import { webSocket } from "../../readers/web-socket.ts";
import { readAll, splitsOf } from "../contract/reader.ts";
import { failure } from "../kit/failure.ts";
import { suite } from "../kit/suite.ts";
import { certificate, privateKey } from "./certificate.ts";

const test = suite("web socket reader");

interface Serving {
  readonly url: string;
  readonly server: WebSocketServer;
}

/** Runs a body with a server on the loopback; each connection is handed over with its number, from 0. */
async function serving(
  connected: (socket: WebSocket, number: number, headers: Readonly<Record<string, unknown>>) => void,
  body: (serving: Serving) => Promise<void>,
): Promise<void> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  let count = 0;
  server.on("connection", (socket, request) => {
    socket.on("error", () => {});
    connected(socket, count++, { ...request.headers, url: request.url });
  });
  try {
    await body({ server, url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` });
  } finally {
    for (const socket of server.clients) socket.terminate();
    server.close();
  }
}

/** A server that sends messages and closes. */
const sending =
  (messages: readonly (string | Uint8Array)[], code = 1000) =>
  (socket: WebSocket): void => {
    for (const message of messages) socket.send(message);
    socket.close(code);
  };

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

test("says what it is: one connection, which can't be read again", async () => {
  const reader = webSocket("ws://host/path");
  assert.is(reader.replayable, false);
  assert.ok(reader.endless);
  assert.is(reader.parallelism, "single");
  assert.equal(await splitsOf(reader, undefined, 5), [{ connection: 0 }]);
});

test("gives any messages in their order, as text, JSON or bytes", async () => {
  const property = fc.asyncProperty(fc.array(fc.jsonValue(), { maxLength: 30 }), async (values) => {
    const texts = values.map((value) => JSON.stringify(value));
    await serving(sending(texts), async ({ url }) => {
      assert.equal((await readAll(webSocket(url))).objects, texts);
      assert.equal(
        (await readAll(webSocket(url, { as: "json" }))).objects,
        texts.map((text) => JSON.parse(text) as unknown),
      );
      const bytes = (await readAll(webSocket(url, { as: "bytes" }))).objects as Uint8Array[];
      assert.equal(
        bytes.map((each) => Buffer.from(each).toString()),
        texts,
      );
    });
  });
  await fc.assert(property, { numRuns: 20 });
});

test("a message that isn't as it should be is BAD_INPUT", async () => {
  await serving(sending(["{"]), async ({ url }) => {
    assert.match((await failure(() => readAll(webSocket(url, { as: "json" })), "BAD_INPUT")).message, "isn't JSON");
  });
  await serving(sending([Uint8Array.of(1, 2)]), async ({ url }) => {
    assert.match((await failure(() => readAll(webSocket(url)), "BAD_INPUT")).message, 'as: "bytes"');
    assert.equal((await readAll(webSocket(url, { as: "bytes" }))).objects, [Uint8Array.of(1, 2)]);
  });
});

test("the server's end is the stream's where it closes as it should; else BAD_INPUT with the status", async () => {
  for (const code of [1000, 1001]) {
    await serving(sending(["a"], code), async ({ url }) => {
      assert.equal((await readAll(webSocket(url))).objects, ["a"]);
    });
  }
  await serving(sending(["a"], 1011), async ({ url }) => {
    assert.match((await failure(() => readAll(webSocket(url)), "BAD_INPUT")).message, "status 1011");
  });
  await serving(
    (socket) => socket.terminate(),
    async ({ url }) => {
      assert.match((await failure(() => readAll(webSocket(url)), "BAD_INPUT")).message, "status 1006");
    },
  );
  const error = await failure(() => readAll(webSocket("ws://127.0.0.1:1")), "BAD_INPUT");
  assert.match(error.message, "ECONNREFUSED");
});

test("what came before the connection broke is given", async () => {
  await serving(sending(["a", "b"], 1011), async ({ url }) => {
    const found: unknown[] = [];
    await failure(async () => {
      for await (const item of webSocket(url).read({ connection: 0 }, testContext())) {
        found.push(...(item as Run<string>).objects);
      }
    }, "BAD_INPUT");
    assert.equal(found, ["a", "b"]);
  });
});

test("a connection is made again as often as the option says, in a row, and each time is counted", async () => {
  const breaking = (socket: WebSocket, number: number): void => {
    socket.send(String(number), () => (number === 3 ? socket.close(1000) : socket.close(1012)));
  };
  await serving(breaking, async ({ url }) => {
    const ctx = testContext();
    assert.equal((await readAll(webSocket(url, { reconnects: 1, reconnectMs: 1 }), { ctx })).objects, [
      "0",
      "1",
      "2",
      "3",
    ]);
    assert.is(ctx.counters.get("reconnects"), 3);
  });
  let tries = 0;
  const refusing = (socket: WebSocket): void => {
    tries++;
    socket.close(1013);
  };
  await serving(refusing, async ({ url }) => {
    const ctx = testContext();
    await failure(() => readAll(webSocket(url, { reconnects: 3, reconnectMs: 1 }), { ctx }), "BAD_INPUT");
    assert.is(ctx.counters.get("reconnects"), 3);
    assert.is(tries, 4);
  });
});

test("what is to be sent is sent on every connection, with the headers", async () => {
  const got: string[] = [];
  const answering = (socket: WebSocket, number: number, headers: Readonly<Record<string, unknown>>): void => {
    got.push(String(headers["authorization"]), String(headers["url"]));
    socket.on("message", (data: Buffer) => {
      got.push(data.toString());
      if (got.length % 4 === 0) socket.close(number === 0 ? 1012 : 1000);
    });
  };
  await serving(answering, async ({ url }) => {
    const options = {
      send: ["one", "two"],
      headers: { authorization: "Bearer s3cret" },
      reconnects: 1,
      reconnectMs: 1,
    };
    const reader = webSocket(`${url}/feed?token=s3cret`, options);
    await readAll(reader);
    const once = ["Bearer s3cret", "/feed?token=s3cret", "one", "two"];
    assert.equal(got, [...once, ...once]);
    assert.not.match(inspect(reader.options), "s3cret");
  });
});

test("user, password and query are in no option or error", async () => {
  const url = "ws://somebody:s3cret@127.0.0.1:1/feed?token=s3cret";
  const reader = webSocket(url);
  assert.equal((reader.options as { server: string }).server, "ws://127.0.0.1:1/feed");
  const error = await failure(() => readAll(reader), "BAD_INPUT");
  assert.not.match(inspect(error, { depth: 10, showHidden: true }), /s3cret|somebody/);
});

test("a message beyond the limit is LIMIT_EXCEEDED, and isn't tried again", async () => {
  let connections = 0;
  const large = (socket: WebSocket): void => {
    connections++;
    socket.send("x".repeat(2000));
  };
  await serving(large, async ({ url }) => {
    const reader = webSocket(url, { messageBytesMax: 1000, reconnects: 5 });
    assert.match((await failure(() => readAll(reader), "LIMIT_EXCEEDED")).message, "messageBytesMax");
    assert.is(connections, 1);
  });
});

test("a server that sends faster than the flow takes is held back, and nothing is lost", async () => {
  const messages = 3000;
  const text = "x".repeat(10_000);
  let peer: WebSocket | undefined;
  const flooding = (socket: WebSocket): void => {
    peer = socket;
    for (let n = 0; n < messages; n++) socket.send(`${n} ${text}`);
    socket.close(1000);
  };
  for (const limit of [{ queueMessages: 50 }, { queueBytes: 500_000 }]) {
    await serving(flooding, async ({ url }) => {
      const sizes: number[] = [];
      let next = 0;
      for await (const item of webSocket(url, limit).read({ connection: 0 }, testContext())) {
        const { objects } = item as Run<string>;
        sizes.push(objects.length);
        for (const object of objects) assert.ok(object.startsWith(`${next++} `), object.slice(0, 20));
        if (sizes.length === 1) {
          // Nothing is taken for a while: what the server wants to send stays with it.
          await new Promise((resolve) => setTimeout(resolve, 100));
          assert.ok((peer?.bufferedAmount ?? 0) > 10_000_000, `${peer?.bufferedAmount} bytes are held back`);
        }
      }
      assert.is(next, messages);
      // What came in one piece with the last message that fitted is taken, too.
      assert.ok(Math.max(...sizes) < 300, `${Math.max(...sizes)} messages in a run`);
    });
  }
});

test("a handshake that takes too long is BAD_INPUT", async () => {
  const silent = createTcpServer().listen(0, "127.0.0.1");
  await once(silent, "listening");
  const url = `ws://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const error = await failure(() => readAll(webSocket(url, { handshakeMs: 50 })), "BAD_INPUT");
  assert.match(error.message, "handshake has timed out");
  silent.close();
});

test("a server that answers no ping is lost", async () => {
  const deaf = (socket: WebSocket): void => socket.pause();
  await serving(deaf, async ({ url }) => {
    const error = await failure(() => readAll(webSocket(url, { pingMs: 30 })), "BAD_INPUT");
    assert.match(error.message, "no ping");
  });
  const quiet = (socket: WebSocket): void => void setTimeout(() => socket.close(1000), 150);
  await serving(quiet, async ({ url }) => {
    assert.equal((await readAll(webSocket(url, { pingMs: 20 }))).objects, []);
  });
});

test("abort and leaving close the connection at once", async () => {
  await serving(
    () => {},
    async ({ url, server }) => {
      const abort = new AbortController();
      const reader: Reader<string> = webSocket(url);
      const reading = readAll(reader, { ctx: testContext({ signal: abort.signal }) });
      const left = (reader.read({ connection: 0 }, testContext()) as AsyncIterable<unknown>)[Symbol.asyncIterator]();
      const next = left.next().then(
        () => "an object",
        () => "ended",
      );
      await until(() => server.clients.size === 2);
      abort.abort(new Error("enough"));
      await left.return?.();
      await reading.then(
        () => assert.unreachable("an aborted reading doesn't end as if all had come"),
        (error: unknown) => assert.is((error as Error).message, "enough"),
      );
      assert.is(await next, "ended");
      await until(() => server.clients.size === 0);
    },
  );
  const aborted = testContext({ signal: AbortSignal.abort(new Error("before")) });
  await readAll(webSocket("ws://127.0.0.1:1"), { ctx: aborted }).then(
    () => assert.unreachable("it was aborted before"),
    (error: unknown) => assert.is((error as Error).message, "before"),
  );
});

test("wss checks the certificate", async () => {
  const https = createServer({ cert: certificate, key: privateKey }).listen(0, "127.0.0.1");
  const server = new WebSocketServer({ server: https });
  await once(https, "listening");
  server.on("connection", sending(["a"]));
  const url = `wss://localhost:${(https.address() as AddressInfo).port}`;
  const error = await failure(() => readAll(webSocket(url)), "BAD_INPUT");
  assert.match(error.message, "self-signed certificate");
  assert.equal((await readAll(webSocket(url, { ca: certificate }))).objects, ["a"]);
  server.close();
  https.close();
});

test("options that make no sense are refused", async () => {
  const wrong: readonly (() => unknown)[] = [
    () => webSocket("http://host"),
    () => webSocket("host"),
    () => webSocket("ws://host/#part"),
    () => webSocket("ws://host", { as: "words" as "text" }),
    () => webSocket("ws://host", { reconnects: -1 }),
    () => webSocket("ws://host", { queueMessages: 0 }),
    () => webSocket("ws://host", { messageBytesMax: 0.5 }),
  ];
  for (const make of wrong) await failure(make, "OPTION_INVALID");
});

test.run();
