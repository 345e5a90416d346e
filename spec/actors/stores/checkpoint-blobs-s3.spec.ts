import { mkdtemp, rm } from "node:fs/promises";
import type { Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { CheckpointBlobs } from "../../../actors/stores/checkpoint-blobs.ts";
import { MemoryStore } from "../../../actors/stores/memory-store.ts";
import { openFileSystem } from "../../../lib/files/index.ts";
import { inSlot, suite } from "../../kit/suite.ts";
import { bytesOf, records } from "./store-under-test.ts";

interface LocalS3 {
  run: () => Promise<AddressInfo>;
  close: () => Promise<void>;
  httpServer: Server;
}
type LocalS3Class = new (options: Record<string, unknown>) => LocalS3;

const test = suite("checkpoints in S3");

if (!inSlot) {
  const directory = await mkdtemp(join(tmpdir(), "qstream-spec-s3-blobs-"));
  const LocalS3 = createRequire(import.meta.url)("s3rver") as LocalS3Class;
  const configureBuckets = [{ name: "states", configs: [] }];
  const server = new LocalS3({ port: 0, address: "127.0.0.1", silent: true, directory, configureBuckets });
  const { port } = await server.run();
  test.after(async () => {
    server.httpServer.closeAllConnections();
    await server.close();
    await rm(directory, { recursive: true, force: true });
  });

  test("large checkpoints are objects, come back, and are removed when they are freed or dropped", async () => {
    const credentials = { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" };
    const files = openFileSystem({ s3: { endpoint: `http://127.0.0.1:${port}`, credentials, attempts: 2 } });
    const store = new CheckpointBlobs(new MemoryStore(), { path: "s3://states/one/", files });
    await store.create("e", new Uint8Array(1), 1, 1);
    await store.commit("e", [{ channel: 0, generation: 0, firstSeq: 0, records: records(10) }]);
    const before = await store.bytesHeld();
    for (const seq of [3, 7]) await store.saveCheckpoint("e", 0, 0, seq, bytesOf(9_000_000, seq));
    assert.equal(
      (await files.list("s3://states/one/")).map(({ bytes }) => bytes),
      [9_000_000, 9_000_000],
    );
    assert.ok((await store.bytesHeld()) > before + 18_000_000);
    const loaded = await store.loadCheckpoint("e", 0, 7);
    assert.is(Buffer.compare(loaded ?? new Uint8Array(), bytesOf(9_000_000, 7)), 0);
    await store.free("e", 0, -1, 7);
    assert.is((await files.list("s3://states/one/")).length, 1);
    await store.drop("e");
    assert.is(await files.list("s3://states/one/").catch((error: { code: string }) => error.code), "PATH_NOT_FOUND");
  });
}

test.run();
