// specs: timeout 120 s
// Deliveries to durable entities: once each, though both the flow and the entities lose their slots.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { local, startActors } from "../../../lib/index.ts";
import { hasProcesses, signal, slotProcesses } from "../../kit/faults.ts";
import { suite } from "../../kit/suite.ts";
import bank, { stored, vault, vaults } from "./flows/vault-actors.ts";

const test = suite("flows and durable actors");
const upTo = (end: number): number[] => Array.from({ length: end }, (_, number) => number);

type Keeping = Pick<Awaited<ReturnType<typeof bank.start>>, "entity">;

async function kept(system: Keeping): Promise<number[]> {
  const all = upTo(vaults).map((number) =>
    system.entity(vault, `vault-${number}`).ask("numbers", undefined, { timeoutMs: 20_000 }),
  );
  return (await Promise.all(all)).flat().toSorted((left, right) => left - right);
}

test("what a flow has delivered is there when the actors come back", async () => {
  const folder = await mkdtemp(join(tmpdir(), "qstream-spec-vaults-"));
  for (const times of [1, 2]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const system = startActors({ store: `lmdb:${folder}` });
    // oxlint-disable-next-line no-await-in-loop -- see above
    await stored.run({ to: system.entities(vault), upTo: 200 }, { slots: 1, isolation: "none", exactlyOnce: true });
    // Another run is another sender.
    // oxlint-disable-next-line no-await-in-loop -- see above
    assert.is((await kept(system)).length, 200 * times);
    // oxlint-disable-next-line no-await-in-loop -- see above
    await system.close();
  }
  await rm(folder, { recursive: true, force: true });
});

test("each object is kept once where slots of the flow and of the entities are killed", async () => {
  const folder = await mkdtemp(join(tmpdir(), "qstream-spec-vaults-"));
  const store = `lmdb:${folder}`;
  const session = await local({ slots: 2, isolation: "process", store, checkpointEveryMs: 40 });
  const system = await bank.start({ on: session, onEvent: () => {} });
  let recoveries = 0;
  const execution = await stored.start(
    { to: system.entities(vault), upTo: 20_000 },
    {
      on: session,
      limits: { parcelObjects: 50 },
      exactlyOnce: true,
      onEvent: ({ kind }) => void (kind === "recovered" && recoveries++),
    },
  );
  let isOver = false;
  const ended = execution.outputs.finally(() => (isOver = true));
  for (const least of [1000, 6000]) {
    const before = recoveries;
    // oxlint-disable-next-line no-await-in-loop -- until it holds
    while (!isOver && (await kept(system)).length < least) await wait(5);
    const kill = (): boolean => {
      const slot = execution.metrics?.channels.find(({ step }) => step === "sent")?.slot;
      const chosen = slotProcesses().find((each) => each.slot === slot);
      return chosen !== undefined && signal(chosen.pid, "SIGKILL");
    };
    // oxlint-disable-next-line no-await-in-loop -- until it holds
    while (!isOver && !kill()) await wait(2);
    // oxlint-disable-next-line no-await-in-loop -- until it holds
    while (!isOver && recoveries === before) await wait(5);
  }
  assert.equal((await ended).sent, { objects: 20_000 });
  assert.is(recoveries, 2, "losses that the flow has recovered from");
  assert.equal(await kept(system), upTo(20_000));
  await system.close();
  await session.close();
  await rm(folder, { recursive: true, force: true });
}, 100_000);

if (hasProcesses()) test.run();
