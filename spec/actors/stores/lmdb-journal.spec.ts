import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import * as assert from "uvu/assert";
import { LmdbDatabase } from "../../../actors/stores/lmdb-database.ts";
import { openLmdbJournal } from "../../../actors/stores/lmdb-journal.ts";
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

const forgetful = suite("the journal of actors in a folder, of which it knows one at a time");
testJournal(forgetful, { open: () => openLmdbJournal(join(folder, "forgetful"), { knownMax: 1 }), survives: true });

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

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** What is in memory after all that nobody has any more is gone. */
function heapBytes(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

test("of actors that it has written for once it keeps a few, however many there are", async () => {
  const path = join(folder, "many");
  const kept = async (knownMax: number): Promise<number> => {
    const journal = await openLmdbJournal(path, { knownMax });
    const names = Array.from({ length: 20_000 }, (_, index) => `account/${knownMax}-${index}`);
    const before = heapBytes();
    for (let at = 0; at < names.length; at += 1000) {
      // oxlint-disable-next-line no-await-in-loop -- in order
      await journal.claim(names.slice(at, at + 1000));
    }
    const bytes = heapBytes() - before;
    await journal.close();
    return bytes;
  };
  const [all, few] = [await kept(20_000), await kept(100)];
  assert.ok(few < all / 4, `${few} bytes of ${all}`);
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
forgetful.run();
flushed.run();
