import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { refuseTimers } from "../../../actors/channel/refuse-timers.ts";
import { ChannelTimers, type PendingTimer } from "../../../actors/channel/timers.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("timers of a channel");

/** A clock that stands still, whose wall can be set forward and back. */
class StandingClock {
  passedMs = 0;
  jumpedMs = 0;
  readonly waits = new Set<{ readonly delayMs: number; readonly callback: () => void }>();

  now = (): number => 1000 + this.passedMs + this.jumpedMs;
  monotonic = (): number => this.passedMs;
  after = (delayMs: number, callback: () => void): (() => void) => {
    const wait = { delayMs, callback };
    this.waits.add(wait);
    return () => void this.waits.delete(wait);
  };

  /** Delays of the waits that weren't cancelled. */
  get delays(): number[] {
    return [...this.waits].map(({ delayMs }) => delayMs);
  }
}

function timersOn(clock: StandingClock, max = Infinity): ChannelTimers {
  return new ChannelTimers({ clock, max, now: () => clock.now(), refuse: () => {} });
}

function thrown(action: () => unknown): QStreamError {
  try {
    action();
  } catch (error) {
    if (error instanceof QStreamError) return error;
    throw error;
  }
  throw new Error("it was taken");
}

type Step =
  | { readonly kind: "set"; readonly name: string; readonly afterMs: number }
  | { readonly kind: "clear" | "goOff"; readonly name: string }
  | { readonly kind: "pass"; readonly ms: number }
  | { readonly kind: "save"; readonly whole: boolean };

const name = fc.constantFrom("a", "b", "c", "d", "e", "f", "g");
const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: fc.record({ kind: fc.constant("set" as const), name, afterMs: fc.nat(20) }), weight: 6 },
  fc.record({ kind: fc.constantFrom("clear" as const, "goOff" as const), name }),
  fc.record({ kind: fc.constant("pass" as const), ms: fc.nat(5) }),
  fc.record({ kind: fc.constant("save" as const), whole: fc.boolean() }),
);

test("they are as a plain list of them would be, and the same from checkpoints of all and of changes", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const clock = new StandingClock();
      const timers = timersOn(clock);
      let plain: PendingTimer[] = [];
      const restored = timersOn(clock);
      let hasWhole = false;
      for (const taken of steps) {
        if (taken.kind === "pass") clock.passedMs += taken.ms;
        else if (taken.kind === "save") {
          if (taken.whole || !hasWhole) restored.restore(timers.list());
          else restored.apply(timers.changes());
          timers.saved(true);
          hasWhole = true;
          assert.equal(restored.list(), timers.list());
        } else {
          const before = plain.find(([known]) => known === taken.name);
          plain = plain.filter(([known]) => known !== taken.name);
          if (taken.kind === "set") {
            timers.set(taken.name, taken.afterMs);
            plain.push([taken.name, clock.now() + taken.afterMs]);
          } else if (taken.kind === "clear") assert.is(timers.clear(taken.name), before !== undefined);
          else assert.is(timers.goOff(taken.name), before?.[1]);
        }
        const sorted = plain.toSorted(([, one], [, other]) => one - other);
        assert.equal(timers.list(), sorted);
        assert.is(timers.size, plain.length);
        const [first] = sorted;
        assert.is(timers.due(), first !== undefined && first[1] <= clock.now() ? first[0] : undefined);
        assert.is(
          timers.has("a"),
          plain.some(([known]) => known === "a"),
        );
      }
    }),
    { numRuns: 150 },
  );
});

test("a timer that is set again and again takes no more room", () => {
  const clock = new StandingClock();
  const timers = timersOn(clock, 1);
  for (let count = 0; count < 100_000; count++) {
    clock.passedMs++;
    timers.set("flush", 20);
  }
  assert.equal(timers.list(), [["flush", clock.now() + 20]]);
  assert.is(timers.due(), undefined);
  clock.passedMs += 20;
  assert.is(timers.due(), "flush");
});

test("a clock that is set forward or back changes nothing for timers that are set", () => {
  for (const jumpedMs of [-3_600_000, 3_600_000]) {
    const clock = new StandingClock();
    const timers = timersOn(clock);
    timers.set("flush", 20);
    clock.jumpedMs = jumpedMs;
    clock.passedMs = 19;
    assert.is(timers.due(), undefined);
    clock.passedMs = 20;
    assert.is(timers.due(), "flush");
  }
  // It was set back between the start of a task and its timer.
  const clock = new StandingClock();
  const timers = new ChannelTimers({ clock, max: 9, now: () => 1000, refuse: () => {} });
  clock.jumpedMs = -500;
  timers.set("flush", 20);
  clock.passedMs = 20;
  assert.is(timers.due(), "flush");
});

test("only the first is waited for, in parts where it is far, and never longer than it takes", () => {
  const clock = new StandingClock();
  const timers = timersOn(clock);
  let woken = 0;
  const wake = (): void => void woken++;
  timers.wait(wake);
  assert.equal(clock.delays, []);
  timers.set("far", 2 ** 40);
  timers.wait(wake);
  assert.equal(clock.delays, [2 ** 31 - 1]);
  timers.set("near", 10.5);
  timers.wait(wake);
  timers.wait(wake);
  assert.equal(clock.delays, [11]);
  // Who waits for an earlier one is woken, and waits again.
  timers.set("near", 30);
  timers.wait(wake);
  assert.equal(clock.delays, [11]);
  const [wait] = clock.waits;
  assert.ok(wait !== undefined);
  clock.waits.delete(wait);
  clock.passedMs = 11;
  wait.callback();
  assert.is(woken, 1);
  timers.wait(wake);
  assert.equal(clock.delays, [19]);
  timers.stop();
  assert.equal(clock.delays, []);
  timers.set("late", 1);
  timers.wait(wake);
  assert.equal([timers.size, clock.delays.length], [0, 0]);
});

test("what can't be set is refused, and says what can", () => {
  const timers = timersOn(new StandingClock(), 2);
  for (const delay of [-1, Number.NaN, Infinity, "20" as never, undefined as never]) {
    const error = thrown(() => timers.set("flush", delay));
    assert.is(error.code, "OPTION_INVALID");
    assert.match(error.message, /timer "flush" can't be set for \S+ ms from now\. Give a number of milliseconds/u);
  }
  for (const wrong of ["x".repeat(257), "\ud800", 7 as never, undefined as never]) {
    assert.match(thrown(() => timers.set(wrong, 1)).message, /no name of a timer\. Names are texts of up to 256/u);
  }
  timers.set("one", 1);
  timers.set("two", 1);
  timers.set("two", 2);
  const error = thrown(() => timers.set("three", 1));
  assert.is(error.code, "LIMIT_EXCEEDED");
  assert.match(error.message, /"three" is one too many: 2 are pending.*limits\.timers/u);
  timers.clear("one");
  timers.set("three", 1);
  assert.match(thrown(() => refuseTimers(false, true)).message, /Give the operator onTimer\(name, ctx\)/u);
  assert.is(thrown(() => refuseTimers(true, false)).code, "UNSUPPORTED");
});

test.run();
