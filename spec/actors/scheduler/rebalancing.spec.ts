import * as assert from "uvu/assert";
import { Rebalancing } from "../../../actors/scheduler/rebalancing.ts";
import type { ChannelMove, ExecutionEvent } from "../../../actors/scheduler/execution-events.ts";
import type { Running } from "../../../actors/scheduler/running.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";
import { planOf, slotsOf } from "../../lib/placement/plans.ts";

const test = suite("rebalancing of executions");

/** An execution of four channels on one of two slots, and the world that its rebalancing sees. */
class World {
  now = 0;
  /** Milliseconds that each channel was busy. */
  busy = [0, 0, 0, 0];
  phase: Running["phase"] = "running";
  isRecovering = false;
  readonly moved: ExecutionEvent[] = [];
  readonly chosen = new Map<number, string>();
  readonly waiting: (() => void)[] = [];
  readonly rebalancing: Rebalancing;
  readonly running: Running;
  readonly slots = ["a0", "a0", "a0", "a0"];

  constructor(byItself: boolean, keepsLineage = true) {
    const clock = {
      monotonic: () => this.now,
      after: (_ms: number, later: () => void) => {
        this.waiting.push(later);
        return () => {};
      },
    };
    this.rebalancing = new Rebalancing({
      clock: clock as never,
      slots: () => slotsOf([1, 1]),
      client: "client",
      byItself,
      again: (request) => this.rebalancing.asked(this.running, request),
      recover: () => {
        for (const [number, slot] of this.chosen) this.slots[number] = slot;
      },
    });
    const recovering = {
      choose: (number: number, slot: string) => this.chosen.set(number, slot),
    };
    Object.defineProperty(recovering, "active", { get: () => this.isRecovering });
    const running = {
      request: {
        execution: "run-1",
        plan: planOf([{ channels: 4 }], []),
        onEvent: (event: ExecutionEvent) => this.moved.push(event),
      },
      record: { busy: () => this.busy, isDone: () => false, edgeSizes: () => undefined },
      recovering: keepsLineage ? recovering : undefined,
    };
    Object.defineProperty(running, "phase", { get: () => this.phase });
    Object.defineProperty(running, "lives", {
      get: () => ({ all: this.slots.map((slot, channel) => ({ step: 0, channel, slot })) }),
    });
    this.running = running as never;
  }

  ask(): Promise<readonly ChannelMove[]> {
    return new Promise((answer, refuse) =>
      this.rebalancing.asked(this.running, { kind: "rebalance", subject: "run-1", answer, refuse }),
    );
  }

  /** Time goes by, with looks as often as slots report. */
  pass(ms: number, work: (second: number) => readonly number[]): void {
    for (const end = this.now + ms; this.now < end; this.now += 1000) {
      this.busy = this.busy.map((before, number) => before + (work(this.now / 1000)[number] ?? 0));
      this.rebalancing.look(this.running);
    }
  }
}

test("who asks is told what moves, and a second time that nothing does", async () => {
  const world = new World(false);
  const moves = await world.ask();
  assert.equal(
    moves.map(({ step, from, slot }) => [step, from, slot]),
    [
      ["s0", "a0", "b0"],
      ["s0", "a0", "b0"],
    ],
  );
  assert.equal(
    world.moved.map(({ kind }) => kind),
    ["rebalanced"],
  );
  assert.equal(await world.ask(), []);
});

test("what is being recovered is waited for; what doesn't run, or keeps no lineage, is refused", async () => {
  const world = new World(false);
  world.isRecovering = true;
  const asked = world.ask();
  assert.is(world.chosen.size, 0);
  world.isRecovering = false;
  for (const later of world.waiting.splice(0)) later();
  assert.is((await asked).length, 2);
  world.phase = "stopping";
  assert.equal(await world.ask(), []);
  await failure(() => new World(false, false).ask(), "UNSUPPORTED");
  const nobody = new Promise((answer, refuse) =>
    world.rebalancing.asked(undefined, { kind: "rebalance", subject: "run-2", answer, refuse }),
  );
  await failure(() => nobody, "EXECUTION_UNKNOWN");
});

test("who still waits when the session is closed is told", async () => {
  const world = new World(false);
  world.isRecovering = true;
  const asked = world.ask();
  world.rebalancing.close();
  await failure(() => asked, "SESSION_CLOSED");
  for (const later of world.waiting.splice(0)) later();
  assert.is(world.waiting.length, 0, "it is asked again");
});

test("by itself it acts on a load that stays, and rests afterwards", () => {
  const world = new World(true);
  world.pass(9000, () => [100, 100, 100, 100]);
  assert.is(world.moved.length, 0, "one look isn't enough");
  world.pass(6000, () => [100, 100, 100, 100]);
  assert.is(world.moved.length, 1);
  world.pass(25_000, () => [900, 0, 0, 0]);
  assert.is(world.moved.length, 1, "it rests");
});

test("a load that goes to and fro moves nothing", () => {
  const world = new World(true);
  world.slots.splice(0, 4, "a0", "b0", "a0", "b0");
  // Six seconds of work here, and six there: no slot has most to do twice in a row.
  world.pass(300_000, (second) => (Math.floor(second / 6) % 2 === 0 ? [900, 0, 900, 0] : [0, 900, 0, 900]));
  assert.is(world.moved.length, 0);
  const off = new World(false);
  off.pass(100_000, () => [900, 900, 900, 900]);
  assert.is(off.moved.length, 0);
});

test.run();
