import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import type { Server } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { openFileSystem, type FileSystemOptions } from "../../../lib/files/index.ts";
import { expectError, fileSystemContract } from "../../contract/file-system.ts";
import { suite } from "../../kit/suite.ts";

interface LocalS3 {
  run: () => Promise<AddressInfo>;
  close: () => Promise<void>;
  httpServer: Server;
}
type LocalS3Class = new (options: Record<string, unknown>) => LocalS3;

const test = suite("s3 files");
const credentials = { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" };
let folder = "";
let server: LocalS3;
let options: FileSystemOptions;

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), "qstream-spec-s3-"));
  const LocalS3 = createRequire(import.meta.url)("s3rver") as LocalS3Class;
  server = new LocalS3({
    port: 0,
    address: "127.0.0.1",
    silent: true,
    directory: folder,
    configureBuckets: [{ name: "books", configs: [] }],
  });
  const { port } = await server.run();
  options = { s3: { endpoint: `http://127.0.0.1:${port}`, credentials, attempts: 2 } };
});
test.after(async () => {
  server.httpServer.closeAllConnections();
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const put = async (name: string, bytes: Uint8Array): Promise<void> => {
  const { S3Client, PutObjectCommand } = await import("@aws-sdk/client-s3");
  const endpoint = options.s3?.endpoint ?? "";
  const client = new S3Client({
    endpoint,
    region: "us-east-1",
    forcePathStyle: true,
    credentials,
    requestChecksumCalculation: "WHEN_REQUIRED",
  });
  await client.send(new PutObjectCommand({ Bucket: "books", Key: name, Body: bytes }));
  client.destroy();
};

fileSystemContract(test, "s3", () => ({
  files: openFileSystem(options),
  path: (name) => `s3://books/${name}`,
  put,
  full: true,
}));

test("a large object is written in parts and read back", async () => {
  const files = openFileSystem(options);
  const content = Buffer.alloc(9 << 20, "the quick brown fox ");
  const writer = await files.create("s3://books/large.bin");
  for (let at = 0; at < content.length; at += 1 << 20) await writer.write(content.subarray(at, at + (1 << 20)));
  await writer.finish();
  await writer.commit();
  const open = await files.open("s3://books/large.bin");
  assert.is(open.entry.bytes, content.length);
  assert.ok(content.equals(await open.read(0, content.length)));
});

test("an aborted upload is aborted on the server", async () => {
  const requests: string[] = [];
  const watch = (request: { method?: string; url?: string }): void => {
    requests.push(`${request.method} ${request.url}`);
  };
  server.httpServer.on("request", watch);
  const writer = await openFileSystem(options).create("s3://books/given-up.bin");
  await writer.write(new Uint8Array(9 << 20));
  await writer.abort();
  server.httpServer.off("request", watch);
  assert.ok(
    requests.some((request) => request.startsWith("DELETE /books/given-up.bin") && request.includes("uploadId=")),
    requests.join(", "),
  );
  await expectError("PATH_NOT_FOUND", () => openFileSystem(options).open("s3://books/given-up.bin"));
});

test("the endpoint can come from the environment", async () => {
  await put("environment.bin", Uint8Array.of(1));
  const before = process.env["AWS_ENDPOINT_URL"];
  process.env["AWS_ENDPOINT_URL"] = options.s3?.endpoint;
  try {
    const found = await openFileSystem({ s3: { credentials } }).list("s3://books/environment.bin");
    assert.is(found[0]?.bytes, 1);
  } finally {
    if (before === undefined) delete process.env["AWS_ENDPOINT_URL"];
    else process.env["AWS_ENDPOINT_URL"] = before;
  }
});

test("a bucket that isn't there is PATH_NOT_FOUND", async () => {
  await expectError("PATH_NOT_FOUND", () => openFileSystem(options).list("s3://nobooks/x/"), "s3://nobooks/x/");
});

test("a path without a bucket is refused", async () => {
  await expectError("OPTION_INVALID", () => openFileSystem(options).list("s3:///key"), "s3://bucket/key");
});

test.run();
