import fc from "fast-check";
import * as assert from "uvu/assert";
import { suite } from "../../kit/suite.ts";
import { account, ledger, source } from "./flows/ledger-actors.ts";
import {
  delivered,
  deliveredToAccounts,
  fromSource,
  gathered,
  inBatches,
  owners,
  throughSource,
  toAccounts,
  toLedger,
  toPool,
} from "./flows/ledger-flows.ts";
import { meetingPlaces, type Meeting, type MeetingPlace } from "./flows/meetings.ts";
import { workerPool } from "../../../lib/index.ts";

const test = suite("flows and actors");
const upTo = (end: number): number[] => Array.from({ length: end }, (_, number) => number);
const sorted = (numbers: readonly number[]): number[] => numbers.toSorted((left, right) => left - right);

for (const { name, open, close } of meetingPlaces) {
  const add = (sentence: string, body: (meeting: Meeting) => Promise<void>): void =>
    test(`${sentence} (${name})`, async () => body(await open()));

  add("an actor is sent each object of a stream", async ({ session, system }) => {
    const to = system.spawn(ledger, {});
    const { sent } = await toLedger.run({ to, upTo: 500 }, { on: session });
    assert.equal(sent, { objects: 500 });
    assert.equal(sorted(await to.ask("numbers")), upTo(500));
  });

  add("with batches, messages are arrays of objects", async ({ session, system }) => {
    const to = system.spawn(ledger, {});
    const { sent } = await inBatches.run({ to, upTo: 500, batches: 60 }, { on: session });
    assert.equal(sent, { objects: 500 });
    assert.equal(sorted(await to.ask("numbers")), upTo(500));
    assert.is(await to.ask("largest"), 60);
  });

  add("entities are sent what is of their keys", async ({ session, system }) => {
    const prefix = `plain-${name}`;
    const { sent } = await toAccounts.run({ to: system.entities(account), upTo: 500, prefix }, { on: session });
    assert.equal(sent, { objects: 500 });
    for (let owner = 0; owner < owners; owner++) {
      const numbers = await system.entity(account, `${prefix}-${owner}`).ask("numbers");
      assert.equal(
        sorted(numbers),
        upTo(500).filter((number) => number % owners === owner),
      );
    }
  });

  add("deliveries hold each object once", async ({ session, system }) => {
    const to = system.spawn(ledger, { stumbles: 2 });
    const { sent } = await delivered.run({ to, upTo: 500, batches: 30 }, { on: session, onEvent: () => {} });
    assert.equal(sent, { objects: 500 });
    assert.equal(sorted(await to.ask("numbers")), upTo(500));
    assert.ok((await to.ask("repeated")) > 0, "nothing was sent again");
    const prefix = `delivered-${name}`;
    await deliveredToAccounts.run({ to: system.entities(account), upTo: 500, prefix }, { on: session });
    const each = upTo(owners).map((owner) => system.entity(account, `${prefix}-${owner}`).ask("numbers"));
    assert.equal(sorted((await Promise.all(each)).flat()), upTo(500));
  });

  add("a stream has what an actor gives until it says that there is no more", async ({ session, system }) => {
    const from = system.spawn(source, 235);
    const { numbers } = await fromSource.run({ from }, { on: session });
    assert.equal(sorted(numbers), upTo(235));
  });

  add("several actors are asked by a channel each", async ({ session, system }) => {
    const from = [system.spawn(source, 40), system.spawn(source, 0), system.spawn(source, 60)];
    const { numbers } = await fromSource.run({ from }, { on: session });
    assert.equal(sorted(numbers), sorted([...upTo(40), ...upTo(60)]));
  });

  add("a flow takes from actors and sends to actors at once", async ({ session, system }) => {
    const to = system.spawn(ledger, {});
    const from = [system.spawn(source, 100), system.spawn(source, 100)];
    const { sent } = await throughSource.run({ from, to }, { on: session });
    assert.equal(sent, { objects: 200 });
    assert.equal(sorted(await to.ask("numbers")), sorted([...upTo(100), ...upTo(100)]));
  });

  add("no more messages wait for answers than a channel has credit", async ({ session, system }) => {
    for (const inFlight of [1, 8]) {
      const to = system.spawn(ledger, {});
      const { sent } = await gathered.run({ to, upTo: 100, inFlight }, { on: session });
      assert.equal(sent, { objects: 100 });
      assert.is(await to.ask("most"), inFlight);
    }
  });

  add("an actor whose mailbox has no room is asked again", async ({ session, system }) => {
    const to = system.spawn(ledger, { pauseMs: 1 }, { mailbox: { limit: 20, full: "fail" } });
    const { sent } = await toLedger.run({ to, upTo: 100 }, { on: session });
    assert.equal(sent, { objects: 100 });
    assert.equal(sorted(await to.ask("numbers")), upTo(100));
  });

  test.after(close);
}

test("a router spreads the objects of a stream over its workers", async () => {
  const { session, system } = await (meetingPlaces[0] as MeetingPlace).open();
  const to = system.spawn(workerPool(ledger, { size: 3, key: ({ payload }) => String(payload) }), {});
  const { sent } = await toPool.run({ to, upTo: 300 }, { on: session });
  assert.equal(sent, { objects: 300 });
});

test("whatever the sizes, each object comes once, and those of a channel in the stream's order", async () => {
  const { session, system } = await (meetingPlaces[2] as MeetingPlace).open();
  const size = fc.integer({ min: 1, max: 40 });
  await fc.assert(
    fc.asyncProperty(
      size,
      size,
      fc.integer({ min: 0, max: 300 }),
      fc.boolean(),
      async (batches, inFlight, count, numbered) => {
        const to = system.spawn(ledger, {});
        const flow = numbered ? delivered : inBatches;
        const args = { to, upTo: count, batches, inFlight };
        const { sent } = await flow.run(args, { on: session, limits: { parcelObjects: 25 } });
        assert.equal(sent, { objects: count });
        const came = await to.ask("numbers");
        assert.equal(sorted(came), upTo(count));
        // Two channels read, a half each.
        const half = Math.floor(count / 2);
        for (const isFirst of [true, false]) {
          const part = came.filter((number) => number < half === isFirst);
          assert.equal(part, sorted(part));
        }
      },
    ),
    { numRuns: 20 },
  );
});

test.run();
