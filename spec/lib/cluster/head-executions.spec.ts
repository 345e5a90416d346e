// What a head keeps of executions and tells their clients, with drivers that do as they are told.
import * as assert from "uvu/assert";
import { CoordinationBoard, MemoryCoordination } from "../../../actors/stores/memory-coordination.ts";
import { MemoryStore } from "../../../actors/stores/memory-store.ts";
import { encodeArguments } from "../../../actors/slot/arguments.ts";
import type { FromDriverProcess } from "../../../lib/cluster/driver-process.ts";
import { HeadExecutions } from "../../../lib/cluster/head-executions.ts";
import { systemHeadWorld, type HeadWorld } from "../../../lib/cluster/head-world.ts";
import type { Client } from "../../../lib/cluster/known-execution.ts";
import { encodeOutputs, type EncodedOutputs } from "../../../lib/cluster/outputs.ts";
import type { DriverStart, Submission, ToClient, ToDriver } from "../../../lib/cluster/protocol.ts";
import { Reign } from "../../../lib/cluster/reign.ts";
import { errorToData, QStreamError, type ErrorCode } from "../../../lib/core/errors.ts";
import { systemClock } from "../../../lib/core/seam/clock.ts";
import type { Rescale } from "../../../lib/flow/rescale-plan.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("a head's executions");

const hash = "0".repeat(64);
const tick = (ms = 5): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A client that listens. */
class Listener {
  readonly heard: ToClient[] = [];
  isOver = false;

  tell(message: ToClient): void {
    this.heard.push(message);
  }

  get kinds(): string[] {
    return this.heard.map(({ kind }) => kind);
  }

  get asClient(): Client {
    return this as unknown as Client;
  }
}

interface Resuming {
  readonly name?: string;
  readonly rescale?: Rescale;
}

const gone: FromDriverProcess = { kind: "gone", error: new QStreamError("EXECUTION_FAILED", "it has another") };

/** A head without sockets, and the drivers that it has started. */
class Stage {
  readonly drivers: { tell: (message: FromDriverProcess) => void; told: ToDriver[]; isKilled: boolean }[] = [];
  readonly executions: HeadExecutions;
  readonly state: MemoryCoordination;
  /** Outlives heads, as Redis does. */
  readonly store = Object.assign(new MemoryStore(), { close: async () => {} });

  private constructor(leaseMs: number) {
    this.state = new MemoryCoordination(new CoordinationBoard(systemClock), "head");
    const world: HeadWorld = {
      ...systemHeadWorld,
      openStore: async () => this.store,
      drivers: () => ({
        open: () => {},
        close: () => {},
        start: (start, tell) => {
          const driver = { tell, told: [start] as ToDriver[], isKilled: false };
          this.drivers.push(driver);
          return {
            number: start.driver,
            tell: (message) => void driver.told.push(message),
            kill: async () => void (driver.isKilled = true),
          };
        },
      }),
    };
    this.executions = new HeadExecutions({
      world,
      leaseMs,
      bind: { host: "127.0.0.1", port: 0 },
      security: { token: undefined, tls: undefined },
      store: "redis://nowhere",
      machines: () => [],
      bundleUrl: () => "http://nowhere",
    });
  }

  static async open(leaseMs = 1000): Promise<Stage> {
    const stage = new Stage(leaseMs);
    const campaign = await stage.state.campaign("ws://head", 60_000);
    await stage.executions.lead(stage.reign(campaign.leads ? campaign.epoch : 0));
    await stage.state.putBundle(hash, new Uint8Array(1));
    return stage;
  }

  reign(epoch: number): Reign {
    const { state } = this;
    return new Reign({ epoch, state, clock: systemClock, keepBundle: async () => false, deposed: () => {} });
  }

  async submit(client: Listener, detach = false): Promise<string> {
    const execution = `run-${this.drivers.length}`;
    await this.executions.submit(execution, await this.#submission(detach));
    this.executions.start(execution, client.asClient);
    return execution;
  }

  /** Goes on with an execution that was submitted as another one, or as this. */
  async resume(execution: string, client: Listener, { name = execution, rescale }: Resuming = {}): Promise<void> {
    const submission = { ...(await this.#submission(false)), resume: { execution: name, rescale } };
    await this.executions.submit(execution, submission);
    this.executions.start(execution, client.asClient);
  }

  async #submission(detach: boolean): Promise<Submission> {
    const args = await encodeArguments({});
    return { module: "file:///flow.js", flow: "flow", args, options: {}, bundle: hash, detach };
  }

  /** What the driver that was started last was started with. */
  get started(): DriverStart | undefined {
    const start = this.drivers.at(-1)?.told[0];
    return start?.kind === "start" ? start : undefined;
  }

  /** The driver that was started last says how it ended, and is gone. */
  async ends(end: FromDriverProcess): Promise<void> {
    const driver = this.drivers.at(-1);
    driver?.tell(end);
    driver?.tell(gone);
    await tick();
  }

  statusOf(execution: string): string | undefined {
    return this.executions.listed().find((one) => one.execution === execution)?.status;
  }
}

const bytesOf = (megabytes: number): Promise<EncodedOutputs> =>
  encodeOutputs({ out: Array.from({ length: megabytes }, () => new Uint8Array(1 << 20)) });

const outputsOf = ({ heard }: Listener): EncodedOutputs | undefined =>
  heard.flatMap((message) => (message.kind === "done" ? [message.outputs] : []))[0];

test("outputs are told to who waits, and to who comes later, as often as one likes", async () => {
  const stage = await Stage.open();
  const [client, later] = [new Listener(), new Listener()];
  const execution = await stage.submit(client);
  const outputs = await encodeOutputs({ out: [1, 2, 3] });
  stage.drivers[0]?.tell({ kind: "done", outputs });
  stage.drivers[0]?.tell({ kind: "gone", error: new QStreamError("EXECUTION_FAILED", "it has another") });
  await tick();
  assert.equal(client.kinds, ["done"]);
  assert.equal(client.heard[0], { kind: "done", execution, outputs });
  for (let turn = 0; turn < 2; turn++) {
    later.heard.length = 0;
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await stage.executions.follow(execution, later.asClient);
    assert.equal(later.kinds, ["submitted", "done"]);
    assert.equal(outputsOf(later), outputs);
  }
  assert.is(stage.statusOf(execution), "done");
});

test("outputs that nobody else keeps are held until a client has them", async () => {
  const stage = await Stage.open();
  const [client, later] = [new Listener(), new Listener()];
  const execution = await stage.submit(client);
  const outputs = await bytesOf(65);
  stage.drivers[0]?.tell({ kind: "done", outputs });
  await tick(200);
  assert.is(client.heard[0]?.kind === "done" && client.heard[0].held, true);
  await stage.executions.follow(execution, later.asClient);
  assert.is(outputsOf(later), outputs);
  stage.executions.taken(execution);
  later.heard.length = 0;
  await stage.executions.follow(execution, later.asClient);
  const [, refused] = later.heard;
  assert.is(refused?.kind === "failed" ? refused.error.code : refused?.kind, "LIMIT_EXCEEDED");
  assert.is(stage.statusOf(execution), "done");
}, 20_000);

test("who submits while Redis is away, or loses its answer, waits until it is back, and runs once", async () => {
  const stage = await Stage.open();
  const submit = stage.state.submit.bind(stage.state);
  let calls = 0;
  stage.state.submit = async (one) => {
    calls++;
    if (calls > 1) await submit(one);
    if (calls < 3) throw new QStreamError("STORE_UNAVAILABLE", "it is away");
  };
  const client = new Listener();
  const execution = await stage.submit(client);
  assert.is(calls, 3);
  assert.equal(
    stage.executions.listed().map((one) => [one.execution, one.status]),
    [[execution, "running"]],
  );
  assert.is(stage.drivers.length, 1);
});

test("a client that goes away has a lease to come back; then its execution is cancelled, but for a detached one", async () => {
  const stage = await Stage.open(40);
  const [client, other] = [new Listener(), new Listener()];
  const [left, kept, detached] = [
    await stage.submit(client),
    await stage.submit(client),
    await stage.submit(client, true),
  ];
  const told = (index: number): string | undefined => stage.drivers[index]?.told.at(-1)?.kind;
  stage.executions.clientGone(client.asClient);
  await stage.executions.follow(kept, other.asClient);
  await tick(120);
  assert.equal([told(0), told(1), told(2)], ["cancel", "start", "start"]);
  // One that went while its submission was written is gone, too.
  const hasty = new Listener();
  hasty.isOver = true;
  await stage.submit(hasty);
  await tick(120);
  assert.is(told(3), "cancel");
  for (const execution of [left, kept, detached]) assert.is(stage.statusOf(execution), "running");
});

test("what is remembered of one execution for who comes later is bounded", async () => {
  const stage = await Stage.open();
  const [client, later] = [new Listener(), new Listener()];
  const execution = await stage.submit(client);
  const channels = Array.from({ length: 5000 }, (_, channel) => ({ step: "s", channel, slot: "m/s", checkpoint: -1 }));
  for (let count = 0; count < 10; count++) {
    const event = { kind: "recovered", execution, channels, replays: 0 } as const;
    stage.drivers[0]?.tell({ kind: "event", event });
  }
  stage.drivers[0]?.tell({ kind: "event", event: { kind: "started", execution } });
  await stage.executions.follow(execution, later.asClient);
  assert.is(client.heard.length, 11);
  assert.equal(later.kinds, ["submitted", "event", "event", "event", "event"]);
});

const failed = (code: ErrorCode): FromDriverProcess => ({
  kind: "failed",
  error: errorToData(new QStreamError(code, "it is over")),
});

test("what failed is gone on with by a later driver, one at a time; what is kept of it goes when it is done", async () => {
  const stage = await Stage.open();
  const { executions, store, drivers } = stage;
  const client = new Listener();
  const execution = await stage.submit(client);
  await store.create(execution, new Uint8Array(1), 1, 1);
  await failure(() => executions.stored(execution), "EXECUTION_TAKEN");
  await failure(() => stage.resume(execution, client), "EXECUTION_TAKEN");
  drivers[0]?.tell(failed("STEP_FAILED"));
  await tick();
  assert.is(stage.statusOf(execution), "failed");
  assert.equal(await executions.stored(execution), new Uint8Array(1));

  // Its driver isn't gone yet.
  const both = await Promise.allSettled([stage.resume(execution, client), stage.resume(execution, client)]);
  assert.equal(both.map(({ status }) => status).toSorted(), ["fulfilled", "rejected"]);
  assert.ok(drivers[0]?.isKilled);
  assert.equal([stage.started?.driver, stage.started?.begins, drivers.length], [2, true, 2]);
  drivers[0]?.tell(gone);
  await tick();
  assert.is(stage.statusOf(execution), "running");
  drivers[1]?.tell(gone);
  await tick();
  assert.equal([stage.started?.driver, stage.started?.begins], [3, false]);
  await stage.ends(failed("ABORTED"));
  assert.is((await store.find(execution))?.status, "cancelled");
  assert.equal((await stage.state.load(0)).leftovers, []);

  await stage.resume(execution, client);
  await stage.ends({ kind: "done", outputs: [] });
  assert.is(await store.find(execution), undefined);
  await failure(() => executions.stored(execution), "EXECUTION_UNKNOWN");
  await failure(() => stage.resume("run-nobody", client), "EXECUTION_UNKNOWN");
  assert.is(stage.statusOf("run-nobody"), undefined);
  // The store has one that no head knows any more.
  await store.create("run-long-ago", new Uint8Array(1), 1, 1);
  await stage.resume("run-long-ago", client);
  assert.is(stage.statusOf("run-long-ago"), "running");
});

test("with other channels an execution is found under both names, and its lineage under the latest", async () => {
  const stage = await Stage.open();
  const { executions, store } = stage;
  const [client, later] = [new Listener(), new Listener()];
  const execution = await stage.submit(client);
  await store.create(execution, new Uint8Array(1), 1, 1);
  await stage.ends(failed("STEP_FAILED"));
  await stage.resume(execution, client, { rescale: { sum: 2 } });
  await executions.follow(execution, later.asClient);
  assert.equal(later.kinds, ["submitted"]);
  const name = `${execution}-r1`;
  await store.drop(execution);
  await store.create(name, new Uint8Array(2), 1, 1);
  stage.drivers.at(-1)?.tell({ kind: "named", name });
  assert.equal(client.heard.at(-1), { kind: "named", execution, name });
  assert.is(stage.statusOf(name), "running");
  later.heard.length = 0;
  await executions.follow(name, later.asClient);
  assert.equal(later.heard, [
    { kind: "submitted", execution },
    { kind: "named", execution, name },
  ]);
  await executions.cancel(name, "enough");
  assert.equal(stage.drivers.at(-1)?.told.at(-1), { kind: "cancel", reason: "enough" });
  await stage.ends(failed("ABORTED"));
  assert.is((await store.find(name))?.status, "cancelled");
  assert.is(await store.find(execution), undefined);

  // Another head knows it, too.
  await executions.depose();
  await executions.lead(stage.reign(1));
  assert.is(stage.statusOf(name), "cancelled");
  await failure(() => executions.stored(execution), "EXECUTION_UNKNOWN");
  await stage.resume(execution, client, { name });
  assert.is(stage.started?.submission.resume?.execution, name);
  assert.is(stage.statusOf(name), "running");
  await stage.ends({ kind: "done", outputs: [] });
  assert.is(await store.find(name), undefined);
});

test("an execution that Redis has dropped is unknown", async () => {
  const stage = await Stage.open();
  const client = new Listener();
  const execution = await stage.submit(client);
  stage.drivers[0]?.tell({ kind: "done", outputs: [] });
  await tick();
  stage.state.execution = async () => undefined;
  const { message } = await failure(() => stage.executions.follow(execution, client.asClient), "EXECUTION_UNKNOWN");
  assert.match(message, "its outputs aren't kept any more");
  assert.is(stage.statusOf(execution), undefined);
});

test.run();
