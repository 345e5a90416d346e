import * as assert from "uvu/assert";
import { ChannelContext } from "../../../actors/channel/channel-context.ts";
import { emptyMetrics } from "../../../actors/channel/channel-metrics.ts";
import { ReaderWork } from "../../../actors/channel/reader-work.ts";
import { run, type Reader } from "../../../lib/core/contracts/reader.ts";
import type { QStreamError } from "../../../lib/core/errors.ts";
import type { Clock } from "../../../lib/core/seam/clock.ts";
import { seedOf } from "../../../lib/core/seam/random.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("contexts of channels");

/** A life of a channel, whose machine's clock says so. */
function lifeAt(now: number, step = 0, channel = 0): ChannelContext {
  return new ChannelContext({
    execution: "run",
    step: `step-${step}`,
    channel,
    channels: 8,
    memoryBytes: 0,
    timersMax: 10,
    files: undefined as never,
    spill: undefined as never,
    datasets: undefined as never,
    clock: { now: () => now, monotonic: () => 0 } as Clock,
    seed: seedOf(7, step),
    openedAt: 1000,
    metrics: emptyMetrics(),
  });
}

test("no two tasks draw the same, in whatever steps and channels", () => {
  const drawn = new Set<number>();
  for (let step = 0; step < 8; step++) {
    for (let channel = 0; channel < 8; channel++) {
      const ctx = lifeAt(0, step, channel);
      for (let seq = 0; seq < 1000; seq++) {
        ctx.begin(seq);
        ctx.enter([ctx.seq]);
        drawn.add(ctx.random());
      }
    }
  }
  assert.is(drawn.size, 8 * 8 * 1000);
});

test("what is drawn at the start, in the first task, in the first split and on edges differs", () => {
  const ctx = lifeAt(0);
  const drawn = [ctx.random()];
  ctx.begin(0);
  drawn.push(ctx.edgeRandom());
  for (const key of [[0], [0, 0], [0, 7], [7, 0]]) {
    ctx.enter(key);
    drawn.push(ctx.random(), ctx.random());
  }
  assert.is(new Set(drawn).size, drawn.length);
});

test("the time before the first task is the same in every life, and is that of tasks afterwards", () => {
  for (const clock of [1001, 5000]) {
    const ctx = lifeAt(clock);
    assert.is(ctx.now(), 1000);
    ctx.begin(0, 1234);
    ctx.enter([0]);
    assert.is(ctx.now(), 1234);
    ctx.begin(1);
    assert.is(ctx.now(), 1234);
    ctx.enter([1]);
    assert.is(ctx.now(), clock);
  }
});

test("a timer's task is no earlier than the timer was set for, and replay takes the time from the log", () => {
  for (const [clock, logged, wanted] of [
    [1001, undefined, 5020],
    [9000, undefined, 9000],
    [9000, 7000, 7000],
  ] as const) {
    const ctx = lifeAt(clock);
    ctx.hasOnTimer = true;
    ctx.begin(0, 5000);
    ctx.enter([0]);
    ctx.timers.set("x", 20);
    ctx.leave();
    ctx.begin(1, logged);
    ctx.goOff("x");
    ctx.enter([1]);
    assert.equal([ctx.now(), ctx.taskNow, ctx.edge.now()], [wanted, wanted, wanted]);
    assert.throws(
      () => ctx.goOff("x"),
      (error: { code?: string }) => error.code === "NONDETERMINISTIC",
    );
  }
});

test("timers that were set before the first task give way to those of a checkpoint", () => {
  const ctx = lifeAt(2000);
  ctx.restoreTimers();
  assert.is(ctx.pendingTimers, undefined);
  ctx.hasOnTimer = true;
  ctx.timers.set("beat", 10);
  assert.equal(ctx.pendingTimers?.list(), [["beat", 1010]]);
  ctx.restoreTimers([["other", 3000]]);
  assert.equal(ctx.pendingTimers?.list(), [["other", 3000]]);
  ctx.restoreTimers();
  assert.equal(ctx.pendingTimers?.list(), []);
});

test("timers of a checkpoint are refused by code that has nothing to call when they go off", () => {
  const ctx = lifeAt(2000);
  for (const take of [() => ctx.restoreTimers([["x", 1]]), () => ctx.changeTimers([["x", 1]])]) {
    assert.throws(take, (error: QStreamError) => {
      const { code } = error.cause as { readonly code?: string };
      return (
        error.code === "NOT_RECOVERABLE" && code === "CODE_CHANGED" && /"x" is pending.*onTimer/u.test(error.message)
      );
    });
  }
});

interface Shown {
  readonly at: number;
  readonly began: number;
  readonly now: number;
  readonly drawn: number;
}

const shown: Reader<Shown> = {
  kind: "shown",
  splits: () => [0],
  *read(_split, ctx, from) {
    const began = ctx.now();
    for (let at = (from?.after as number | undefined) ?? 0; at < 12; at += 3) {
      yield run(
        [0, 1, 2].map((more) => ({ at: at + more, began, now: ctx.now(), drawn: ctx.random() })),
        at + 3,
      );
    }
  },
};

const limits = { objects: 2, bytes: Infinity, lingerMs: 1, clock: undefined as never };

test("a split gives the same times and draws from wherever another life goes on with it", async () => {
  const splits = [{ index: 3, split: 0 }];
  const ctx = lifeAt(2000);
  const work = new ReaderWork(shown, splits);
  ctx.begin(0);
  const output = work.next(ctx);
  const all: Shown[] = [];
  const places = [];
  for (;;) {
    const chunk = await output?.next(limits);
    if (chunk === undefined || chunk.last) break;
    all.push(...(chunk.objects as Shown[]));
    work.taken(chunk.objects.length, output?.mark);
    places.push({ place: work.place(true), before: all.length });
  }
  assert.is(new Set(all.map(({ drawn }) => drawn)).size, 12);
  assert.ok(places.length > 5 && places.some(({ place }) => place.mark?.position !== place.position));
  for (const { place, before } of places) {
    const laterCtx = lifeAt(9000);
    laterCtx.begin(5);
    const later = new ReaderWork(shown, splits);
    const restored = later.restore(place, laterCtx);
    for (let left = restored?.skip ?? 0; left > 0; left--) await restored?.output.pull();
    const rest: Shown[] = [];
    for (;;) {
      const pulled = await restored?.output.pull();
      if (pulled === undefined) break;
      rest.push(pulled.value as Shown);
      later.taken(1, restored?.output.mark);
    }
    assert.equal(rest, all.slice(before));
    assert.is(later.place(false).now, 2000);
  }
});

test.run();
