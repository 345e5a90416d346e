// specs: timeout 120 s
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import {
  local,
  type DistributedActors,
  type Execution,
  type Flow,
  type FlowSession,
  type RunOptions,
} from "../../../lib/index.ts";
import { defaultLimits } from "../../../lib/core/limits.ts";
import { hasProcesses, signal, slotProcesses } from "../../kit/faults.ts";
import { suite } from "../../kit/suite.ts";
import bank, { account, ledger, source } from "./flows/ledger-actors.ts";
import { delivered, fromSource, toAccounts, toLedger, type Ledger } from "./flows/ledger-flows.ts";

const test = suite("flows and actors that lose slots");
// Slots that take the place of lost ones are started meanwhile.
const slowMs = 100_000;
const inClient = { place: { kind: "client" } } as const;
const upTo = (end: number): number[] => Array.from({ length: end }, (_, number) => number);
const sorted = (numbers: readonly number[]): number[] => numbers.toSorted((left, right) => left - right);

// A reader runs so many tasks ahead of its log, and one is on its way.
const tasksAhead = defaultLimits.uncommittedTasks + 1;

let session: FlowSession;
let system: DistributedActors;

/** Runs a flow, and kills the slot of a channel of a step each time that something holds. */
async function runWithKills<Args extends object, Outs extends Record<string, unknown>>(
  flow: Flow<Args, Outs>,
  args: Args,
  { step, when }: { readonly step: string; readonly when: readonly (() => Promise<boolean>)[] },
): Promise<Outs> {
  let recoveries = 0;
  const options: RunOptions = {
    on: session,
    limits: { parcelObjects: 50 },
    onEvent: ({ kind }) => void (kind === "recovered" && recoveries++),
  };
  const start = flow.start as (args: Args, options: RunOptions) => ReturnType<Flow<Args, Outs>["start"]>;
  const execution = await start(args, options);
  let isOver = false;
  const killing = (async (): Promise<void> => {
    for (const holds of when) {
      const before = recoveries;
      while (!isOver && !(await holds())) await wait(2);
      // What the flow says of its channels may take a moment.
      while (!isOver && !killSlotOf(execution, step)) await wait(2);
      while (!isOver && recoveries === before) await wait(5);
    }
  })();
  const outputs = await execution.outputs.finally(() => (isOver = true));
  await killing;
  assert.is(recoveries, when.length, "losses that the flow has recovered from");
  return outputs;
}

/** Kills the process that has a channel of a step; false while it isn't known. */
function killSlotOf({ metrics }: Pick<Execution<unknown>, "metrics">, step: string): boolean {
  const slot = metrics?.channels.find((channel) => channel.step === step)?.slot;
  const chosen = slotProcesses().find((each) => each.slot === slot);
  return chosen !== undefined && signal(chosen.pid, "SIGKILL");
}

/** Holds once an actor has so many numbers. */
const has =
  (to: Ledger, least: number): (() => Promise<boolean>) =>
  async () =>
    (await to.ask("numbers")).length >= least;

test.before(async () => {
  session = await local({ slots: 2, isolation: "process", store: "memory", checkpointEveryMs: 40 });
  system = await bank.start({ on: session, onEvent: () => {} });
});

test.after(async () => {
  await system.close();
  await session.close();
});

test(
  "after losses an actor has all objects, some perhaps again",
  async () => {
    const to = system.spawn(ledger, { pauseMs: 1 }, inClient);
    const when = [has(to, 100), has(to, 300)];
    const { sent } = await runWithKills(toLedger, { to, upTo: 600 }, { step: "sent", when });
    assert.equal(sent, { objects: 600 });
    assert.equal(sorted([...new Set(await to.ask("numbers"))]), upTo(600));
  },
  slowMs,
);

test(
  "deliveries after losses hold each object once",
  async () => {
    const to = system.spawn(ledger, { pauseMs: 1 }, inClient);
    const when = [has(to, 3000), has(to, 12_000)];
    const { sent } = await runWithKills(delivered, { to, upTo: 30_000, batches: 50 }, { step: "sent", when });
    assert.equal(sent, { objects: 30_000 });
    assert.equal(sorted(await to.ask("numbers")), upTo(30_000));
  },
  slowMs,
);

test(
  "entities that are lost go on elsewhere, and are sent the rest",
  async () => {
    const one = system.entity(account, "lost-1");
    const when = [async () => (await one.ask("numbers")).length > 20];
    const { sent } = await runWithKills(
      toAccounts,
      { to: system.entities(account), upTo: 20_000, prefix: "lost" },
      { step: "sent", when },
    );
    assert.equal(sent, { objects: 20_000 });
  },
  slowMs,
);

test(
  "what a source has given is read once, but for what was on its way",
  async () => {
    const from = system.spawn(source, 6000, inClient);
    const given = (least: number) => async (): Promise<boolean> => (await from.ask("given")) >= least;
    const { numbers } = await runWithKills(fromSource, { from }, { step: "numbers", when: [given(1000), given(3000)] });
    assert.is(new Set(numbers).size, numbers.length, "read twice");
    assert.is(await from.ask("given"), 6000);
    // Some answers of ten for each loss: those of tasks that the log didn't have yet.
    assert.ok(numbers.length >= 6000 - 2 * 10 * tasksAhead, `${6000 - numbers.length} are missing`);
  },
  slowMs,
);

if (hasProcesses()) test.run();
