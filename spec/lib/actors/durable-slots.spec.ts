// specs: waits
// Durable actors of a system on slots, of which one is killed.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";
import bank, { ledger, mover, resident } from "./bank-kinds.ts";

const test = suite("durable actors on slots");
const folder = await mkdtemp(join(tmpdir(), "qstream-spec-bank-"));
const store = `lmdb:${folder}`;
const movers = 12;
const moves = 150;

test.after(() => rm(folder, { recursive: true, force: true }));

test("where a slot is killed, actors go on in another one, and each message is handled once", async () => {
  const system = await bank.start({ slots: 2, isolation: "process", store, onEvent: () => {} });
  const residents = [system.spawn(resident, undefined), system.spawn(resident, undefined)];
  const pids = await Promise.all(residents.map((one) => one.ask("pid")));
  assert.is.not(pids[0], pids[1]);
  const names = Array.from({ length: movers }, (_, index) => `m${index}`);
  await Promise.all(names.map((name) => system.entity(mover, name).ask("start", moves, { timeoutMs: 20_000 })));
  await wait(100);
  process.kill(pids[0] ?? 0, "SIGKILL");
  const all = system.entity(ledger, "all");
  let counts = { moves: 0, most: 0 };
  for (let tries = 0; tries < 600 && counts.moves < movers * moves; tries++) {
    // oxlint-disable-next-line no-await-in-loop -- until all have come
    await wait(50);
    // oxlint-disable-next-line no-await-in-loop -- see above
    counts = await all.ask("counts", undefined, { timeoutMs: 20_000 }).catch(() => counts);
  }
  assert.equal(counts, { moves: movers * moves, most: 1 });
  await system.close();
}, 60_000);

test("a system that is started again on the store has what the one before had", async () => {
  const system = await bank.start({ slots: 1, isolation: "thread", store });
  assert.equal(await system.entity(ledger, "all").ask("counts"), { moves: movers * moves, most: 1 });
  assert.is(await system.entity(mover, "m3").ask("done"), moves);
  await system.close();
}, 30_000);

test("a store that slots don't share is refused", async () => {
  for (const name of ["memory", "none"]) {
    // oxlint-disable-next-line no-await-in-loop -- in order
    await failure(() => bank.start({ slots: 1, store: name }), "OPTION_INVALID");
  }
});

test.run();
