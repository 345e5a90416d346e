import { setImmediate as nextTurn } from "node:timers/promises";
import * as assert from "uvu/assert";
import { encodeSnapshot } from "../../../actors/channel/channel-snapshot.ts";
import { NactHost } from "../../../actors/hosts/nact-host.ts";
import { noLineage } from "../../../actors/lineage/no-lineage.ts";
import type { Order, PrepareOrder, Report } from "../../../actors/slot/protocol.ts";
import { Slot } from "../../../actors/slot/slot.ts";
import { MemoryNetwork } from "../../../actors/transport/memory-transport.ts";
import type { LineageLog, LoadedCheckpoint } from "../../../lib/core/contracts/lineage.ts";
import { DatasetShelf } from "../../../lib/core/dataset-shelf.ts";
import { errorToData, QStreamError } from "../../../lib/core/errors.ts";
import { defaultLimits } from "../../../lib/core/limits.ts";
import type { Program } from "../../../lib/core/program.ts";
import { systemClock } from "../../../lib/core/seam/clock.ts";
import { nodeDisk } from "../../../lib/core/seam/node-disk.ts";
import { openFileSystem } from "../../../lib/files/index.ts";
import { planOf } from "../../kit/plans.ts";
import { reader } from "../../../lib/index.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("slot");

interface Bench {
  readonly slot: Slot;
  readonly reports: Report[];
  readonly network: MemoryNetwork;
  readonly loaded: (program: Program) => void;
  readonly failed: (error: Error) => void;
}

function bench(lineage: LineageLog = noLineage): Bench {
  const reports: Report[] = [];
  const network = new MemoryNetwork();
  let loaded = (_program: Program): void => {};
  let failed = (_error: Error): void => {};
  const loading = new Promise<Program>((resolve, reject) => {
    loaded = resolve;
    failed = reject;
  });
  const slot = new Slot({
    id: "slot",
    host: new NactHost(),
    transport: network.transport("slot"),
    clock: systemClock,
    files: openFileSystem({}),
    disk: () => nodeDisk(),
    lineage,
    datasets: new DatasetShelf("slot"),
    load: () => loading,
    memoryBytes: () => 0,
    report: (report) => void reports.push(report),
  });
  return { slot, reports, network, loaded, failed };
}

const plan = { flow: "flow", fingerprint: "f", steps: [], edges: [] };
const program: Program = { fingerprint: "f", steps: [], edges: [] };
const prepare: PrepareOrder = {
  kind: "prepare",
  execution: "run",
  reference: { module: "spec:slot", name: "flow", load: "spec:slot" },
  args: undefined,
  plan,
  limits: defaultLimits,
  slots: ["slot"],
  placement: [],
  channels: [],
  seed: 1,
  openedAt: 0,
  strict: false,
  logged: false,
  resumable: false,
  checkpoints: { everyMs: Infinity, workMs: Infinity },
};
const stop = { kind: "stop", execution: "run", reason: errorToData(new QStreamError("ABORTED", "enough")) } as const;
const kindsOf = (reports: readonly Report[]): string[] =>
  reports.map(({ kind }) => kind).filter((kind) => kind !== "progress");

async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await nextTurn();
}

test("an execution is prepared, committed and released, and then forgotten", async () => {
  const { slot, reports, loaded } = bench();
  slot.order(prepare);
  loaded(program);
  await settle();
  for (const kind of ["start", "commit", "release", "commit"] as const) {
    slot.order({ kind, execution: "run" });
    await settle();
  }
  assert.equal(kindsOf(reports), ["prepared", "committed"]);
  await slot.close();
});

test("a stop that comes while the flow is being loaded is answered, and nothing is prepared afterwards", async () => {
  const { slot, reports, loaded } = bench();
  slot.order(prepare);
  await settle();
  slot.order(stop);
  await settle();
  assert.equal(kindsOf(reports), ["stopped"]);
  loaded(program);
  await settle();
  slot.order({ kind: "start", execution: "run" });
  await settle();
  assert.equal(kindsOf(reports), ["stopped"]);
  await slot.close();
});

test("a stop that comes while what actors need is being loaded is answered, and nothing is prepared afterwards", async () => {
  const { slot, reports, loaded } = bench();
  const input = { name: "in", edge: 0 } as never;
  const step = { id: "actors", kind: "actors", channels: 1, inputs: [input], outputs: [] } as never;
  const code = { kind: "actors", definitions: new Map() } as never;
  slot.order({ ...prepare, plan: { ...plan, steps: [step] } });
  loaded({ ...program, steps: [code] });
  // The flow is there now, and the modules of actors aren't.
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  slot.order(stop);
  await import("../../../actors/slot/slot-actors.ts");
  await settle();
  assert.equal(kindsOf(reports), ["stopped"]);
  await slot.close();
});

test("a flow that can't be loaded, or is another one here, fails the execution", async () => {
  const first = bench();
  first.slot.order(prepare);
  first.failed(new Error("no such module"));
  const second = bench();
  second.slot.order(prepare);
  second.loaded({ ...program, fingerprint: "other" });
  await settle();
  const errors = [first, second].flatMap(({ reports }) =>
    reports.flatMap((report) => (report.kind === "failed" ? [report.error] : [])),
  );
  assert.match(errors[0]?.message ?? "", "no such module");
  assert.is(errors[1]?.code, "FINGERPRINT_CHANGED");
  assert.match(errors[1]?.message ?? "", /other.*f\b/);
  await Promise.all([first.slot.close(), second.slot.close()]);
});

test("what a slot still did for a driver that is gone isn't reported to the one that goes on", async () => {
  const { slot, reports, loaded } = bench();
  const opened: (() => void)[] = [];
  const slow = { open: () => new Promise<void>((resolve) => opened.push(resolve)), execute: () => [] };
  slot.order({ ...prepare, plan: planOf([{ id: "slow", channels: 1 }], []), placement: [[0]] });
  loaded({ ...program, steps: [{ kind: "operator", create: () => slow }] });
  await settle();
  const recovery = { checkpoint: -1, through: -1, outputsOnly: false };
  const recover = (life: number): Order => ({
    kind: "recover",
    execution: "run",
    round: 1,
    placed: [{ step: 0, channel: 0, life, slot: "slot" }],
    channels: [{ step: 0, channel: 0, life, generation: life, recovery }],
  });
  slot.order(recover(1));
  await settle();
  slot.order(stop);
  await settle();
  slot.order({ ...prepare, plan: planOf([{ id: "slow", channels: 1 }], []), placement: [[0]] });
  await settle();
  slot.order(recover(2));
  await settle();
  // Both drivers count their rounds from one: the next must not take the answer to the first for its own.
  opened[0]?.();
  await settle();
  assert.equal(kindsOf(reports), ["prepared", "stopped", "prepared"]);
  opened[1]?.();
  await settle();
  assert.equal(kindsOf(reports), ["prepared", "stopped", "prepared", "recovered"]);
  await slot.close();
});

test("a reader that is given up on its way back to its place is closed, and read no further", async () => {
  const reading = { open: true, begun: 1, position: 1000, mark: undefined, now: 0 };
  const snapshot = { seq: 3, inputs: [], outputs: [], reading, state: undefined, counters: {} };
  const loadCheckpoint = (): Promise<LoadedCheckpoint> =>
    Promise.resolve({ state: encodeSnapshot(snapshot), previous: undefined });
  const { slot, reports, loaded } = bench({ ...noLineage, keeps: true, loadCheckpoint });
  let [read, closed] = [0, false];
  const slow = reader({
    kind: "slow",
    splits: () => [0],
    async *read() {
      try {
        for (;;) {
          await nextTurn();
          yield read++;
        }
      } finally {
        closed = true;
      }
    },
  });
  const withReader = planOf([{ id: "slow", channels: 1, kind: "reader" }], []);
  slot.order({ ...prepare, plan: withReader, placement: [[0]], logged: true });
  loaded({ ...program, steps: [{ kind: "reader", reader: slow }] });
  await settle();
  slot.order({
    kind: "recover",
    execution: "run",
    round: 1,
    placed: [{ step: 0, channel: 0, life: 1, slot: "slot" }],
    channels: [
      {
        step: 0,
        channel: 0,
        life: 1,
        generation: 1,
        splits: [{ index: 0, split: 0 }],
        recovery: { checkpoint: 3, through: 5, outputsOnly: false },
      },
    ],
  });
  while (read < 3) await nextTurn();
  slot.order(stop);
  await settle();
  const readAtStop = read;
  await settle();
  assert.ok(closed, "its finally has run");
  assert.is(read, readAtStop);
  assert.equal(kindsOf(reports), ["prepared", "stopped"]);
  await slot.close();
});

test("messages for an execution that isn't here are counted, and one of a life that isn't here changes nothing", async () => {
  const { slot, reports, network, loaded } = bench();
  const other = network.transport("other");
  const end = { edge: 4, from: 0, to: 0, producer: 0, consumer: 0, kind: "end", previous: -1 } as const;
  other.send("slot", { ...end, execution: "gone" });
  await settle();
  assert.is(slot.lateMessages, 1);
  slot.order(prepare);
  loaded(program);
  await settle();
  other.send("slot", { ...end, execution: "run" });
  await settle();
  assert.equal(kindsOf(reports), ["prepared"]);
  slot.order({ kind: "commit", execution: "run" });
  await settle();
  const late = reports.flatMap((report) => (report.kind === "progress" ? [report.lateMessages] : []));
  assert.equal(late, [1], "its metrics say that it was refused");
  await slot.close();
});

test.run();
