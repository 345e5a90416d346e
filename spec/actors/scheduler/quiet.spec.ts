import * as assert from "uvu/assert";
import { Quiet } from "../../../actors/scheduler/quiet.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("quiet");

const none = { lives: 0, busy: 0, pulse: 0 };

function report(slot: string, replays = none, onItsWay = false): Parameters<Quiet["reported"]>[0] {
  return { kind: "progress", execution: "run", slot, channels: [], replays, memoryBytes: 0, lateMessages: 0, onItsWay };
}

/** Reports of two slots, from one time on: as many as make an execution count as stuck. */
function quietFrom(quiet: Quiet, from: number, count = 12, everyMs = 100): void {
  for (let at = 0; at < count; at++)
    for (const slot of ["a", "b"]) quiet.reported(report(slot), 7, from + at * everyMs);
}

test("it is long once every slot has said often enough that nothing happens", () => {
  const quiet = new Quiet();
  quietFrom(quiet, 0, 11);
  quiet.reported(report("a"), 7, 1100);
  assert.not(quiet.isLong(["a", "b"]));
  quiet.reported(report("b"), 7, 1100);
  assert.ok(quiet.isLong(["a", "b"]));
  assert.not(quiet.isLong(["a", "b", "c"]));
});

test("it isn't while a disk takes its time with what waits there, however long", () => {
  const quiet = new Quiet();
  quietFrom(quiet, 0, 11);
  quiet.reported(report("a", none, true), 7, 1100);
  quiet.reported(report("b"), 7, 1100);
  assert.not(quiet.isLong(["a", "b"]));
  quietFrom(quiet, 1200);
  assert.ok(quiet.isLong(["a", "b"]));
});

test("reports that waited for a busy scheduler count once: what would have got channels on waits behind them", () => {
  const quiet = new Quiet();
  quietFrom(quiet, 0, 40, 1);
  assert.not(quiet.isLong(["a", "b"]));
});

test("whatever gets on ends it, also a life that only makes outputs again", () => {
  for (const [pulse, replays] of [
    [8, none],
    [7, { lives: 1, busy: 1, pulse: 0 }],
    [7, { lives: 1, busy: 0, pulse: 3 }],
  ] as const) {
    const quiet = new Quiet();
    quietFrom(quiet, 0);
    quiet.reported(report("a", replays), pulse, 1200);
    assert.not(quiet.isLong(["a", "b"]));
  }
});

test("it says how many lives that make outputs again are left", () => {
  const quiet = new Quiet();
  quiet.reported(report("a", { lives: 2, busy: 0, pulse: 9 }), 7, 0);
  quiet.reported(report("b", { lives: 1, busy: 0, pulse: 3 }), 7, 0);
  assert.is(quiet.replaying(["a", "b"]), 3);
  quiet.reported(report("a"), 7, 100);
  assert.is(quiet.replaying(["a", "b"]), 1);
});

test.run();
