import * as assert from "uvu/assert";
import { BlobFolder } from "../../../actors/stores/blob-folder.ts";
import { writeBlob } from "../../../actors/stores/blob-pointer.ts";
import { CheckpointBlobs } from "../../../actors/stores/checkpoint-blobs.ts";
import { MemoryStore } from "../../../actors/stores/memory-store.ts";
import { openFileSystem } from "../../../lib/files/index.ts";
import { MemoryFiles } from "../../../lib/testing/simulation/memory-files.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("late blobs");

// Found by simulation: seed 230 of the flow "passedOver".
test("a save of a generation that is shut out leaves the blob of the next one alone, whose pointer is on its way", async () => {
  const files = new MemoryFiles(openFileSystem());
  const path = "/simulated/checkpoints";
  const store = new CheckpointBlobs(new MemoryStore(), { path, files, storeBytesMax: 10 });
  await store.create("run", new Uint8Array(0), 1, 0);
  const records = [0, 1, 2].map((seq) => Uint8Array.of(seq));
  await store.commit("run", [{ channel: 0, generation: 0, firstSeq: 0, records }]);
  const bytes = Uint8Array.from({ length: 100 }, (_, index) => index);
  const folder = new BlobFolder(path, files);
  const early = await writeBlob(folder, { execution: "run", channel: 0, generation: 0, seq: 2 }, bytes);
  await store.fence("run", [0]);
  const late = await writeBlob(folder, { execution: "run", channel: 0, generation: 1, seq: 2 }, bytes);
  assert.is(await store.saveCheckpoint("run", 0, 0, 2, early), "fenced");
  assert.is(files.written.size, 1, "of the one that is shut out nothing is left");
  assert.is(await store.saveCheckpoint("run", 0, 1, 2, late), "committed");
  assert.equal(await store.loadCheckpoint("run", 0, 2), bytes);
  await store.drop("run");
  assert.is(files.written.size, 0);
});

test.run();
