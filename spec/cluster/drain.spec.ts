// specs: waits
// specs: timeout 120 s
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { cluster, type ExecutionEvent } from "../../lib/index.ts";
import { LoopbackCluster } from "../../lib/testing/loopback-cluster.ts";
import { makeSpecFolder } from "../kit/faults.ts";
import { hasRedisServer, startRedisServer } from "../kit/redis-server.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { askHead } from "./ask-head.ts";
import { qstream } from "../lib/cli/command.ts";
import { gatesOf, heldChannels, heldSums } from "./drain-flows.ts";
import { slowSums, sums, sumsOf } from "./flows.ts";
import { happens } from "./happens.ts";
import { taggedSums } from "./placed-flows.ts";

const test = suite("machines that are drained");

type Sums = readonly { readonly key: number; readonly value: number }[];
const sorted = (found: { readonly sums: Sums }): Sums => found.sums.toSorted((left, right) => left.key - right.key);

if (!inSlot && (await hasRedisServer())) {
  const folder = makeSpecFolder("drain");
  const redis = await startRedisServer();
  const machines = await LoopbackCluster.start({ store: redis.url, machines: 2, slots: 2, leaseMs: 8000 });

  test("what a machine runs moves to others, and it may go", async () => {
    await using session = await cluster({ url: machines.url });
    const upTo = 600_000;
    const moved: string[] = [];
    const gate = join(folder.path, "moved");
    const execution = await slowSums.start(
      { upTo, gate },
      {
        on: session,
        onEvent: (event) => {
          if (event.kind === "recovered") moved.push(...event.channels.map(({ slot }) => slot));
        },
      },
    );
    for await (const { kind } of execution.events()) if (kind === "started") break;
    await wait(500);
    const [drained] = machines.machines;
    const answers = await askHead(machines.url, { kind: "drain", machine: drained?.id ?? "" });
    assert.equal(
      answers.map(({ kind }) => kind),
      ["welcome", "drained"],
    );
    // The client hears of it over another connection.
    for (let turn = 0; turn < 500 && moved.length === 0; turn++) await wait(50);
    writeFileSync(gate, "");
    assert.ok(
      moved.length > 0 && moved.every((slot) => !slot.startsWith(`${drained?.id}/`)),
      `moved to: ${moved.join()}`,
    );
    assert.equal(
      (await session.list()).machines.map(({ id }) => id),
      [machines.machines[1]?.id],
    );
    assert.is(await drained?.ended, 0);
    assert.match(
      drained?.output() ?? "",
      /^drained after .*: nothing needs machine .*; executions that ran here: 1$/mu,
    );
    assert.equal(sorted(await execution.outputs), sumsOf(upTo));
  });

  test("a machine that comes under load takes over what a drained one had", async () => {
    await using session = await cluster({ url: machines.url });
    const upTo = 600_000;
    const gate = join(folder.path, "taken-over");
    const execution = await slowSums.start({ upTo, gate }, { on: session });
    for await (const { kind } of execution.events()) if (kind === "started") break;
    const added = await machines.addMachine();
    await askHead(machines.url, { kind: "drain", machine: machines.machines[1]?.id ?? "" });
    assert.is(await machines.machines[1]?.ended, 0);
    writeFileSync(gate, "");
    assert.equal(sorted(await execution.outputs), sumsOf(upTo));
    assert.ok(execution.metrics?.channels.some(({ slot }) => slot.startsWith(`${added.id}/`)));
    assert.equal(sorted(await sums.run({ upTo: 1000 }, { on: session })), sumsOf(1000));
  });

  test("a machine that isn't there can't be drained", async () => {
    const answers = await askHead(machines.url, { kind: "drain", machine: "nobody" });
    const [, refused] = answers;
    assert.is(refused?.kind, "refused");
    assert.is(refused?.kind === "refused" ? refused.error.code : "", "MACHINE_UNREACHABLE");
  });

  test("by the command line: other channels and executions go on while what the machine has is waited for, and nothing else moves", async () => {
    await using session = await cluster({ url: machines.url });
    await machines.addMachine();
    const drained = await machines.addMachine(["--tag", "gpu"]);
    const [upTo, gate] = [60_000, join(folder.path, "held")];
    const [second, last] = gatesOf(gate);
    /** Where channels are by now, and those that were begun anew. */
    const places = new Map<string, string>();
    const anew = new Set<string>();
    const onEvent = (event: ExecutionEvent): void => {
      if (event.kind === "placed") for (const one of event.placement) places.set(nameOf(one), one.slot);
      if (event.kind !== "recovered") return;
      for (const one of event.channels) {
        places.set(nameOf(one), one.slot);
        anew.add(nameOf(one));
      }
    };
    const namesThere = (): string[] =>
      [...places].filter(([, slot]) => slot.startsWith(`${drained.id}/`)).map(([name]) => name);
    const held = await heldSums.start({ count: upTo, gate }, { on: session, onEvent });
    await happens(held, "started");
    // On a slow machine it may have begun before its driver had heard of all machines.
    for (; namesThere().length === 0; await wait(100)) await session.rebalance(held.id);
    const there = namesThere();
    const stay = new Set([...places.keys()].filter((name) => !there.includes(name)));
    assert.ok(stay.size > 0);
    /** Waits until the channels that stay have read more than a part of what is theirs. */
    const readMoreThan = async (share: number): Promise<void> => {
      const least = (upTo / heldChannels) * share;
      const isRead = (): boolean =>
        held.metrics?.channels
          .filter((one) => one.step === "numbers" && stay.has(nameOf(one)))
          .every(({ metrics: { objectsRead, before } }) => objectsRead + (before?.objectsRead ?? 0) > least) === true;
      while (!isRead()) await wait(20);
    };
    await readMoreThan(0);
    // What only this machine may have keeps it from being drained until there is another such machine.
    const tagged = await taggedSums.start({ count: 300, gate: last, waitMs: 60_000 }, { on: session });
    await happens(tagged, "started");
    anew.clear();
    let isDrained = false;
    const command = qstream(["drain", drained.id, "--cluster", machines.url]).finally(() => (isDrained = true));

    while (namesThere().length > 0) await wait(20);
    assert.is((await happens(tagged, "waiting")).missing, '1 machine with the tag "gpu"');
    writeFileSync(second, "");
    await readMoreThan(1 / 3);
    assert.equal(sorted(await sums.run({ upTo: 1000 }, { on: session })), sumsOf(1000));
    assert.not.ok(isDrained, "it wasn't to be drained by then");
    assert.is((await session.list()).machines.find(({ id }) => id === drained.id)?.draining, true);

    const another = await machines.addMachine(["--tag", "gpu"]);
    const { code, stdout, stderr } = await command;
    assert.is(code, 0, stderr);
    assert.is(stdout, `${drained.id} is drained: its worker ends\n`);
    assert.is(await drained.ended, 0);
    assert.match(drained.output(), `nothing needs machine ${drained.id} any more; executions that ran here: 2\n`);
    assert.not.ok((await session.list()).machines.some(({ id }) => id === drained.id));

    writeFileSync(last, "");
    const alone = sorted(await heldSums.run({ count: upTo, gate }, { isolation: "none" }));
    assert.equal(sorted(await held.outputs), alone);
    assert.equal(sorted(await tagged.outputs), sumsOf(300));
    assert.equal(anew, new Set(there), "what wasn't there isn't begun anew");
    assert.is(namesThere().length, 0);
    assert.ok(tagged.metrics?.channels.some(({ slot }) => slot.startsWith(`${another.id}/`)));
  }, 60_000);

  test.after(async () => {
    await machines.stop();
    await redis.stop();
    folder.remove();
  });
}

const nameOf = ({ step, channel }: { readonly step: string; readonly channel: number }): string => `${step} ${channel}`;

test.run();
