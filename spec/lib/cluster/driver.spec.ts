import type { ChildProcess } from "node:child_process";
import { EventEmitter } from "node:events";
import * as assert from "uvu/assert";
import { Lives } from "../../../actors/scheduler/lives.ts";
import { DriverProcess, SpareDrivers, type FromDriverProcess } from "../../../lib/cluster/driver-process.ts";
import { Driver, systemDriverWorld } from "../../../lib/cluster/driver.ts";
import type { DriverStart, FromDriver, Submission } from "../../../lib/cluster/protocol.ts";
import { encodeArguments } from "../../../actors/slot/arguments.ts";
import { MemoryStore } from "../../../actors/stores/memory-store.ts";
import type { LineageStore } from "../../../lib/core/contracts/lineage-store.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import type { Plan } from "../../../lib/core/plan.ts";
import { token, until } from "../../actors/transport/wire/wires.ts";
import { openMachine } from "../../cluster/open-machine.ts";
import { inSlot, suite } from "../../kit/suite.ts";

const test = suite("drivers");

const bundle = "0".repeat(64);

async function submissionOf(): Promise<Submission> {
  const args = await encodeArguments({});
  return { module: "file:///nowhere.js", flow: "flow", args, options: {}, bundle, detach: false };
}

const start: Omit<DriverStart, "submission"> = {
  kind: "start",
  execution: "run-1",
  driver: 1,
  begins: true,
  epoch: 1,
  // Nobody listens on port 1.
  bundle: { hash: bundle, url: "http://127.0.0.1:1/bundles/x" },
  machines: [],
  store: "none",
  leaseMs: 1000,
  host: "127.0.0.1",
  token: undefined,
  tls: undefined,
};

test("lives of another driver's have other numbers", () => {
  const plan = { steps: [{ channels: 2 }, { channels: 1 }], edges: [] } as unknown as Plan;
  const lives = new Lives(plan, () => "slot", 1000);
  assert.equal(
    lives.all.map(({ life }) => life),
    [0, 1, 2],
  );
  assert.is(lives.nextLife(), 1003);
});

test("a process whose execution is done is another's, and the one before has nothing to do with it any more", async () => {
  const child = Object.assign(new EventEmitter(), { connected: true, sent: [] as unknown[], killed: false });
  const told: string[] = [];
  const freed: unknown[] = [];
  const driver = new DriverProcess(
    Object.assign(child, {
      send: (message: unknown) => void child.sent.push(message),
      kill: () => (child.killed = true),
    }) as unknown as ChildProcess,
    { driver: 1, kind: "start" } as ConstructorParameters<typeof DriverProcess>[1],
    ({ kind }) => void told.push(kind),
    (idle) => void freed.push(idle),
  );
  child.emit("message", { kind: "done", outputs: [] });
  child.emit("message", { kind: "idle" });
  assert.equal(told, ["done", "gone"]);
  assert.equal(freed, [child]);
  driver.tell({ kind: "cancel", reason: "too late" });
  await driver.kill();
  child.emit("message", { kind: "event" });
  child.emit("exit", 1, null);
  assert.equal(told, ["done", "gone"]);
  assert.equal(child.sent.length, 1);
  assert.is(child.killed, false);
});

if (!inSlot) {
  test("what is told of machines while a driver is still opening its port isn't lost", async () => {
    const machine = await openMachine();
    const told: FromDriver[] = [];
    const code = { fetch: async () => "file:///nowhere.js", release: () => {}, close: () => {} };
    const driver = new Driver((message) => told.push(message), { ...systemDriverWorld, openBundles: () => code });
    const ended = driver.run({ ...start, submission: await submissionOf(), token });
    driver.told({ kind: "machine", machine: { id: "M", url: machine.url } });
    driver.told({ kind: "machine", machine: { id: "N", url: "ws://127.0.0.1:9" } });
    driver.told({ kind: "machine-gone", machine: "N", why: "it left" });
    driver.told({ kind: "drain", machine: "N" });
    await until(() => machine.executions.includes(start.execution));
    await until(() => told.some(({ kind }) => kind === "drained"));
    assert.equal(told, [{ kind: "drained", machine: "N" }]);
    driver.told({ kind: "cancel", reason: "the spec is over" });
    assert.is(await ended, false);
    await machine.close();
  });

  test("a driver that begins while its store is away waits for it", async () => {
    const told: FromDriver[] = [];
    const code = { fetch: async () => "file:///nowhere.js", release: () => {}, close: () => {} };
    let asked = 0;
    const openStore = (): Promise<LineageStore> => {
      if (++asked > 2) return Promise.resolve(new MemoryStore());
      return Promise.reject(new QStreamError("STORE_UNAVAILABLE", "it is being started again"));
    };
    const world = { ...systemDriverWorld, openBundles: () => code, openStore };
    const driver = new Driver((message) => told.push(message), world);
    const ended = driver.run({ ...start, store: "redis://127.0.0.1:1", submission: await submissionOf(), token });
    await until(() => asked === 3);
    driver.told({ kind: "cancel", reason: "the spec is over" });
    assert.is(await ended, false);
    const codes = told.map((message) => (message.kind === "failed" ? message.error.code : message.kind));
    assert.is(codes.at(-1), "ABORTED");
  });

  test("a driver that can't begin says why, and its process ends", async () => {
    const spares = new SpareDrivers();
    spares.open();
    const heard: FromDriverProcess[] = [];
    const submission = await submissionOf();
    await new Promise<void>((gone) => {
      const driver = new DriverProcess(spares.take(), { ...start, submission }, (message) => {
        heard.push(message);
        if (message.kind === "gone") gone();
      });
      assert.is(driver.number, 1);
    });
    spares.close();
    assert.equal(
      heard.map(({ kind }) => kind),
      ["failed", "gone"],
    );
    const [failed] = heard;
    assert.is(failed?.kind === "failed" ? failed.error.code : "", "MACHINE_UNREACHABLE");
  });

  test("a driver that is killed is gone without a word", async () => {
    const spares = new SpareDrivers();
    const heard: string[] = [];
    const child = spares.take();
    const submission = { options: {} } as Submission;
    const gone = new Promise<void>((resolve) => {
      const driver = new DriverProcess(
        child,
        { driver: 3, submission } as ConstructorParameters<typeof DriverProcess>[1],
        (message) => {
          heard.push(message.kind);
          if (message.kind === "gone") resolve();
        },
      );
      assert.is(driver.number, 3);
      void driver.kill();
    });
    await gone;
    assert.equal(heard, ["gone"]);
  });
}

test.run();
