// Whoever looks whether a head or worker lives, as container engines and Kubernetes do every few seconds, isn't counted as turned away.
import { execFile } from "node:child_process";
import { once } from "node:events";
import { request as requestPlain } from "node:http";
import { request as requestSecure } from "node:https";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { promisify } from "node:util";
import * as assert from "uvu/assert";
import type { Security } from "../../actors/transport/wire/security.ts";
import { WireServer } from "../../actors/transport/wire/server.ts";
import { until } from "../actors/transport/wire/wires.ts";
import { Authority } from "../kit/certificates.ts";
import { deployPath } from "../kit/deploy-files.ts";
import { suite } from "../kit/suite.ts";

const test = suite("probes of a port");

const token = "the-token-of-this-spec-0123456789";
const authority = await Authority.make();
const host = await authority.issue("host", { addresses: ["127.0.0.1"] });
const { cert, key, certFile, keyFile } = host;

/** Ports as a cluster has them: on loopback, with TLS, and with mutual TLS. */
const ports: Readonly<Record<string, Security>> = {
  "without TLS": { token, tls: undefined },
  "with TLS": { token, tls: { cert, key } },
  "with mutual TLS": { token, tls: { cert, key, ca: authority.ca } },
};

async function openServer(security: Security): Promise<WireServer> {
  return WireServer.open({
    bind: { host: "127.0.0.1", port: 0 },
    security,
    admit: () => ({ admitted: false, status: 404, reason: "nothing is here" }),
    answer: (_, __, response) => void response.writeHead(404).end(),
  });
}

/** The status and the text that a request without a token is answered with. */
async function ask(port: number, secure: boolean, method: string, path: string): Promise<readonly [number, string]> {
  const where = { host: "127.0.0.1", port, method, path };
  const request = secure
    ? requestSecure({ ...where, cert, key, ca: authority.ca }).end()
    : requestPlain({ ...where }).end();
  const [response] = (await once(request, "response")) as [AsyncIterable<Buffer> & { readonly statusCode: number }];
  let text = "";
  for await (const chunk of response) text += chunk.toString("utf8");
  return [response.statusCode, text];
}

for (const [name, security] of Object.entries(ports)) {
  const secure = security.tls !== undefined;

  test(`a port ${name}: its health is told to everybody, and nothing else is`, async () => {
    const server = await openServer(security);
    assert.equal(await ask(server.port, secure, "GET", "/healthy"), [200, "healthy\n"]);
    assert.equal(await ask(server.port, secure, "HEAD", "/healthy"), [200, ""]);
    await until(() => server.strangers === 0);
    assert.is(server.refused, 0);
    for (const [method, path] of [
      ["POST", "/healthy"],
      ["GET", "/healthy/more"],
      ["GET", "/"],
    ] as const) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      assert.is((await ask(server.port, secure, method, path))[0], 401);
    }
    assert.is(server.refused, 3);
    await server.close();
  });

  test(`a port ${name}: who connects and goes without a word isn't counted`, async () => {
    const server = await openServer(security);
    const ends = ["destroy", "resetAndDestroy", "end"] as const;
    for (const end of ends) {
      const socket = connect(server.port, "127.0.0.1").on("error", () => {});
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await once(socket, "connect");
      // oxlint-disable-next-line no-await-in-loop -- see above
      await until(() => server.strangers === 1);
      socket.resume()[end]();
      // oxlint-disable-next-line no-await-in-loop -- see above
      await until(() => server.strangers === 0);
    }
    assert.is(server.refused, 0);
    await server.close();
  });

  test(`a port ${name}: healthy.mjs finds it alive, uncounted, and not when it is gone`, async () => {
    const server = await openServer(security);
    const env = { ...process.env, ...(secure ? { QSTREAM_HEALTH_CERT: certFile, QSTREAM_HEALTH_KEY: keyFile } : {}) };
    const words = [deployPath("healthy.mjs"), `127.0.0.1:${server.port}`];
    const look = async (): Promise<unknown> => promisify(execFile)(process.execPath, words, { env });
    await look();
    await until(() => server.strangers === 0);
    assert.is(server.refused, 0);
    await server.close();
    assert.match(
      await look().then(
        () => "alive",
        (error: unknown) => String(error),
      ),
      "ECONNREFUSED",
    );
  });
}

test("who says something else than TLS at a port with TLS, or shows no certificate, is counted", async () => {
  const server = await openServer({ token, tls: { cert, key, ca: authority.ca } });
  const plain = connect(server.port, "127.0.0.1", () => plain.write("GET /healthy HTTP/1.1\r\n\r\n"));
  plain.on("error", () => {}).resume();
  await until(() => server.refused === 1);
  connectTls({ host: "127.0.0.1", port: server.port, ca: authority.ca })
    .on("error", () => {})
    .resume();
  await until(() => server.refused === 2);
  await server.close();
});

test.after(() => authority.remove());

test.run();
