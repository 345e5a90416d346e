import { setTimeout as wait } from "node:timers/promises";
import fc from "fast-check";
import * as assert from "uvu/assert";
import { OutgoingLink } from "../../../actors/channel/outgoing-link.ts";
import type { Parcel } from "../../../actors/channel/parcel.ts";
import { Spool, SpoolBudget } from "../../../actors/channel/spool.ts";
import { decodeObjects } from "../../../lib/core/codec/index.ts";
import type { QStreamError } from "../../../lib/core/errors.ts";
import { nodeDisk } from "../../../lib/core/seam/node-disk.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("spools and links");

interface Spooled {
  readonly spool: Spool;
  readonly budget: SpoolBudget;
  readonly failures: QStreamError[];
  spilled: number;
}

function spoolOf(memoryBytesMax: number, diskBytesMax = 1 << 20): Spooled {
  const budget = new SpoolBudget(nodeDisk(), { spoolMemoryBytes: memoryBytesMax, spoolDiskBytes: diskBytesMax });
  const failures: QStreamError[] = [];
  const parts: Spooled = {
    budget,
    failures,
    spilled: 0,
    spool: new Spool(budget, {
      spilled: (bytes) => void (parts.spilled += bytes),
      failed: (error) => void failures.push(error as QStreamError),
      settled: () => {},
    }),
  };
  return parts;
}

const parcelOf = (seq: number, objects: readonly unknown[] = [seq]): Parcel => ({
  seq,
  previous: seq - 1,
  from: 0,
  rows: objects.length,
  bytes: objects.length * 10,
  columnar: false,
  content: { objects },
});
const objectsOf = ({ content }: Parcel): readonly unknown[] =>
  "objects" in content ? content.objects : decodeObjects(content.payload);

async function settled(spool: Spool): Promise<void> {
  while (spool.writing) await wait(1);
}

test("parcels are kept in memory as long as they fit, then on disk, and come out in order", async () => {
  const { spool, budget, ...rest } = spoolOf(30);
  for (let seq = 0; seq < 10; seq++) spool.add(parcelOf(seq, [{ seq, text: "x" }]));
  assert.is(budget.memoryBytes, 30);
  assert.ok(spool.writing);
  await settled(spool);
  assert.ok(budget.diskBytes > 0);
  const out: unknown[] = [];
  await spool.drain(
    () => out.length < 5,
    (parcel) => void out.push(...objectsOf(parcel)),
  );
  assert.not(spool.empty);
  spool.add(parcelOf(10, [{ seq: 10, text: "x" }]));
  await settled(spool);
  await spool.drain(
    () => true,
    (parcel) => void out.push(...objectsOf(parcel)),
  );
  assert.equal(
    out,
    Array.from({ length: 11 }, (_, seq) => ({ seq, text: "x" })),
  );
  assert.ok(spool.empty);
  assert.is(budget.memoryBytes, 0);
  assert.equal(rest.failures, []);
  spool.clear();
  await budget.disk.clear();
});

test("what is on its way to disk and back is counted", async () => {
  const { spool, budget } = spoolOf(0);
  spool.add(parcelOf(0));
  spool.add(parcelOf(1));
  assert.is(budget.parcelsMoving, 2);
  await settled(spool);
  assert.is(budget.parcelsMoving, 0);
  let left = 2;
  const drained = spool.drain(
    () => left > 0,
    () => void left--,
  );
  assert.is(budget.parcelsMoving, 1);
  await drained;
  assert.is(budget.parcelsMoving, 0);
  spool.clear();
  await budget.disk.clear();
});

test("the disk has a limit, which is named", async () => {
  const { spool, budget, failures } = spoolOf(0, 200);
  for (let seq = 0; seq < 20; seq++) spool.add(parcelOf(seq, ["some text that takes room on the disk"]));
  await settled(spool);
  assert.is(failures[0]?.code, "LIMIT_EXCEEDED");
  assert.match(failures[0]?.message ?? "", "spoolDiskBytes");
  await budget.disk.clear();
});

test("what couldn't be written isn't held, and nothing that comes after it is sent, until another life makes it again", async () => {
  const { spool, budget, failures } = spoolOf(0, 0);
  const got: number[] = [];
  const target = { local: true, slot: "s", parcel: ({ seq }: Parcel) => void got.push(seq), end: () => {} };
  const link = new OutgoingLink(0, 0, { objects: 1, bytes: 1 << 20 }, target, spool);
  for (const seq of [0, 1, 2]) link.send(parcelOf(seq));
  await settled(spool);
  assert.equal(got, [0]);
  assert.is(failures.length, 1);
  assert.is(link.heldAfter, 0, "the consumer may have what came before");
  // The consumer is another life, which opens the link before anybody knows that this producer has failed.
  link.redirect(target);
  link.open(0, 100, 1 << 20);
  await link.pump();
  link.send(parcelOf(3));
  await link.pump();
  assert.equal(got, [0]);
  assert.not(link.drained);
  await budget.disk.clear();
});

test("what comes back from the disk cut or changed is found, never read as data", async () => {
  for (const spoil of [
    (bytes: Uint8Array) => bytes.subarray(1),
    (bytes: Uint8Array) => bytes.map((byte) => byte ^ 1),
  ]) {
    const { spool, budget } = spoolOf(0);
    const { disk } = budget;
    const damaged: SpoolBudget["disk"] = Object.assign(Object.create(disk) as typeof disk, {
      create: async (purpose: string) => {
        const file = await disk.create(purpose);
        return Object.assign(Object.create(file) as typeof file, {
          append: (bytes: Uint8Array) => file.append(bytes),
          read: async (position: number, length: number) => spoil(await file.read(position, length)),
          remove: () => file.remove(),
        });
      },
    });
    const spoiled = new Spool(new SpoolBudget(damaged, { spoolMemoryBytes: 0, spoolDiskBytes: 1000 }), {
      spilled: () => {},
      failed: () => {},
      settled: () => {},
    });
    spoiled.add(parcelOf(0));
    await settled(spoiled);
    const drained = spoiled.drain(
      () => true,
      () => assert.unreachable("damaged bytes were delivered"),
    );
    const error = await drained.then(
      () => undefined,
      (thrown: unknown) => thrown as QStreamError,
    );
    assert.is(error?.code, "SPOOL_DAMAGED");
    spool.clear();
    await disk.clear();
  }
});

test("clear gives the budget back and removes the file", async () => {
  const { spool, budget, failures } = spoolOf(20);
  for (let seq = 0; seq < 6; seq++) spool.add(parcelOf(seq));
  await settled(spool);
  spool.clear();
  assert.equal([budget.memoryBytes, budget.diskBytes], [0, 0]);
  await wait(20);
  assert.equal(failures, []);
  await budget.disk.clear();
});

test("a link counts credit in objects and bytes, and numbers what it sends", () => {
  const sent: string[] = [];
  const target = {
    local: true,
    slot: "s",
    parcel: ({ seq, previous }: Parcel) => void sent.push(`${previous}<${seq}`),
    end: (previous: number) => void sent.push(`end ${previous}`),
  };
  const link = new OutgoingLink(0, 0, { objects: 3, bytes: 1000 }, target, undefined);
  // A parcel gets its place in the order when it is made, which may be long before its task is committed.
  const send = (parcel: Parcel): void => link.send({ ...parcel, previous: link.make(parcel) });
  send(parcelOf(4, [1, 2]));
  assert.ok(link.hasCredit && !link.blocks);
  send(parcelOf(7, [3, 4]));
  assert.ok(link.blocks, "one parcel may go beyond the window, and then none");
  link.grant(1, 0);
  assert.ok(link.blocks);
  link.grant(1, 0);
  assert.not(link.blocks);
  send({ ...parcelOf(8, [5]), bytes: 2000 });
  assert.ok(link.blocks, "bytes count as well");
  link.end();
  link.end();
  send(parcelOf(9));
  assert.equal(sent, ["-1<4", "4<7", "7<8", "end 8"]);
});

test("a link that spools never blocks for credit, and sends in order what credit allows", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ rows: fc.integer({ min: 1, max: 4 }), grant: fc.nat(4) }), { maxLength: 30 }),
      fc.nat(60),
      async (steps, memory) => {
        const { spool, budget, failures } = spoolOf(memory);
        const got: number[] = [];
        let credit = 3;
        const target = {
          local: true,
          slot: "s",
          parcel: (parcel: Parcel) => {
            assert.ok(credit > 0, "sent without credit");
            credit -= parcel.rows;
            assert.is(parcel.previous, got.at(-1) ?? -1);
            got.push(parcel.seq);
          },
          end: () => {},
        };
        const link = new OutgoingLink(0, 0, { objects: 3, bytes: 1 << 20 }, target, spool);
        for (const [seq, { rows, grant }] of steps.entries()) {
          link.send(
            parcelOf(
              seq,
              Array.from({ length: rows }, () => seq),
            ),
          );
          credit += grant;
          link.grant(grant, 0);
          await link.pump();
        }
        credit += 1000;
        link.grant(1000, 0);
        await settled(spool);
        await link.pump();
        assert.equal(
          got,
          steps.map((_, seq) => seq),
        );
        assert.ok(link.drained);
        assert.equal(failures, []);
        await budget.disk.clear();
      },
    ),
    { numRuns: 40 },
  );
});

test.run();
