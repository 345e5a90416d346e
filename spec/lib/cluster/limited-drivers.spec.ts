import * as assert from "uvu/assert";
import type { DriverHandle, Drivers, FromDriverProcess } from "../../../lib/cluster/driver-process.ts";
import { LimitedDrivers } from "../../../lib/cluster/limited-drivers.ts";
import type { DriverStart, ToDriver } from "../../../lib/cluster/protocol.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("executions at once");

interface Started {
  readonly start: DriverStart;
  readonly told: ToDriver[];
}

/** Drivers that only note what they are told. */
function stage(
  most: number,
  waitingMax?: number,
): {
  readonly started: Started[];
  readonly drivers: LimitedDrivers;
  readonly begin: (execution: string) => { readonly handle: DriverHandle; readonly heard: FromDriverProcess[] };
} {
  const started: Started[] = [];
  const plain: Drivers = {
    open: () => {},
    close: () => {},
    start: (start) => {
      const one: Started = { start, told: [] };
      started.push(one);
      return { number: start.driver, tell: (message) => void one.told.push(message), kill: async () => {} };
    },
  };
  const drivers = new LimitedDrivers(plain, most, waitingMax);
  const begin = (execution: string): { readonly handle: DriverHandle; readonly heard: FromDriverProcess[] } => {
    const heard: FromDriverProcess[] = [];
    drivers.admit();
    const start = { execution, driver: 1, machines: [{ id: "m", url: "ws://m" }] } as unknown as DriverStart;
    return { handle: drivers.start(start, (message) => void heard.push(message)), heard };
  };
  return { started, drivers, begin };
}

const names = (started: readonly Started[]): string[] => started.map(({ start }) => start.execution);
const missing = (heard: readonly FromDriverProcess[]): string[] =>
  heard.flatMap((message) =>
    message.kind === "event" && message.event.kind === "waiting" ? [message.event.missing] : [],
  );

test("those beyond the limit wait in their order, and are told so", async () => {
  const { started, drivers, begin } = stage(2);
  const [, , third, fourth] = ["a", "b", "c", "d"].map((name) => begin(name));
  assert.equal(names(started), ["a", "b"]);
  await Promise.resolve();
  assert.equal(missing(third?.heard ?? []), ["the end of one of the 2 executions that run"]);
  assert.equal(missing(fourth?.heard ?? []), ["the end of one of the 2 executions that run, after 1 that came before"]);
  assert.equal([third?.handle.waits, fourth?.handle.waits], [true, true]);
  drivers.over("b");
  assert.equal(names(started), ["a", "b", "c"]);
  assert.equal([third?.handle.waits, fourth?.handle.waits], [false, true]);
  drivers.over("a");
  drivers.over("c");
  assert.equal(names(started), ["a", "b", "c", "d"]);
  third?.handle.tell({ kind: "rebalance" });
  assert.equal(started[2]?.told, [{ kind: "rebalance" }]);
});

test("an execution whose driver ends keeps its turn until it is over", () => {
  const { started, drivers, begin } = stage(1);
  begin("a");
  begin("b");
  begin("a");
  assert.equal(names(started), ["a", "a"]);
  drivers.over("a");
  assert.equal(names(started), ["a", "a", "b"]);
});

test("one that waits knows the machines there are when its turn comes, and has nothing on those that are to go", async () => {
  const { started, drivers, begin } = stage(1);
  begin("a");
  const { handle, heard } = begin("b");
  handle.tell({ kind: "machine", machine: { id: "n", url: "ws://n" } });
  handle.tell({ kind: "machine", machine: { id: "o", url: "ws://o" } });
  handle.tell({ kind: "machine-gone", machine: "n", why: "it is" });
  handle.tell({ kind: "drain", machine: "m" });
  handle.tell({ kind: "rebalance" });
  await Promise.resolve();
  assert.equal(heard.slice(1), [
    { kind: "drained", machine: "m" },
    { kind: "rebalanced", moves: [] },
  ]);
  drivers.over("a");
  assert.equal(
    started[1]?.start.machines.map(({ id }) => id),
    ["o"],
  );
});

test("one that is cancelled while it waits ends at once, and nobody starts it", async () => {
  const { started, drivers, begin } = stage(1);
  begin("a");
  const { handle, heard } = begin("b");
  begin("c");
  handle.tell({ kind: "cancel", reason: "why not" });
  handle.tell({ kind: "cancel", reason: "once more" });
  await Promise.resolve();
  assert.equal(
    heard.map(({ kind }) => kind),
    ["event", "failed", "gone"],
  );
  const [, failed] = heard;
  assert.is(failed?.kind === "failed" ? failed.error.code : "", "ABORTED");
  assert.is(handle.waits, false);
  drivers.over("b");
  drivers.over("a");
  assert.equal(names(started), ["a", "c"]);
});

test("the queue is bounded: what is beyond is refused, until there is room", async () => {
  const { drivers, begin } = stage(1, 2);
  for (const name of ["a", "b", "c"]) begin(name);
  const error = await failure(() => begin("d"), "CLUSTER_FULL");
  assert.match(error.message, "runs 1 executions, and 2 wait");
  assert.match(error.message, "--executions");
  drivers.over("a");
  begin("d");
  await failure(() => begin("e"), "CLUSTER_FULL");
});

test.run();
