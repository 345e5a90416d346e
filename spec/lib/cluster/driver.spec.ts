import * as assert from "uvu/assert";
import { Lives } from "../../../actors/scheduler/lives.ts";
import { DriverProcess, SpareDrivers, type FromDriverProcess } from "../../../lib/cluster/driver-process.ts";
import type { Submission } from "../../../lib/cluster/protocol.ts";
import { encodeArguments } from "../../../actors/slot/arguments.ts";
import type { Plan } from "../../../lib/core/plan.ts";
import { inSlot, suite } from "../../kit/suite.ts";

const test = suite("drivers");

test("lives of another driver's have other numbers", () => {
  const plan = { steps: [{ channels: 2 }, { channels: 1 }], edges: [] } as unknown as Plan;
  const lives = new Lives(plan, () => "slot", 1000);
  assert.equal(
    lives.all.map(({ life }) => life),
    [0, 1, 2],
  );
  assert.is(lives.nextLife(), 1003);
});

if (!inSlot) {
  test("a driver that can't begin says why, and its process ends", async () => {
    const spares = new SpareDrivers();
    spares.open();
    const heard: FromDriverProcess[] = [];
    const submission: Submission = {
      module: "file:///nowhere.js",
      flow: "flow",
      args: await encodeArguments({}),
      options: {},
      bundle: "0".repeat(64),
      detach: false,
    };
    await new Promise<void>((gone) => {
      const driver = new DriverProcess(
        spares.take(),
        {
          kind: "start",
          execution: "run-1",
          driver: 1,
          epoch: 1,
          submission,
          // Nobody listens on port 1.
          bundle: { hash: submission.bundle, url: "http://127.0.0.1:1/bundles/x" },
          machines: [],
          store: "none",
          leaseMs: 1000,
          host: "127.0.0.1",
          token: undefined,
          tls: undefined,
        },
        (message) => {
          heard.push(message);
          if (message.kind === "gone") gone();
        },
      );
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
