// specs: waits
// specs: timeout 120 s
// A flow and actors on the machines of a cluster.
import * as assert from "uvu/assert";
import { cluster } from "../../lib/index.ts";
import { LoopbackCluster } from "../../lib/testing/loopback-cluster.ts";
import { hasRedisServer, startRedisServer } from "../kit/redis-server.ts";
import { inSlot, suite } from "../kit/suite.ts";
import bank, { account, ledger, source } from "../lib/actors/flows/ledger-actors.ts";
import {
  delivered,
  fromSource,
  owners,
  throughSource,
  toAccounts,
  toLedger,
} from "../lib/actors/flows/ledger-flows.ts";

const test = suite("flows and actors on a cluster");
const upTo = (end: number): number[] => Array.from({ length: end }, (_, number) => number);
const sorted = (numbers: readonly number[]): number[] => numbers.toSorted((left, right) => left - right);

if (!inSlot && (await hasRedisServer())) {
  const redis = await startRedisServer();
  const machines = await LoopbackCluster.start({ store: redis.url, machines: 2, leaseMs: 4000 });
  const session = await cluster({ url: machines.url });
  const system = await bank.start({ on: session, onEvent: () => {} });

  test("a flow sends to actors on other machines, and to entities", async () => {
    const [one, other] = [system.spawn(ledger, {}), system.spawn(ledger, {})];
    for (const to of [one, other]) {
      assert.equal(await toLedger.run({ to, upTo: 300 }, { on: session }), { sent: { objects: 300 } });
      assert.equal(sorted(await to.ask("numbers")), upTo(300));
    }
    await toAccounts.run({ to: system.entities(account), upTo: 300, prefix: "owner" }, { on: session });
    const each = upTo(owners).map((owner) => system.entity(account, `owner-${owner}`).ask("numbers"));
    assert.equal(sorted((await Promise.all(each)).flat()), upTo(300));
  });

  test("deliveries hold each object once", async () => {
    const to = system.spawn(ledger, {});
    await delivered.run({ to, upTo: 300, batches: 20 }, { on: session, exactlyOnce: true });
    assert.equal(sorted(await to.ask("numbers")), upTo(300));
  });

  test("a flow takes from actors, and both at once", async () => {
    const { numbers } = await fromSource.run({ from: system.spawn(source, 100) }, { on: session });
    assert.equal(sorted(numbers), upTo(100));
    const to = system.spawn(ledger, {});
    await throughSource.run({ from: [system.spawn(source, 50), system.spawn(source, 50)], to }, { on: session });
    assert.equal(sorted(await to.ask("numbers")), sorted([...upTo(50), ...upTo(50)]));
  });

  test("an actor that stays with the client is reached from all machines", async () => {
    const to = system.spawn(ledger, {}, { place: { kind: "client" } });
    await toLedger.run({ to, upTo: 100 }, { on: session });
    assert.equal(sorted(await to.ask("numbers")), upTo(100));
  });

  test.after(async () => {
    await system.close();
    await session.close();
    await machines.stop();
    await redis.stop();
  });
  test.run();
}
