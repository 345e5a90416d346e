// Who proves what to whom, where ports have TLS.
import { once } from "node:events";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import * as assert from "uvu/assert";
import { download, upload } from "../../actors/transport/wire/download.ts";
import { dial } from "../../actors/transport/wire/dial.ts";
import type { Security, Tls } from "../../actors/transport/wire/security.ts";
import { WireServer } from "../../actors/transport/wire/server.ts";
import { failure } from "../kit/failure.ts";
import { Authority, type Certificate } from "../kit/certificates.ts";
import { suite } from "../kit/suite.ts";
import { openWire, until } from "../actors/transport/wire/wires.ts";

const test = suite("TLS of ports");

const token = "the-token-of-this-spec-0123456789";

interface Opened {
  readonly server: WireServer;
  readonly url: string;
  readonly came: { count: number };
}

async function openServer(tls: Tls, handshakeMs?: number): Promise<Opened> {
  const came = { count: 0 };
  const server = await WireServer.open({
    bind: { host: "127.0.0.1", port: 0 },
    security: { token, tls },
    ...(handshakeMs === undefined ? {} : { handshakeMs }),
    admit: () => ({ admitted: true, headers: {}, connected: () => came.count++ }),
    answer: (_, request, response) => {
      came.count++;
      request.resume();
      response.writeHead(200, { connection: "close" }).end("done");
    },
  });
  return { server, url: `wss://127.0.0.1:${server.port}`, came };
}

const here = { addresses: ["127.0.0.1"] };
const [authority, other] = await Promise.all([Authority.make(), Authority.make()]);
const host = await authority.issue("host", here);
const expired = await authority.issue("expired", { ...here, expired: true });
const nameless = await authority.issue("nameless", { names: ["elsewhere.example.org"] });
const stranger = await other.issue("stranger", here);

const tlsOf = ({ cert, key }: Certificate, ca?: string): Tls => ({ cert, key, ca });
const clientOf = (ca: string | undefined, certificate?: Certificate): Security => ({
  token,
  tls: { cert: certificate?.cert ?? "", key: certificate?.key ?? "", ca },
});

/** Tries all ways in, each of which has to fail; gives why. */
async function refused({ url, came }: Opened, security: Security): Promise<string> {
  const before = came.count;
  const plain = url.replace(/^ws/u, "http");
  const errors = [
    await failure(() => dial(`${url}/machine`, {}, security), "MACHINE_UNREACHABLE"),
    await failure(() => download(`${plain}/bundles/x`, security, 100), "MACHINE_UNREACHABLE"),
    await failure(() => upload(`${plain}/bundles/x`, security, new Uint8Array(3)), "MACHINE_UNREACHABLE"),
  ];
  assert.is(came.count, before);
  for (const { message } of errors) assert.not.match(message, token);
  return errors[0]?.message ?? "";
}

async function letIn({ url, came }: Opened, security: Security): Promise<void> {
  const before = came.count;
  const { socket } = await dial(`${url}/machine`, {}, security);
  socket.terminate();
  await download(`${url.replace(/^ws/u, "http")}/bundles/x`, security, 100);
  assert.is(came.count, before + 2);
}

test("a certificate of one's own authority is believed, and no other: none of nobody's, none for other names, none of the past", async () => {
  const opened = await openServer(tlsOf(host));
  await letIn(opened, clientOf(authority.ca));
  assert.match(await refused(opened, clientOf(other.ca)), /certificate/u);
  assert.match(await refused(opened, { token, tls: undefined }), /certificate/u);
  const byName = { ...opened, url: opened.url.replace("127.0.0.1", "localhost") };
  assert.match(await refused(byName, clientOf(authority.ca)), /altnames|localhost/u);
  await opened.server.close();
  for (const [certificate, reason] of [
    [expired, /expired/u],
    [nameless, /altnames|IP/u],
    [stranger, /certificate/u],
  ] as const) {
    const wrong = await openServer(tlsOf(certificate));
    assert.match(await refused(wrong, clientOf(authority.ca)), reason);
    await wrong.server.close();
  }
});

test("with a CA, who connects shows a certificate of it: none, another's and one of the past are refused, token or not", async () => {
  const opened = await openServer(tlsOf(host, authority.ca));
  await letIn(opened, clientOf(authority.ca, host));
  for (const shown of [undefined, stranger, expired]) await refused(opened, clientOf(authority.ca, shown));
  assert.ok(opened.server.refused >= 3);
  const wrongToken = { ...clientOf(authority.ca, host), token: "another-token-than-it-is-0123456" };
  await failure(() => dial(`${opened.url}/machine`, {}, wrongToken), "MACHINE_REFUSED");
  await letIn(opened, clientOf(authority.ca, host));
  await opened.server.close();
});

test("plain text at a port with TLS, TLS at one without, and TLS before 1.2 come to nothing", async () => {
  const opened = await openServer(tlsOf(host));
  const loopbackPlain = { ...opened, url: opened.url.replace("wss", "ws") };
  await refused(loopbackPlain, clientOf(authority.ca));
  const old = connectTls({
    host: "127.0.0.1",
    port: opened.server.port,
    ca: authority.ca,
    maxVersion: "TLSv1.1",
    minVersion: "TLSv1",
  });
  const [error] = (await once(old, "error")) as [Error];
  assert.match(error.message, /protocol|version|alert/iu);
  await opened.server.close();
  const plain = await WireServer.open({
    bind: { host: "127.0.0.1", port: 0 },
    security: { token, tls: undefined },
    admit: () => ({ admitted: false, status: 404, reason: "" }),
  });
  await failure(() => dial(`wss://127.0.0.1:${plain.port}/x`, {}, clientOf(authority.ca)), "MACHINE_UNREACHABLE");
  await plain.close();
});

test("a handshake of TLS that doesn't go on is ended, before and after it is done", async () => {
  const { server } = await openServer(tlsOf(host), 200);
  const silent = connect(server.port, "127.0.0.1").on("error", () => {});
  const half = connect(server.port, "127.0.0.1", () =>
    half.write(Uint8Array.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01])),
  );
  half.on("error", () => {});
  const wordless = connectTls({ host: "127.0.0.1", port: server.port, ca: authority.ca }).on("error", () => {});
  await Promise.all([silent, half, wordless].map(async (socket) => once(socket.resume(), "close")));
  await until(() => server.strangers === 0);
  await server.close();
});

test("what is no certificate is refused when the port is to be opened, without being shown", async () => {
  for (const tls of [
    { cert: "no certificate", key: host.key },
    { cert: host.cert, key: stranger.key },
    { cert: host.cert, key: host.key.replace(/[\w+/]{20}/u, "x".repeat(20)) },
  ]) {
    const { message } = await failure(() => openServer(tls), "OPTION_INVALID");
    assert.not.match(message, "PRIVATE KEY");
  }
});

test("machines with certificates talk; one that listens without TLS isn't let in", async () => {
  const security = { token, tls: tlsOf(host, authority.ca) };
  const [a, b] = [await openWire("A", { security }), await openWire("B", { security })];
  a.wire.meet("B", b.wire.url);
  b.wire.meet("A", a.wire.url);
  a.wire.tell("B", { kind: "hello" });
  await until(() => b.told.length === 1);
  const bare = {
    "x-qstream-version": "1",
    "x-qstream-from": "C",
    "x-qstream-to": "A",
    "x-qstream-url": "ws://127.0.0.1:1",
  };
  const error = await failure(
    () => dial(`${a.wire.url}/wire/control`, { ...bare, "x-qstream-received": "0" }, security),
    "MACHINE_REFUSED",
  );
  assert.match(error.message, "C listens without TLS");
  await Promise.all([a.wire.close(), b.wire.close()]);
});

test.after(async () => void (await Promise.all([authority.remove(), other.remove()])));

test.run();
