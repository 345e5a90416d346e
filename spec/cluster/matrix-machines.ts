// What may happen to machines, and to what is between them.

import { statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { machineOf } from "../../actors/transport/wire/slots-on-wire.ts";
import type { ClusterProcess } from "../../lib/testing/loopback-cluster.ts";
import { sameMultiset } from "../../lib/testing/multiset.ts";
import { until } from "../actors/transport/wire/wires.ts";
import { bulkSums, pieceBytes } from "./bulk-flow.ts";
import { happens } from "./happens.ts";
import { assertNothingMoved, patienceMs, residentBytes, type MatrixWorld } from "./matrix-world.ts";
import { SteadyRun } from "./steady-run.ts";

const mib = 2 ** 20;
const inMib = (bytes: number): string => `${Math.round(bytes / mib)} MiB`;

/** A machine that is sent much stands still. */
export async function stoppedReceiver({ session, machines, folder, leaseMs }: MatrixWorld): Promise<string> {
  const [pieces, growthMax] = [1600, 200 * mib];
  const args = { pieces, made: join(folder, "made") };
  const execution = await bulkSums.start(args, { on: session });
  const { placement } = await happens(execution, "placed");
  const processOf = (step: string): ClusterProcess => {
    const id = machineOf(placement.find((one) => one.step === step)?.slot ?? "");
    const found = machines.machines.find((machine) => machine.id === id);
    if (found === undefined) throw new Error(`nobody knows ${id}`);
    return found;
  };
  const [sender, receiver] = [processOf("bulk"), processOf("sum")];
  const made = (): number => statSync(args.made, { throwIfNoEntry: false })?.size ?? 0;
  await until(() => made() > pieces / 8, patienceMs);
  receiver.pause();
  const before = { bytes: residentBytes(sender.pid), made: made() };
  const most = await mostOf(() => residentBytes(sender.pid), 0.6 * leaseMs);
  const meanwhile = made() - before.made;
  receiver.resume();
  assert.ok(made() < pieces, "it wasn't held up");
  assert.ok(most < before.bytes + growthMax, `${inMib(before.bytes)} became ${inMib(most)}`);
  const outputs = await execution.outputs;
  const kinds: string[] = [];
  for await (const { kind } of execution.events()) kinds.push(kind);
  assert.not.ok(kinds.includes("recovered") || kinds.includes("slot-lost"), kinds.join());
  const alone = await bulkSums.run({ pieces, made: join(folder, "alone") }, { slots: 2, isolation: "none" });
  assert.ok(sameMultiset(outputs.sums, alone.sums));
  return (
    `of ${inMib(pieces * pieceBytes)}, ${inMib(meanwhile * pieceBytes)} were made in ${0.6 * leaseMs} ms without a receiver; ` +
    `the sender had ${inMib(before.bytes)} before and ${inMib(most)} at most`
  );
}

async function mostOf(measure: () => number, forMs: number): Promise<number> {
  const started = performance.now();
  let most = 0;
  while (performance.now() - started < forMs) {
    // oxlint-disable-next-line no-await-in-loop -- look by look
    await wait(50);
    most = Math.max(most, measure());
  }
  return most;
}

/** One machine's links stall each other second, another's are cut each second. */
export async function flappingLinks({ session, relayed, folder }: MatrixWorld): Promise<string> {
  const [flapping, cut] = relayed;
  const steady = await SteadyRun.begin(session, folder);
  const before = steady.rowsRead;
  for (let second = 0; second < 15; second++) {
    if (second % 2 === 0) flapping?.relay.stall();
    else flapping?.relay.goOn();
    cut?.relay.cut();
    // oxlint-disable-next-line no-await-in-loop -- it goes on for a while
    await wait(1000);
  }
  flapping?.relay.goOn();
  const meanwhile = steady.rowsRead - before;
  await steady.endsRight();
  assertNothingMoved(steady);
  const { machines } = await session.list();
  const redials = machines.map(({ counts }) => counts?.redials ?? 0);
  return `${meanwhile} rows in 15 s; machines have dialled ${redials.join(", ")} times again`;
}

/** A machine has a tenth of its time. */
export async function slowMachine({ session, machines, folder }: MatrixWorld): Promise<string> {
  const namesOf = async (): Promise<readonly string[]> =>
    (await session.list()).machines.map(({ id }) => id).toSorted();
  const [slow] = machines.machines;
  const steady = await SteadyRun.begin(session, folder);
  const [names, before] = [await namesOf(), steady.rowsRead];
  for (let turn = 0; turn < 15; turn++) {
    slow?.pause();
    // oxlint-disable-next-line no-await-in-loop -- it goes on for a while
    await wait(900);
    slow?.resume();
    // oxlint-disable-next-line no-await-in-loop -- see above
    await wait(100);
  }
  const meanwhile = steady.rowsRead - before;
  await steady.endsRight();
  assertNothingMoved(steady);
  assert.equal(await namesOf(), names);
  return `${meanwhile} rows in 15 s`;
}

/** Every 1.5 seconds one comes or goes: killed, or told to leave. A slow machine has more time to recover from one that was killed. */
export async function comingAndGoing({ session, machines, folder }: MatrixWorld): Promise<string> {
  const [times, everyMs] = [20, 1500];
  const steady = await SteadyRun.begin(session, folder);
  const started = performance.now();
  const changes: Promise<unknown>[] = [];
  let joined: Promise<unknown> = Promise.resolve();
  let recovered = -1;
  for (let turn = 0; turn < times; turn++) {
    const kills = turn % 4 === 0;
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    if (kills) await until(() => steady.count("recovered") > recovered || steady.count("failed") > 0, patienceMs);
    if (kills) recovered = steady.count("recovered");
    const [oldest] = turn % 2 === 0 ? machines.machines.splice(0, 1) : [];
    if (oldest === undefined) changes.push((joined = machines.addMachine()));
    else {
      // On a machine that has much to do, all could be gone before another one has come: then an execution may give up.
      // oxlint-disable-next-line no-await-in-loop -- see above
      await joined;
      process.kill(oldest.pid, kills ? "SIGKILL" : "SIGTERM");
      changes.push(oldest.ended);
    }
    // oxlint-disable-next-line no-await-in-loop -- see above
    await wait(Math.max(0, started + (turn + 1) * everyMs - performance.now()));
  }
  const [took, meanwhile] = [performance.now() - started, steady.rowsRead];
  await Promise.all(changes);
  await steady.endsRight();
  const later = performance.now() - started - took;
  return (
    `${times} in ${Math.round(took)} ms: ${steady.count("slot-lost")} slots lost, ${steady.count("recovered")} recoveries; ` +
    `${meanwhile} rows meanwhile, done ${Math.round(later)} ms later`
  );
}
