// What a head does with drivers that end, and tells those that it starts, with drivers that do as they are told.
import * as assert from "uvu/assert";
import type { ExecutionMetrics } from "../../../actors/scheduler/execution-events.ts";
import { encodeArguments } from "../../../actors/slot/arguments.ts";
import { CoordinationBoard, MemoryCoordination } from "../../../actors/stores/memory-coordination.ts";
import { MemoryStore } from "../../../actors/stores/memory-store.ts";
import type { FromDriverProcess } from "../../../lib/cluster/driver-process.ts";
import { HeadExecutions } from "../../../lib/cluster/head-executions.ts";
import { systemHeadWorld } from "../../../lib/cluster/head-world.ts";
import type { Client } from "../../../lib/cluster/known-execution.ts";
import type { ClusterRunOptions, DriverStart, Submission, ToClient } from "../../../lib/cluster/protocol.ts";
import { Reign } from "../../../lib/cluster/reign.ts";
import { errorToData, QStreamError } from "../../../lib/core/errors.ts";
import { systemClock } from "../../../lib/core/seam/clock.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("a head and its drivers");

const bundle = "0".repeat(64);
const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

interface Started {
  readonly start: DriverStart;
  readonly tell: (message: FromDriverProcess) => void;
  /** Kinds of messages. */
  readonly told: string[];
}

/** A head without sockets that leads. */
async function lead(
  board: CoordinationBoard,
  name: string,
  leaseMs = 60_000,
): Promise<{
  readonly started: Started[];
  readonly executions: HeadExecutions;
  readonly heard: ToClient[];
  readonly submit: (execution: string, options?: ClusterRunOptions) => Promise<void>;
}> {
  const state = new MemoryCoordination(board, name);
  const started: Started[] = [];
  const executions = new HeadExecutions({
    world: {
      ...systemHeadWorld,
      openStore: async () => new MemoryStore(),
      drivers: () => ({
        open: () => {},
        close: () => {},
        start: (start, tell) => {
          const told: string[] = [];
          started.push({ start, tell, told });
          return { number: start.driver, tell: ({ kind }) => void told.push(kind), kill: async () => {} };
        },
      }),
    },
    leaseMs,
    bind: { host: "127.0.0.1", port: 0 },
    security: { token: undefined, tls: undefined },
    store: "redis://nowhere",
    machines: () => [],
    bundleUrl: () => "http://nowhere",
  });
  const campaign = await state.campaign(`ws://${name}`, 60_000);
  const epoch = campaign.leads ? campaign.epoch : 0;
  const reign = { epoch, state, clock: systemClock, keepBundle: async () => false, deposed: () => {} };
  await executions.lead(new Reign(reign));
  await state.putBundle(bundle, new Uint8Array(1));
  const heard: ToClient[] = [];
  const client = { isOver: false, tell: (message: ToClient) => void heard.push(message) } as unknown as Client;
  const submit = async (execution: string, options: ClusterRunOptions = {}): Promise<void> => {
    const args = await encodeArguments({});
    const submission: Submission = { module: "file:///flow.js", flow: "flow", args, options, bundle, detach: true };
    await executions.submit(execution, submission);
    executions.start(execution, client);
  };
  return { started, executions, heard, submit };
}

const board = (): CoordinationBoard => new CoordinationBoard(systemClock);
const ended = new QStreamError("EXECUTION_FAILED", "the driver of the execution ended");

test("a driver that lost all machines is followed by another, and at last the execution fails with what the last one said", async () => {
  const leaseMs = 20;
  const { started, heard, submit, executions } = await lead(board(), "head", leaseMs);
  await submit("run-1");
  const startedAt: number[] = [];
  for (let turn = 0; turn < 5; turn++) {
    // oxlint-disable-next-line no-await-in-loop -- the later ones take their time
    while (started.length <= turn) await tick();
    startedAt.push(performance.now());
    const lost = new QStreamError("SLOT_LOST", `machine m is lost: it is the ${turn}th time`);
    started[turn]?.tell({ kind: "forsaken", error: errorToData(lost) });
    started[turn]?.tell({ kind: "gone", error: ended });
    // oxlint-disable-next-line no-await-in-loop -- one driver after the other
    await tick();
  }
  assert.is(started.length, 5);
  // The head may have to find out first which machines are gone.
  const tookMs = (startedAt[4] ?? 0) - (startedAt[0] ?? 0);
  assert.ok(tookMs >= 3 * leaseMs, `${tookMs} ms`);
  const [failed] = heard;
  assert.is(failed?.kind === "failed" ? failed.error.code : "", "SLOT_LOST");
  assert.match(failed?.kind === "failed" ? failed.error.message : "", "the 4th time");
  assert.is(executions.listed()[0]?.status, "failed");
});

test("one that is cancelled while its next driver is to come has it at once, to be ended", async () => {
  const { started, submit, executions } = await lead(board(), "head");
  await submit("run-1");
  for (const turn of [0, 1]) {
    started[turn]?.tell({ kind: "gone", error: ended });
    // oxlint-disable-next-line no-await-in-loop -- one driver after the other
    await tick();
  }
  assert.is(started.length, 2);
  await executions.cancel("run-1", "nobody wants it");
  await tick();
  assert.is(started.length, 3);
  assert.equal(started[2]?.told, ["cancel"]);
});

test("without lineage another driver begins anew what hadn't begun, and nothing else", async () => {
  const { started, heard, submit } = await lead(board(), "head", 20);
  await submit("run-1", { store: "none" });
  started[0]?.tell({ kind: "gone", error: ended });
  await tick();
  assert.is(started.length, 2);
  started[1]?.tell({ kind: "event", event: { kind: "placed", execution: "run-1", placement: [] } });
  started[1]?.tell({ kind: "gone", error: ended });
  // oxlint-disable-next-line no-await-in-loop -- it takes its time
  while (started.length < 3) await tick();
  started[2]?.tell({ kind: "begins" });
  await tick();
  assert.equal(started[2]?.told, ["begin"]);
  started[2]?.tell({ kind: "gone", error: ended });
  // oxlint-disable-next-line no-await-in-loop -- see above
  while (heard.at(-1)?.kind !== "failed") await tick();
  assert.is(started.length, 3);
  const failed = heard.at(-1);
  assert.match(failed?.kind === "failed" ? failed.error.message : "", "without lineage nobody can go on with it");
});

test("the next head, too, begins anew what had no lineage and hadn't begun, and nothing else", async () => {
  const shared = board();
  const first = await lead(shared, "head-1");
  await first.submit("run-1", { store: "none" });
  await first.submit("run-2", { store: "none" });
  first.started[1]?.tell({ kind: "begins" });
  await tick();
  await first.executions.depose();
  shared.leader = undefined;
  const second = await lead(shared, "head-2");
  await tick();
  assert.equal(
    second.started.map(({ start }) => [start.execution, start.driver]),
    [["run-1", 2]],
  );
  assert.equal(
    second.executions.listed().map(({ execution, status }) => [execution, status]),
    [
      ["run-1", "running"],
      ["run-2", "failed"],
    ],
  );
});

test("what a flow had to carry is told to its next driver, also by the next head", async () => {
  const shared = board();
  const first = await lead(shared, "head-1");
  const metrics = {
    steps: [{ step: "s", metrics: { bytesIn: 1, bytesOut: 2, tasks: 3 } }],
    channels: [],
  } as unknown as ExecutionMetrics;
  await first.submit("run-1");
  assert.is(first.started[0]?.start.measured, undefined);
  first.started[0]?.tell({ kind: "event", event: { kind: "progress", execution: "run-1", metrics } });
  first.started[0]?.tell({ kind: "done", outputs: [] });
  await tick();
  const measured = [["s", { bytesIn: 1, bytesOut: 2 }]];
  await first.submit("run-2");
  assert.equal(first.started[1]?.start.measured, measured);
  first.started[1]?.tell({ kind: "done", outputs: [] });
  await tick();
  await first.executions.depose();
  shared.leader = undefined;
  const second = await lead(shared, "head-2");
  await second.submit("run-3");
  assert.equal(second.started[0]?.start.measured, measured);
});

test.run();
