// How long hosts of actors wait for the slots that take the place of lost ones.
import * as assert from "uvu/assert";
import { AwaitedSlots } from "../../../actors/scheduler/awaited-slots.ts";
import type { Clock } from "../../../lib/core/seam/clock.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("awaited slots");

/** A clock whose timers run when the spec says so. */
class Given {
  timers: (() => void)[] = [];
  ends = 0;
  readonly awaited: AwaitedSlots;

  constructor() {
    const clock = {
      after: (_delayMs: number, callback: () => void) => {
        this.timers.push(callback);
        return () => void (this.timers = this.timers.filter((timer) => timer !== callback));
      },
    } as unknown as Clock;
    this.awaited = new AwaitedSlots(clock, () => this.ends++);
  }
}

test("one that is lost is waited for until another has come", () => {
  const given = new Given();
  assert.not(given.awaited.isWaiting);
  given.awaited.expect(1);
  assert.ok(given.awaited.isWaiting);
  given.awaited.came();
  assert.not(given.awaited.isWaiting);
  assert.is(given.ends, 1);
  assert.is(given.timers.length, 0);
});

test("each of several is waited for, also of those that are lost later", () => {
  const given = new Given();
  given.awaited.expect(2);
  given.awaited.came();
  given.awaited.expect(1);
  given.awaited.came();
  assert.ok(given.awaited.isWaiting);
  assert.is(given.timers.length, 1);
  given.awaited.came();
  assert.is(given.ends, 1);
});

test("what doesn't come in time isn't waited for, and what comes without being awaited ends nothing", () => {
  const given = new Given();
  given.awaited.came();
  assert.is(given.ends, 0);
  given.awaited.expect(3);
  given.timers[0]?.();
  assert.not(given.awaited.isWaiting);
  assert.is(given.ends, 1);
  given.awaited.came();
  assert.is(given.ends, 1);
});

test.run();
