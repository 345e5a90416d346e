import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { LmdbDatabase } from "../../../actors/stores/lmdb-database.ts";
import { openJournal } from "../../../actors/stores/open-journal.ts";
import { openStore } from "../../../actors/stores/open-store.ts";
import { suite } from "../../kit/suite.ts";
import { refuses } from "./conformance.ts";
import { testJournal } from "./journal-conformance.ts";
import { bytesOf, records } from "./store-under-test.ts";

const test = suite("the journal of actors in a folder");
const folder = await mkdtemp(join(tmpdir(), "qstream-spec-journal-"));

test.after(() => rm(folder, { recursive: true, force: true }));

testJournal(test, { open: () => openJournal(`lmdb:${folder}/unflushed`), survives: true });

const flushed = suite("the flushed journal of actors in a folder");
testJournal(flushed, { open: () => openJournal(`lmdb:${folder}/flushed?flush=true`), survives: true });

test("it is beside the lineage of flows, and neither is in the other's way", async () => {
  const text = `lmdb:${folder}/both`;
  const [journal, store] = [await openJournal(text), await openStore(text)];
  await store.create("e", bytesOf(1), 1, 1);
  await journal.claim(["account/ann"]);
  await journal.append([{ actor: "account/ann", generation: 1, firstSeq: 0, records: records(3) }]);
  await store.commit("e", [{ channel: 0, generation: 0, firstSeq: 0, records: records(2) }]);
  assert.is((await store.read("e", 0, -1, 10)).length, 2);
  assert.is((await journal.read("account/ann", -1)).length, 3);
  await journal.close();
  await store.close();
});

test("a snapshot that is damaged is named, and not taken for one", async () => {
  const path = join(folder, "damaged");
  const journal = await openJournal(`lmdb:${path}`);
  await journal.claim(["account/ann"]);
  const snapshot = { seq: 0, bytes: bytesOf(100) };
  await journal.append([{ actor: "account/ann", generation: 1, firstSeq: 0, records: records(1), snapshot }]);
  await journal.close();
  const database = await LmdbDatabase.open(path, false, "actors.mdb");
  await database.write(() => {
    const kept = database.bytes(["s", "account/ann"])?.slice() ?? new Uint8Array();
    kept[50] = (kept[50] ?? 0) ^ 1;
    database.put(["s", "account/ann"], kept);
  });
  await database.close();
  const again = await openJournal(`lmdb:${path}`);
  await refuses("NOT_RECOVERABLE", () => again.claim(["account/ann"]));
  await again.close();
});

test.run();
flushed.run();
