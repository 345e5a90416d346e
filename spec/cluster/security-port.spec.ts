// The port of a head or a worker, as somebody meets it who isn't let in, and who is let in only to look.
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { WebSocket } from "ws";
import { dial, type Dialed } from "../../actors/transport/wire/dial.ts";
import { checkSecurity, type Security } from "../../actors/transport/wire/security.ts";
import { WireServer, type Rights, type ServerOptions } from "../../actors/transport/wire/server.ts";
import { Worker } from "../../lib/cluster/worker.ts";
import { headUrl } from "../../lib/cluster/head-url.ts";
import { cluster } from "../../lib/index.ts";
import { failure } from "../kit/failure.ts";
import { filesBelow, projectFolder } from "../kit/sources.ts";
import { suite } from "../kit/suite.ts";
import { openWire, until } from "../actors/transport/wire/wires.ts";

const test = suite("security of ports");

const token = "the-token-of-this-spec-0123456789";
const readToken = "a-token-to-look-with-0123456789";
const bearer = (shown: string): Record<string, string> => ({ authorization: `Bearer ${shown}` });
const guarded: Security = { token, readToken, tls: undefined };

interface Opened {
  readonly server: WireServer;
  readonly rights: Rights[];
  readonly received: number[];
  readonly answered: string[];
}

/** A server that admits whoever may be, and notes what came. */
async function openServer(options: Partial<ServerOptions> = {}): Promise<Opened> {
  const opened = { rights: [] as Rights[], received: [] as number[], answered: [] as string[] };
  const server = await WireServer.open({
    bind: { host: "127.0.0.1", port: 0 },
    security: guarded,
    admit: () => ({
      admitted: true,
      headers: {},
      connected: ({ socket, rights }) => {
        opened.rights.push(rights);
        socket.on("message", (data: Buffer[]) => opened.received.push(Buffer.concat(data).byteLength));
      },
    }),
    answer: (url, request, response) => {
      opened.answered.push(`${request.method} ${url.pathname}`);
      request.resume();
      response.writeHead(200, { connection: "close" }).end("done");
    },
    ...options,
  });
  return { server, ...opened };
}

/** Says something to a port and gives what it answers until it hangs up. */
async function say(port: number, text: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(text);
  let answer = "";
  socket.setEncoding("latin1").on("data", (chunk: string) => (answer += chunk));
  await once(socket, "close");
  return answer;
}

const requestOf = (method: string, path: string, headers: Readonly<Record<string, string>>): string =>
  [
    `${method} ${path} HTTP/1.1`,
    ...Object.entries({ host: "127.0.0.1", ...headers }).map(([name, value]) => `${name}: ${value}`),
  ].join("\r\n") + "\r\n\r\n";
const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d+)/u.exec(answer)?.[1] ?? 0);
const upgrade = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};

test("beyond this machine nothing listens without a token and TLS, and what is missing is named", async () => {
  const tls = { cert: "", key: "" };
  const beyond = [
    "0.0.0.0",
    "::",
    "[::]",
    "10.0.0.1",
    "example.org",
    "127.0.0.1.example.org",
    "::ffff:10.0.0.1",
    "128.0.0.1",
    "",
  ];
  for (const host of beyond) {
    const bind = { host, port: 0 };
    const refusal = (security: Security): Promise<Error> =>
      failure(() => checkSecurity(bind, security), "OPTION_INVALID");
    assert.match(
      (await refusal({ token: undefined, tls: undefined })).message,
      "give --token-file, --tls-cert and --tls-key,",
    );
    assert.match((await refusal({ token, tls: undefined })).message, "give --tls-cert and --tls-key,");
    assert.match((await refusal({ token: undefined, tls })).message, "give --token-file,");
    checkSecurity(bind, { token, tls });
  }
  for (const host of ["127.0.0.1", "127.8.9.1", "localhost", "::1", "[::1]"]) {
    checkSecurity({ host, port: 0 }, { token: undefined, tls: undefined });
  }
  const bind = { host: "0.0.0.0", port: 0 };
  const security = { token: undefined, tls: undefined };
  const worker = { slots: 1, tags: [], memoryBytes: undefined, leaseMs: 1000, turnMs: 0, broken: () => {} };
  const advertise = "example.org:1";
  for (const open of [
    () => WireServer.open({ bind, security, admit: () => ({ admitted: false, status: 404, reason: "" }) }),
    () => openWire("A", { bind, security, advertise }),
    () => Worker.open({ ...worker, join: ["ws://127.0.0.1:1"], bind, security, advertise }),
  ]) {
    assert.match((await failure(open, "OPTION_INVALID")).message, "beyond this machine nothing listens");
  }
});

test("docs/security.md names specs that are there", () => {
  const page = readFileSync(join(projectFolder, "docs/security.md"), "utf8");
  const rows = page
    .split("\n")
    .filter((line) => /^\|.*\|.*\|.*\|$/u.test(line) && !/^\|(-+|\s*(point|process|who)\b)/u.test(line));
  const named = rows.flatMap((row) =>
    [...(row.split("|").at(-2) ?? "").matchAll(/`([\w/-]+)`/gu)].map(([, name = ""]) => name),
  );
  assert.ok(named.length > 40);
  const isThere = (name: string): boolean =>
    ["spec", "soak"].some((kind) => existsSync(join(projectFolder, "spec", `${name}.${kind}.ts`)));
  assert.equal(
    named.filter((name) => !isThere(name)),
    [],
  );
});

test("tokens that can be guessed, or that a header can't carry, are refused without being shown", async () => {
  const bind = { host: "127.0.0.1", port: 0 };
  const tls = undefined;
  for (const wrong of [
    "",
    "s3cret",
    "s3cret s3cret s3cret",
    "s3cret\r\nx: y-0123456789",
    "s3crét-0123456789ab",
    "s3cret".repeat(200),
  ]) {
    for (const security of [
      { token: wrong, tls },
      { token, readToken: wrong, tls },
    ]) {
      const { message } = await failure(() => checkSecurity(bind, security), "OPTION_INVALID");
      assert.not.match(message, "s3cr");
    }
    const client = await failure(() => cluster({ url: "ws://127.0.0.1:9", token: wrong }), "OPTION_INVALID");
    assert.not.match(client.message, "s3cr");
  }
  await failure(() => checkSecurity(bind, { token, readToken: token, tls }), "OPTION_INVALID");
  await failure(() => checkSecurity(bind, { token: undefined, readToken, tls }), "OPTION_INVALID");
});

test("no token is compared but in constant time", () => {
  const compared = [...filesBelow("actors"), ...filesBelow("lib")].flatMap((file) =>
    readFileSync(join(projectFolder, file), "utf8")
      .split("\n")
      .filter((line) => /\b\w*[tT]oken\w*\s*[!=]==?(?![=\s]*undefined)|[!=]==?\s*\w*[tT]oken\b/u.test(line))
      .filter((line) => !line.includes("token === readToken"))
      .map((line) => `${file}: ${line.trim()}`),
  );
  assert.equal(compared, []);
});

test("a token never goes over a network in the clear, and stands in no URL", async () => {
  const exposed = await failure(() => dial("ws://example.org:1/wire/control", {}, guarded), "OPTION_INVALID");
  assert.match(exposed.message, "has no TLS");
  assert.not.match(exposed.message, token);
  for (const url of [
    `ws://user:${token}@127.0.0.1:1`,
    `ws://127.0.0.1:1/?token=${token}`,
    `${token}@127.0.0.1:1`,
    `ws://127.0.0.1:1#${token}`,
  ]) {
    assert.not.match((await failure(() => headUrl(url), "OPTION_INVALID")).message, token);
  }
});

test("without the token, with a wrong one, in another place or from a page, all is refused", async () => {
  const { server, rights, answered } = await openServer();
  const wrong: readonly Readonly<Record<string, string>>[] = [
    {},
    bearer("another-token-than-it-is-0123456"),
    bearer(token.slice(0, -1)),
    bearer(`${token}x`),
    bearer(token.toUpperCase()),
    { authorization: token },
    { authorization: `Basic ${Buffer.from(`user:${token}`).toString("base64")}` },
    { cookie: `token=${token}` },
    { ...bearer(token), origin: "http://127.0.0.1" },
    { ...bearer(token), origin: "null" },
  ];
  const requests = wrong.flatMap((headers) => [
    ...["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH"].map((method) =>
      requestOf(method, "/bundles/x", headers),
    ),
    requestOf("GET", `/machine?token=${token}`, { ...headers, ...upgrade }),
  ]);
  const answers = await Promise.all(requests.map((text) => say(server.port, text)));
  assert.equal(new Set(answers.map(statusOf)), new Set([401]));
  assert.ok(answers.every((answer) => !answer.includes(token)));
  assert.is(server.refused, requests.length);
  assert.equal([rights, answered], [[], []]);
  await server.close();
});

test("a port without a token is that of loopback's own names, not of one that was made to mean 127.0.0.1", async () => {
  const { server, rights } = await openServer({ security: { token: undefined, tls: undefined } });
  const status = async (host: string): Promise<number> =>
    statusOf(await say(server.port, requestOf("GET", "/x", { host, connection: "close" })));
  for (const host of ["127.0.0.1", `127.0.0.1:${server.port}`, "localhost:1", "[::1]:1"])
    assert.is(await status(host), 200, host);
  for (const host of [
    "evil.example",
    `evil.example:${server.port}`,
    "127.0.0.1.evil.example",
    "",
    "localhost@evil.example",
  ]) {
    const answer = await status(host);
    assert.ok(answer === 401 || answer === 400, `${host} ${answer}`);
  }
  const page = requestOf("GET", "/client", { ...upgrade, origin: "http://localhost" });
  assert.is(statusOf(await say(server.port, page)), 401);
  assert.equal(rights, []);
  await server.close();
});

test("with the token few methods are understood, and bodies that say how long they are and aren't too long", async () => {
  const { server, answered } = await openServer();
  const status = async (method: string, more: Readonly<Record<string, string>> = {}): Promise<number> =>
    statusOf(await say(server.port, requestOf(method, "/x", { ...bearer(token), connection: "close", ...more })));
  for (const method of ["POST", "DELETE", "OPTIONS", "PATCH", "TRACE"]) assert.is(await status(method), 405, method);
  assert.is(await status("PUT"), 411);
  assert.is(await status("PUT", { "transfer-encoding": "chunked" }), 411);
  for (const length of [String(2 ** 26 + 1), String(2 ** 60), "1e99"]) {
    const answer = await status("PUT", { "content-length": length });
    assert.ok(answer === 413 || answer === 0, length);
  }
  assert.is(await status("GET", { padding: "x".repeat(10_000) }), 0);
  assert.is(await status("GET"), 200);
  assert.equal(answered, ["GET /x"]);
  await server.close();
});

test("a token for looking opens what looks, and is refused at machines' ports", async () => {
  const looked = await openServer();
  const { socket } = await dial(`ws://127.0.0.1:${looked.server.port}/client`, {}, { ...guarded, token: readToken });
  await until(() => looked.rights.length > 0);
  assert.equal(looked.rights, ["read"]);
  socket.resume();
  // Too large for one who may only look.
  socket.send(Buffer.alloc(70_000));
  const [code] = (await once(socket, "close")) as [number];
  assert.is(code, 1009);
  assert.equal(looked.received, []);
  await looked.server.close();
});

test("who says nothing, or says it slowly, is hung up on", async () => {
  const { server } = await openServer({ handshakeMs: 200 });
  const began = performance.now();
  const slow = ["", "GET / HT", requestOf("GET", "/x", { authorization: "Bearer" }).slice(0, -2)].map((text) =>
    connect(server.port, "127.0.0.1", function (this: Socket) {
      if (text !== "") this.write(text);
    }).on("error", () => {}),
  );
  const dripping = slow.at(-1);
  const drip = setInterval(() => dripping?.writable === true && dripping.write("x: y\r\n"), 50);
  await Promise.all(slow.map(async (socket) => once(socket.resume(), "close")));
  clearInterval(drip);
  assert.ok(performance.now() - began < 4000);
  await until(() => server.strangers === 0);
  await server.close();
});

test("six hundred strangers take no more than their place: the oldest go, and who has the token comes in", async () => {
  const { server, rights } = await openServer();
  global.gc?.();
  const before = process.memoryUsage().rss;
  const sockets: Socket[] = [];
  for (let count = 0; count < 600; count++) {
    const socket = connect(server.port, "127.0.0.1").on("error", () => {});
    sockets.push(socket);
    socket.write("GET / HTTP/1.1\r\npadding: ");
    if (count % 50 === 49) await once(socket, "connect").catch(() => {});
  }
  await until(() => sockets.filter(({ closed }) => closed).length >= 600 - 256, 8000);
  assert.ok(server.strangers <= 256, String(server.strangers));
  const { socket } = await dial(`ws://127.0.0.1:${server.port}/client`, {}, guarded);
  await until(() => rights.length === 1);
  assert.ok(process.memoryUsage().rss - before < 150 * 2 ** 20);
  socket.terminate();
  for (const one of sockets) one.destroy();
  await server.close();
});

test("more connections than there may be are hung up on, until others end", async () => {
  const { server, rights } = await openServer({ connectionsMax: 3 });
  const url = `ws://127.0.0.1:${server.port}/client`;
  const opened = await Promise.all([1, 2, 3].map(() => dial(url, {}, guarded)));
  await failure(() => dial(url, {}, guarded), "MACHINE_UNREACHABLE");
  const [first] = opened;
  first?.socket.resume();
  first?.socket.terminate();
  const again: Dialed[] = [];
  for (let turn = 0; again.length === 0 && turn < 100; turn++) {
    await dial(url, {}, guarded).then(
      (dialed) => again.push(dialed),
      () => wait(20),
    );
  }
  assert.is(rights.length, 4);
  for (const { socket } of [...opened, ...again]) socket.terminate();
  await server.close();
});

test("a WebSocket's nonsense closes it, whatever it is, and takes no memory", async () => {
  const { server, received } = await openServer();
  const mask = [1, 2, 3, 4];
  const nonsense: Readonly<Record<string, readonly number[]>> = {
    "a length of 2^62": [0x82, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, ...mask],
    "a length of 2^40": [0x82, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, ...mask],
    "more than a message may have": [0x82, 0xff, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, ...mask],
    "no mask": [0x82, 0x01, 0x00],
    "reserved bits": [0xf2, 0x80, ...mask],
    "a kind that isn't": [0x83, 0x80, ...mask],
    "a control frame that is large": [0x89, 0xfe, 0x01, 0x00, ...mask],
    "a control frame in pieces": [0x09, 0x80, ...mask],
    "a piece of nothing": [0x80, 0x80, ...mask],
    "many pieces": [0x02, 0x81, ...mask, 1, ...Array.from({ length: 40 }, () => [0x00, 0x81, ...mask, 1]).flat()],
  };
  const before = process.memoryUsage().rss;
  for (const [name, bytes] of Object.entries(nonsense)) {
    const { socket, stream } = await dial(`ws://127.0.0.1:${server.port}/client`, {}, guarded);
    socket.on("error", () => {}).resume();
    stream.write(Uint8Array.from(bytes));
    await until(() => socket.readyState === socket.CLOSED).catch(() => assert.unreachable(name));
  }
  assert.equal(received, []);
  assert.ok(process.memoryUsage().rss - before < 64 * 2 ** 20);
  await server.close();
});

test("messages aren't compressed: nothing small becomes large", async () => {
  const { server } = await openServer();
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/client`, {
    headers: bearer(token),
    perMessageDeflate: true,
  });
  await once(socket, "open");
  assert.is(socket.extensions, "");
  socket.terminate();
  await server.close();
});

test.run();
