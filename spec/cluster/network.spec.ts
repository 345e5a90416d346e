// specs: alone
// specs: timeout 120 s
// A cluster of hosts with addresses of their own: slow links, partitions, hosts that go and come back. Whatever happens, what comes
// out is what one thread gives.

import { statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { cluster, type ClusterSession, type Execution } from "../../lib/index.ts";
import type { ExecutionEvent } from "../../actors/scheduler/execution-events.ts";
import { multiset } from "../../lib/testing/multiset.ts";
import { makeSpecFolder } from "../kit/faults.ts";
import { hasRedisServer } from "../kit/redis-server.ts";
import { inOwnNetwork } from "../kit/network-namespaces.ts";
import { note } from "../kit/note.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { bulkSums, pieceBytes } from "./bulk-flow.ts";
import { sumsAndJoin, type Pace } from "./fault-flows.ts";
import { Hosts } from "./hosts.ts";
import { watchLink } from "./link-load.ts";

const test = suite("a cluster of hosts");

type Outputs = Awaited<ReturnType<typeof sumsAndJoin.run>>;
interface Expected {
  readonly pace: Pace;
  readonly expected: Outputs;
}

const leaseMs = 2500;
const bytesPerSecond = 10e6;
// What a link may take at once, before its rate holds.
const burstBytes = 64 * 1024;

if (!inSlot && (await hasRedisServer()) && (await inOwnNetwork(import.meta.url))) {
  const hosts = await Hosts.start({ workers: 3, leaseMs, bytesPerSecond, delayMs: 3 });
  const { network, headHost, redisHost } = hosts;
  const folder = makeSpecFolder("network");
  const [long, short] = await Promise.all([
    expecting({ count: 30_000, everyMs: 60 }),
    expecting({ count: 6000, everyMs: 60 }),
  ]);
  const open = (): Promise<ClusterSession> => cluster({ url: hosts.url, token: hosts.token, tls: hosts.tls });

  /** Runs the flow, and does something once it is under way. Gives the kinds of events, and how many machines it was placed on. */
  const runWith = async (
    happens: () => Promise<void>,
    { pace, expected }: Expected = long,
  ): Promise<{ readonly kinds: readonly string[]; readonly losses: string; readonly machines: number }> => {
    await using session = await open();
    const kinds: string[] = [];
    const losses: string[] = [];
    const machines = new Set<string | undefined>();
    const onEvent = (event: ExecutionEvent): void => {
      kinds.push(event.kind);
      if (event.kind === "slot-lost") losses.push(event.error.message);
      if (event.kind === "placed") for (const { slot } of event.placement) machines.add(slot.split("/")[0]);
    };
    const execution = await sumsAndJoin.start(pace, { on: session, onEvent });
    for await (const { kind } of execution.events()) if (kind === "started") break;
    await wait(300);
    await happens();
    assert.equal(ordered(await execution.outputs), expected);
    return { kinds, losses: losses.join("; "), machines: machines.size };
  };

  test("links of 10 MB/s with a delay carry sums and a join", async () => {
    const { kinds, losses } = await runWith(async () => {});
    assert.not.ok(kinds.includes("recovered"), losses);
  });

  test("a flow with many bytes waits for its link of 10 MB/s, and makes little more than that takes", async () => {
    const [pieces, inputBytes] = [136, 4 << 20];
    const args = { pieces, made: join(folder.path, "made") };
    const expected = multiset(
      (await bulkSums.run({ pieces, made: join(folder.path, "here") }, { slots: 2, isolation: "none" })).sums,
    );
    const before = await Promise.all(hosts.workers.map(({ host }) => network.sent(host)));
    await using session = await open();
    const startedAt = performance.now();
    const execution = await bulkSums.start(args, { on: session, limits: { inputBytes } });
    const machine = await machineOf(execution, "bulk");
    const from = hosts.workers.findIndex(({ process }) => process.id === machine);
    const load = await watchLink(
      {
        network,
        host: hosts.worker(from).host,
        before: before[from] ?? { bytes: 0, heldBack: 0 },
        made: () => (statSync(args.made, { throwIfNoEntry: false })?.size ?? 0) * pieceBytes,
      },
      execution.outputs,
    );
    const elapsedMs = performance.now() - startedAt;
    assert.equal(multiset((await execution.outputs).sums), expected);
    assert.ok(load.bytes >= pieces * pieceBytes, `${load.bytes} bytes went over the link`);
    assert.ok(
      elapsedMs >= ((load.bytes - burstBytes) / bytesPerSecond) * 1000,
      `${load.bytes} bytes in ${elapsedMs} ms`,
    );
    assert.ok(load.heldBack > 100, `the link had to hold back something ${load.heldBack} times only`);
    assert.ok(load.aheadMost <= 2 * inputBytes, `${load.aheadMost} bytes had been made and not sent`);
    const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
    note(
      `a link of ${megabytes(bytesPerSecond)} MB/s: ${megabytes(load.bytes)} MB in ${(elapsedMs / 1000).toFixed(1)} s with submission, ` +
        `${megabytes(load.bytesPerSecondMost)} MB/s in its best second, at most ${megabytes(load.aheadMost)} MB made ahead of it`,
    );
  });

  test("a partition that is shorter than the lease is waited for, one way and both", async () => {
    const [first, second] = [hosts.worker(0).host, hosts.worker(1).host];
    const { kinds } = await runWith(async () => {
      await network.cut(first, second);
      await wait(700);
      await network.mend(first, second);
      await network.part(first, headHost);
      await wait(700);
      await network.unite(first, headHost);
    });
    assert.not.ok(kinds.includes("recovered"), kinds.join());
  });

  test("two hosts that can't reach each other for long are no deadlock", async () => {
    const [first, second] = [hosts.worker(0).host, hosts.worker(1).host];
    await runWith(async () => {
      await network.part(first, second);
      await wait(4500);
      await network.unite(first, second);
    }, short);
  });

  test("two hosts that don't reach each other any more: the execution goes on without one, which others may use", async () => {
    const [first, second] = [hosts.worker(0).host, hosts.worker(1).host];
    const { kinds } = await runWith(() => network.part(first, second), short);
    assert.ok(kinds.includes("recovered"), kinds.join());
    await network.unite(first, second);
    await using session = await open();
    assert.is((await session.list()).machines.length, 3);
  });

  test("a host that can't reach Redis, while others can, is given up after its lease; they go on meanwhile", async () => {
    const { host, process } = hosts.worker(2);
    await using session = await open();
    const isAway = async (): Promise<boolean> =>
      (await session.list()).machines.some(({ id, storeAway }) => id === process.id && storeAway === true);
    const { kinds } = await runWith(async () => {
      await network.cut(host, redisHost);
      await until(isAway, "nobody noticed");
      // It says so once more, half a lease later.
      await wait(leaseMs);
      await network.mend(host, redisHost);
    });
    assert.ok(kinds.includes("recovered"), kinds.join());
  });

  test("a host that only the driver can't hear does no harm while others take its work", async () => {
    const { host } = hosts.worker(1);
    const { kinds } = await runWith(async () => {
      await network.cut(host, headHost);
      await wait(leaseMs + 1000);
      await network.mend(host, headHost);
    });
    assert.ok(kinds.includes("recovered"), kinds.join());
  });

  test("a host that is cut off for longer than its lease is replaced, and joins again", async () => {
    const { host, process } = hosts.worker(0);
    const joined = (): number => (process.output().match(/^joined /gmu) ?? []).length;
    const before = joined();
    const { kinds } = await runWith(async () => {
      await network.unplug(host);
      await wait(leaseMs + 1000);
      await network.plug(host);
    });
    assert.ok(kinds.includes("recovered"), kinds.join());
    await until(() => joined() > before, "it didn't join again");
  });

  test("a host that came back is used, and one that is killed costs only its work", async () => {
    const { host, process } = hosts.worker(2);
    const { kinds, machines } = await runWith(async () => {
      await network.unplug(host);
      await process.kill();
    });
    assert.ok(kinds.includes("recovered"), kinds.join());
    assert.ok(machines >= 3, `it began on ${machines} machines`);
  });

  test.after(async () => {
    await hosts.stop();
    folder.remove();
  });
}

/** The machine that a step is on, once it is placed. */
async function machineOf(execution: Execution<unknown>, wanted: string): Promise<string> {
  for await (const event of execution.events()) {
    const found = event.kind === "placed" ? event.placement.find(({ step }) => step === wanted) : undefined;
    if (found !== undefined) return found.slot.split("/")[0] ?? "";
  }
  return "";
}

async function expecting(pace: Pace): Promise<Expected> {
  return { pace, expected: ordered(await sumsAndJoin.run({ ...pace, everyMs: 0 }, { slots: 1 })) };
}

function ordered({ sums, joined }: Outputs): Outputs {
  return { sums: multiset(sums), joined: multiset(joined) };
}

async function until(holds: () => boolean | Promise<boolean>, otherwise: string): Promise<void> {
  for (let turn = 0; turn < 100; turn++) {
    // oxlint-disable-next-line no-await-in-loop -- look by look
    if (await holds()) return;
    // oxlint-disable-next-line no-await-in-loop -- it waits
    await wait(100);
  }
  assert.unreachable(otherwise);
}

test.run();
