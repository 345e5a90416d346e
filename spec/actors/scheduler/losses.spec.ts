import * as assert from "uvu/assert";
import type { LineageActor } from "../../../actors/lineage/lineage-actor.ts";
import type { ExecutionEvent } from "../../../actors/scheduler/execution-events.ts";
import { ExecutionRecord } from "../../../actors/scheduler/execution-record.ts";
import { Lives } from "../../../actors/scheduler/lives.ts";
import { Losses, type ChannelFailure } from "../../../actors/scheduler/losses.ts";
import type { LossReason } from "../../../actors/scheduler/messages.ts";
import { Quiet } from "../../../actors/scheduler/quiet.ts";
import { presentOf, type Running } from "../../../actors/scheduler/running.ts";
import { executionMark, type SlotActivity } from "../../../actors/slot/turn-notes.ts";
import { errorToData, QStreamError } from "../../../lib/core/errors.ts";
import { planOf } from "../../kit/plans.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("losses");
const execution = "run-000000000001";
const steps = [
  { id: "step-0", channels: 1, kind: "reader" },
  { id: "step-1", channels: 2 },
] as const;
const plan = planOf(steps, [{ from: 0, to: 1 }]);
const lossesMax = 5;

/** An execution of a reader and an operator of two channels, channel 0 of which is on the slot that is lost. */
class Given {
  records = 0;
  stopped: Error | undefined;
  readonly recovered: (readonly number[])[] = [];
  readonly counted: { readonly number: number; readonly seq: number; readonly cause: string }[] = [];
  /** Channels whose outputs lives make again. */
  readonly replays = new Map<number, number>();
  /** Lives that others take over from. */
  readonly over = new Set<number>();
  readonly told: { readonly failure: ChannelFailure; readonly count: number; readonly lost: readonly number[] }[] = [];
  readonly events: ExecutionEvent[] = [];
  /** Losses that hold recovery back. */
  held = 0;
  readonly lives: Lives;
  readonly running: Running;
  readonly losses: Losses;
  #slots = 0;

  constructor({ attempts = 3, recovering = true }: { readonly attempts?: number; readonly recovering?: boolean } = {}) {
    this.lives = new Lives(plan, (step, channel) => (step === 1 && channel === 0 ? "slot-0" : "slot-1"));
    const counts = new Map<string, number>();
    const lineage = {
      written: () => ({ records: this.records }),
      countFailure: async (_execution: string, number: number, seq: number, cause: string) => {
        this.counted.push({ number, seq, cause });
        const count = (counts.get(cause) ?? 0) + 1;
        counts.set(cause, count);
        return count;
      },
    };
    const onEvent = (event: ExecutionEvent): unknown => this.events.push(event);
    const request = { execution, plan, recovery: { attempts }, onEvent };
    this.running = {
      request,
      record: new ExecutionRecord({ execution, plan }, ["slot-0", "slot-1"], [[1], [0, 1]], () => undefined),
      slots: ["slot-0", "slot-1"],
      lives: this.lives,
      recovering: recovering
        ? {
            expectSlots: () => {},
            hold: () => this.held++,
            goOn: () => this.held--,
            lose: (numbers: readonly number[]) => this.recovered.push(numbers),
            replayOf: (life: number) =>
              this.replays.has(life) ? { number: this.replays.get(life), checkpoint: -1 } : undefined,
            checkpointOf: () => -1,
            passesOver: () => false,
            isOver: (life: number) => this.over.has(life),
            noteFailed: () => {},
          }
        : undefined,
      startedAt: 0,
      phase: "running",
      awaited: new Set(),
      error: undefined,
      quiet: new Quiet(),
      cancelTimer: undefined,
      fruitlessLosses: 0,
      tasksAtLoss: -1,
      lastLoss: undefined,
      unplacedHangs: 0,
    } as unknown as Running;
    this.losses = new Losses({
      lineage: lineage as unknown as LineageActor,
      stop: (_running, reason) => (this.stopped ??= reason),
      counted: (failure, count, lost = []) => this.told.push({ failure, count, lost }),
      cancel: (_execution, reason) => (this.stopped ??= reason),
    });
  }

  /** Loses the slot that channel 0 of the operator is on; its next life is on another one. False once the execution is stopped. */
  lose(reason?: LossReason, loss: Error = new Error("lost")): boolean {
    const slot = this.lives.at(1, 0)?.slot ?? "";
    const goesOn = this.losses.slotsLost(this.running, [slot], loss, reason);
    if (!goesOn) return false;
    const next = `slot-0.${++this.#slots}`;
    this.running.slots.push(next);
    for (const { number } of this.lives.on([slot])) {
      this.lives.replace(number, { life: this.lives.nextLife(), generation: this.#slots, slot: next });
    }
    return true;
  }

  /** How many such losses it bears. */
  bears(reason?: LossReason): number {
    return borne(() => this.lose(reason));
  }

  /** What the slot that is lost next was at: a task of its channel. */
  activity(seq: number, ended = true): SlotActivity {
    const life = this.lives.at(1, 0)?.life;
    const consumed = [{ edge: 0, from: 0, firstSeq: seq, lastSeq: seq }];
    return { execution: executionMark(execution), life, seq, consumed, ...(ended ? { ended } : {}) };
  }
}

/** How many losses an execution bears until it is stopped. */
function borne(lose: (loss: number) => boolean, most = 50): number {
  for (let loss = 1; loss <= most; loss++) if (!lose(loss)) return loss - 1;
  return most;
}

test("losses one after the other, without a new task between them, are borne five times after the first", () => {
  const given = new Given();
  given.records = 7;
  assert.is(given.bears(), lossesMax);
  assert.equal([given.stopped?.message, given.recovered.length], ["lost", lossesMax]);
});

test("the first loss of an execution that hasn't logged anything counts as any first one, and machines that are left don't", () => {
  const given = new Given();
  for (let left = 0; left < 20; left++) assert.ok(given.lose("left"));
  assert.is(given.bears(), lossesMax);
});

test("a new task between two losses begins the count anew", () => {
  const given = new Given();
  for (let round = 0; round < 4; round++) {
    for (let loss = 0; loss < lossesMax; loss++) assert.ok(given.lose(), `round ${round}, loss ${loss}`);
    given.records++;
  }
  assert.is(given.stopped, undefined);
  assert.is(given.bears(), lossesMax);
});

test("losses by one error, as those of all slots of a machine, are one", () => {
  const given = new Given();
  const machine = new Error("a machine was lost");
  assert.is(
    borne(() => given.lose(undefined, machine)),
    50,
  );
  assert.is(
    borne(() => given.lose()),
    lossesMax - 1,
  );
});

test("a slot that ended in a task is a failure of that task, which the store counts, and its channels wait for the count", async () => {
  const given = new Given();
  const { life = -1 } = given.lives.at(1, 0) ?? {};
  assert.ok(given.lose(given.activity(4)));
  assert.equal(given.counted, [{ number: 1, seq: 4, cause: "0:0:4" }]);
  assert.equal([given.recovered, given.held], [[], 1]);
  await Promise.resolve();
  const [told] = given.told;
  assert.equal([told?.failure.life, told?.failure.seq, told?.count, told?.lost], [life, 4, 1, [1]]);
  const lost = given.events.find((event) => event.kind === "slot-lost");
  assert.instance(lost?.error, QStreamError);
  assert.equal((lost?.error as QStreamError | undefined)?.place, { step: "step-1", channel: 0, seq: 4, input: "in-0" });
});

test("after as many losses in one task as it has attempts, the execution fails with its place", async () => {
  const given = new Given({ attempts: 2 });
  for (let loss = 0; loss < 2; loss++) {
    const lost = given.activity(4);
    const before = given.lives.at(1, 0);
    given.losses.slotsLost(given.running, [before?.slot ?? ""], new Error("lost"), lost);
    await Promise.resolve();
    const told = given.told.at(-1);
    assert.ok(told !== undefined);
    given.losses.failureCounted(given.running, told.failure, told.count, told.lost);
    assert.is(given.held, 0);
    if (given.stopped !== undefined) break;
    given.running.slots.push("slot-0");
  }
  assert.instance(given.stopped, QStreamError);
  assert.match(given.stopped?.message ?? "", "tried 2 times");
  assert.equal((given.stopped as QStreamError).place, { step: "step-1", channel: 0, seq: 4, input: "in-0" });
});

test("losses in another task each time, without any new one, end too: five and as many as a task has attempts", () => {
  for (const attempts of [1, 4]) {
    const given = new Given({ attempts });
    given.records = 3;
    assert.is(
      borne((loss) => given.lose(given.activity(loss))),
      lossesMax + attempts,
    );
  }
});

test("what was lost while sinks committed runs again, whether its loss is counted or not", () => {
  for (const named of [true, false]) {
    const given = new Given();
    given.running.phase = "committing";
    assert.ok(given.lose(named ? given.activity(4) : undefined));
    assert.is(given.running.phase, "running");
  }
});

test("a hang that isn't known to be in a task is borne as often as a task, whatever gets on between", () => {
  const given = new Given({ attempts: 3 });
  const somewhere = { execution: undefined, life: undefined, seq: undefined, consumed: [] };
  assert.is(
    borne(() => {
      given.records++;
      return given.lose(somewhere);
    }),
    2,
  );
});

test("an end that isn't known to be in a task is a loss as any other", () => {
  const given = new Given({ attempts: 1 });
  const loading = { ...given.activity(0), life: undefined, seq: undefined, consumed: [] };
  assert.is(
    borne(() => given.lose(loading)),
    lossesMax,
  );
  assert.match(given.stopped?.message ?? "", "while it loaded the flow's module");
});

test("a loss in a task of another execution, or of a life that is over, names no task of this one", () => {
  const given = new Given();
  assert.ok(given.lose({ ...given.activity(4), execution: executionMark("run-000000000002") }));
  const over = given.activity(4);
  assert.ok(given.lose());
  assert.ok(given.lose(over));
  assert.equal(given.counted, []);
  assert.is(given.recovered.length, 3);
});

test("losses in tasks of another execution aren't held against this one, unless something else may have run meanwhile", () => {
  const given = new Given();
  const elsewhere = { ...given.activity(4), execution: executionMark("run-000000000002") };
  assert.equal([given.bears(elsewhere), given.bears({ ...elsewhere, waits: true })], [50, lossesMax]);
});

test("a failure of a life that another one takes over from, though that isn't there yet, is nobody's", () => {
  const given = new Given();
  const { life = -1, slot = "" } = given.lives.at(1, 0) ?? {};
  const failure: ChannelFailure = {
    kind: "channel-failed",
    execution,
    slot,
    life,
    seq: 4,
    byUser: false,
    error: { name: "Error", message: "its drive is full" },
    consumed: [],
  };
  given.over.add(life);
  given.losses.channelFailed(given.running, failure);
  given.losses.channelFailed(given.running, { ...failure, byUser: true });
  assert.is(presentOf(given.running, life), undefined);
  assert.equal([given.stopped, given.counted, given.recovered], [undefined, [], []]);
  given.over.delete(life);
  assert.is(presentOf(given.running, life)?.number, 1);
  given.losses.channelFailed(given.running, failure);
  assert.is(given.stopped?.message, "its drive is full");
});

test("what was damaged on a channel's disk is made again, for whatever life finds it", () => {
  const given = new Given();
  const { life = -1, slot = "" } = given.lives.at(1, 0) ?? {};
  given.replays.set(17, 2);
  given.losses.channelFailed(given.running, damage(life, slot));
  given.losses.channelFailed(given.running, damage(17, slot));
  given.losses.channelFailed(given.running, damage(18, slot));
  assert.equal([given.stopped, given.recovered, given.counted], [undefined, [[1], []], []]);
});

test("files of a channel that are damaged again and again are borne five times with nothing new between", () => {
  const given = new Given();
  const { life = -1, slot = "" } = given.lives.at(1, 0) ?? {};
  const [, , other] = given.lives.all;
  const damaged = (of: number): boolean => {
    given.losses.channelFailed(given.running, damage(of, slot));
    return given.stopped === undefined;
  };
  // Of several channels, all that was on one disk may be damaged at once.
  for (let time = 0; time < lossesMax; time++) {
    assert.ok(damaged(life) && damaged(other?.life ?? -1), `time ${time}`);
  }
  given.records++;
  assert.is(
    borne(() => damaged(life)),
    lossesMax,
  );
  assert.is((given.stopped as QStreamError).code, "SPOOL_DAMAGED");
});

/** A failure of a life that found something else on its disk than was written there. */
function damage(life: number, slot: string): ChannelFailure {
  const error = errorToData(new QStreamError("SPOOL_DAMAGED", "a block isn't what was written"));
  return { kind: "channel-failed", execution, slot, life, seq: 4, byUser: false, error, consumed: [] };
}

test("the error of a task that user code failed in names the parcels that it had taken", () => {
  const named = (consumed: ChannelFailure["consumed"], objects?: number, message?: string): string => {
    const given = new Given({ recovering: false });
    const { life = -1, slot = "" } = given.lives.at(1, 0) ?? {};
    const place = { step: "step-1", channel: 0, seq: 4, input: "in-0" };
    const thrown = new QStreamError("STEP_FAILED", message ?? "bad", { ...place, advice: "Mend it." });
    const error = errorToData(thrown);
    const count = objects === undefined ? {} : { objects };
    given.losses.channelFailed(given.running, {
      kind: "channel-failed",
      execution,
      slot,
      life,
      seq: 4,
      byUser: true,
      error,
      consumed,
      ...count,
    });
    const { stopped } = given;
    assert.match(stopped?.stack ?? "", stopped?.message ?? "-");
    return stopped?.message ?? "";
  };
  const run = (from: number, firstSeq: number, lastSeq = firstSeq) => ({ edge: 0, from, firstSeq, lastSeq });
  const task = 'step "step-1", channel 0, task 4, input "in-0"';
  assert.is(named([]), `bad (${task}). Mend it.`);
  assert.is(
    named([run(0, 28)], 1024),
    `bad (${task}: parcel 28 of channel 0 of "step-0" with 1,024 objects). Mend it.`,
  );
  assert.is(named([run(0, 28)], 1), `bad (${task}: parcel 28 of channel 0 of "step-0" with 1 object). Mend it.`);
  assert.is(
    named([run(0, 28, 30), run(1, 4)]),
    `bad (${task}: parcels 28 to 30 of channel 0 and parcel 4 of channel 1 of "step-0"). Mend it.`,
  );
  assert.is(
    named([run(0, 1), run(1, 1), run(2, 1), run(3, 1), run(4, 1)]),
    `bad (${task}: parcel 1 of channel 0, parcel 1 of channel 1, parcel 1 of channel 2 and 2 more of "step-0"). Mend it.`,
  );
  assert.match(named([run(0, 28)], 1, 'no input "in-0" please'), /^no input "in-0" please \(.*: parcel 28 /u);
});

test("an end while code of a channel waited is the fault of an operator, and not of a reader", () => {
  const given = new Given();
  const reader = { ...given.activity(2), life: 0, consumed: [], waits: true } as const;
  assert.ok(given.lose(reader));
  assert.equal([given.counted.length, given.recovered.length], [0, 1]);
  assert.ok(given.lose({ ...given.activity(4), waits: true }));
  assert.equal([given.counted.length, given.recovered.length], [1, 1]);
});

test("without a log the first loss is the end, with the place", () => {
  const given = new Given({ recovering: false });
  assert.not(given.lose(given.activity(2)));
  assert.is((given.stopped as QStreamError).place.step, "step-1");
});

test("one that somebody goes on with has all attempts again, for each cause", () => {
  const given = new Given({ attempts: 3 });
  Object.assign(given.running.request, { attemptsAnew: true });
  const failure = (firstSeq: number): ChannelFailure => ({
    kind: "channel-failed",
    execution,
    slot: "slot-0",
    life: given.lives.at(1, 0)?.life ?? -1,
    seq: 7,
    byUser: true,
    consumed: [{ edge: 0, from: 0, firstSeq, lastSeq: firstSeq }],
    error: { name: "Error", message: "no" },
  });
  // The store had counted three of one cause, and none of the other.
  for (const [cause, count] of [
    [5, 4],
    [6, 1],
    [5, 5],
    [6, 2],
  ] as const) {
    given.losses.failureCounted(given.running, failure(cause), count);
    assert.is(given.stopped, undefined);
  }
  const told = given.events.flatMap((event) => (event.kind === "task-failed" ? [event.attempt] : []));
  assert.equal(told, [1, 1, 2, 2]);
  given.losses.failureCounted(given.running, failure(5), 6);
  assert.match(given.stopped?.message ?? "", "tried 3 times: no");
});

test.run();
