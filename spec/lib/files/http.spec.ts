import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import * as assert from "uvu/assert";
import { openFileSystem } from "../../../lib/files/index.ts";
import { expectError, fileSystemContract } from "../../contract/file-system.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("http files");
const stored = new Map<string, { bytes: Uint8Array; version: number }>();
const requests: string[] = [];
let failures = 0;
let server: Server;

/** Serves what was stored; paths under /plain/ without ranges and without HEAD, as simple servers do. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  const url = request.url ?? "";
  requests.push(`${request.method} ${request.headers.range ?? "-"}`);
  const plain = url.startsWith("/plain/");
  const found = stored.get(url.slice(url.lastIndexOf("/") + 1));
  if (failures > 0) {
    failures -= 1;
    if (failures % 2 === 0) request.socket.destroy();
    else response.writeHead(503).end();
  } else if (plain && request.method === "HEAD") response.writeHead(405).end();
  else if (found === undefined) response.writeHead(404).end();
  else serve(request, response, found, plain);
}

function serve(
  request: IncomingMessage,
  response: ServerResponse,
  found: { bytes: Uint8Array; version: number },
  plain: boolean,
): void {
  const range = plain ? null : /bytes=(\d+)-(\d+)/u.exec(request.headers.range ?? "");
  const etag = { etag: `"v${found.version}"` };
  if (request.method === "HEAD") response.writeHead(200, { ...etag, "content-length": found.bytes.length }).end();
  else if (range === null) response.writeHead(200, etag).end(found.bytes);
  else {
    const part = found.bytes.subarray(Number(range[1]), Number(range[2]) + 1);
    const contentRange = `bytes ${range[1]}-${range[2]}/${found.bytes.length}`;
    response.writeHead(206, { ...etag, "content-range": contentRange, "content-length": part.length }).end(part);
  }
}

test.before(async () => {
  server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
test.after(() => {
  server.closeAllConnections();
  server.close();
});

const url = (path: string): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
const put = async (name: string, bytes: Uint8Array): Promise<void> => {
  stored.set(name, { bytes, version: (stored.get(name)?.version ?? 0) + 1 });
};
const fast = { retryDelayMs: 1 };

fileSystemContract(test, "http", () => ({
  files: openFileSystem({ http: fast }),
  path: (name) => url(`/files/${name}`),
  put,
  full: false,
}));

fileSystemContract(test, "http without ranges", () => ({
  files: openFileSystem({ http: fast }),
  path: (name) => url(`/plain/${name}`),
  put,
  full: false,
}));

test("connection errors and 5xx are tried again, within a bound", async () => {
  await put("retry.bin", Uint8Array.of(1, 2, 3));
  failures = 4;
  const open = await openFileSystem({ http: fast }).open(url("/files/retry.bin"));
  failures = 2;
  assert.equal([...(await open.read(1, 2))], [2, 3]);
  failures = 100;
  await expectError("BAD_INPUT", () => openFileSystem({ http: { ...fast, retries: 2 } }).list(url("/files/retry.bin")));
  assert.is(failures, 97);
  failures = 0;
});

test("a server without ranges is downloaded once, and not beyond the limit", async () => {
  await put("plain.bin", new Uint8Array(50_000));
  const files = openFileSystem({ http: { ...fast, downloadBytesMax: 60_000 } });
  requests.length = 0;
  const open = await files.open(url("/plain/plain.bin"));
  for (let at = 0; at < 50_000; at += 5_000) assert.is((await open.read(at, 5_000)).byteLength, 5_000);
  assert.ok(requests.length <= 3, requests.join(", "));
  await put("plain.bin", new Uint8Array(70_000));
  await expectError("LIMIT_EXCEEDED", () => files.open(url("/plain/plain.bin")), "downloadBytesMax");
});

test("a request that is aborted stops at once", async () => {
  failures = 100;
  const abort = new AbortController();
  const listing = openFileSystem({ http: { retryDelayMs: 10_000 } }).list(url("/files/x"), abort.signal);
  abort.abort(new Error("enough"));
  let message = "";
  await listing.catch((error: Error) => (message = error.message));
  failures = 0;
  assert.match(message, /enough/);
});

test("nothing can be written over http", async () => {
  await expectError("UNSUPPORTED", () => openFileSystem().create(url("/files/new.bin")));
});

test.run();
