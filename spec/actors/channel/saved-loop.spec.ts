// How a channel of a loop without rounds saves its state: with what is on its way to it, up to the marks that were sent with it.
import * as assert from "uvu/assert";
import { emptyMetrics } from "../../../actors/channel/channel-metrics.ts";
import type { ChannelParts } from "../../../actors/channel/channel-parts.ts";
import { decodeSnapshot } from "../../../actors/channel/channel-snapshot.ts";
import { Checkpoints } from "../../../actors/channel/checkpoints.ts";
import { Inputs } from "../../../actors/channel/inputs.ts";
import { LoopWork } from "../../../actors/channel/loop-work.ts";
import { isMark, Mark, markFlags, markIn, type MarkData } from "../../../actors/channel/mark.ts";
import { restoreState, saveState } from "../../../actors/channel/saved-state.ts";
import type { Tasks } from "../../../actors/channel/tasks.ts";
import { unpackCheckpoint } from "../../../actors/lineage/checkpoint-bytes.ts";
import type { ChannelLog, CheckpointHead } from "../../../lib/core/contracts/lineage.ts";
import type { Clock } from "../../../lib/core/seam/clock.ts";
import { MemoryLineage } from "../../kit/memory-lineage.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("saved states of loops");
const edge = 3;
const own = 0;
const other = 1;

class Saving extends MemoryLineage {
  readonly saved: { readonly bytes: Uint8Array; readonly head: CheckpointHead }[] = [];

  override saveCheckpoint(
    _log?: ChannelLog,
    _seq?: number,
    bytes: Uint8Array = new Uint8Array(0),
    head: CheckpointHead = { consumed: [], made: [] },
  ): Promise<boolean> {
    this.saved.push({ bytes: unpackCheckpoint(bytes).state, head });
    return Promise.resolve(true);
  }
}

/** Channel 0 of a loop of two, which has just sent its mark 1, behind which both save. */
class SavingChannel {
  readonly lineage = new Saving();
  readonly inputs: Inputs;
  readonly work: LoopWork;
  readonly checkpoints: Checkpoints;
  readonly tasks = { seq: 20, output: undefined } as unknown as Tasks;
  readonly parts: ChannelParts;
  ms = 0;
  readonly #seqs = [-1, -1];

  constructor(
    state: (channel: SavingChannel) => unknown = () => "state",
    mode: "asynchronous" | "rounds" = "asynchronous",
  ) {
    const planned = { name: "feedback", edge, stage: 0, feedback: mode } as const;
    this.inputs = new Inputs([{ planned, links: 2, window: { objects: 100, bytes: 1000 } }], () => {});
    const round = mode === "rounds" ? { round() {} } : {};
    const operator = { execute() {}, ...round, snapshot: () => state(this), restore() {} };
    const plan = { mode, feeds: true, roundsMax: 10 } as const;
    this.work = new LoopWork(() => operator, false, plan, { channels: 2, inputs: [planned] } as never);
    const clock = { monotonic: () => this.ms } as Clock;
    const log = { execution: "run", number: 0, generation: 0 };
    const failed = (error: unknown): never => {
      throw error;
    };
    this.checkpoints = new Checkpoints({
      policy: { everyMs: 0, workMs: Infinity },
      clock,
      lineage: this.lineage,
      log,
      failed,
    });
    this.parts = {
      work: this.work,
      inputs: this.inputs,
      inputEdges: [{ name: "feedback", edge, after: [] }],
      outputs: { links: [], positions: () => [], restore() {} },
      ctx: { restoreTimers() {} },
      metrics: emptyMetrics(),
      clock,
    } as never;
  }

  /** A mark is sent; the others' of the generation before have come. */
  marks(flags = 0): MarkData {
    return this.work.loop.mark(flags, this.inputs);
  }

  /** What a channel has sent comes. */
  comes(from: number, sent: MarkData | string): void {
    const seq = (this.#seqs[from] ?? -1) + 1;
    const objects = typeof sent === "string" ? [sent] : [new Mark(sent)];
    const rows = typeof sent === "string" ? 1 : 0;
    this.inputs.enqueue(0, { from, seq, previous: seq - 1, rows, bytes: 10, columnar: false, content: { objects } });
    this.#seqs[from] = seq;
  }

  /** All that has come is taken. */
  takes(): void {
    const { loop } = this.work;
    for (let taken = this.inputs.takeFeedback(1); taken !== undefined; taken = this.inputs.takeFeedback(1)) {
      for (const parcel of taken.parcels) {
        if (isMark(parcel)) loop.took(parcel.from, markIn(parcel), this.inputs);
      }
    }
  }

  saves(): void {
    void saveState(this.parts, this.tasks, this.checkpoints);
  }
}

function markOf(number: number, flags = 0): MarkData {
  return { number, fed: 0, vote: undefined, ended: false, flags };
}

/** Goes on to where the states are saved: all have met, and somebody said that it is time. */
function meeting(channel: SavingChannel): void {
  channel.comes(own, channel.marks(markFlags.due));
  channel.comes(other, markOf(0));
  channel.takes();
}

/** What is on its way, by the checkpoint: its objects, and marks by their numbers. */
function waitingIn(channel: SavingChannel): unknown[] {
  const [saved] = channel.lineage.saved;
  assert.ok(saved !== undefined, "nothing was saved");
  const { inputs } = decodeSnapshot(saved.bytes);
  return (inputs[0]?.waiting ?? []).map(({ from, rows }) => `${from}${rows === 0 ? " mark" : ""}`);
}

test("what comes before the others' marks belongs to the state", () => {
  const channel = new SavingChannel();
  meeting(channel);
  const mark = channel.marks();
  channel.saves();
  channel.comes(other, "before");
  channel.comes(own, mark);
  channel.comes(own, "behind");
  assert.is(channel.lineage.saved.length, 0, "one mark hasn't come");
  channel.comes(other, markOf(1));
  assert.equal(waitingIn(channel), ["1", "0 mark", "1 mark"]);
  assert.equal(channel.lineage.saved[0]?.head.consumed, [
    { edge, other: own, seq: 1 },
    { edge, other, seq: 2 },
  ]);
});

test("a mark that was taken before the channel sent its own is there: nothing of its channel is waited for", () => {
  const channel = new SavingChannel();
  meeting(channel);
  channel.comes(other, markOf(1));
  channel.comes(other, "taken behind its mark");
  channel.takes();
  const mark = channel.marks();
  channel.saves();
  channel.comes(other, "behind");
  channel.comes(own, mark);
  assert.equal(waitingIn(channel), ["0 mark"]);
  // What was taken behind the mark isn't asked for again.
  assert.equal(channel.lineage.saved[0]?.head.consumed, [
    { edge, other, seq: 2 },
    { edge, other: own, seq: 1 },
  ]);
});

test("a life that saves behind its replay, which went beyond its mark, knows what it has fed back since", () => {
  const channel = new SavingChannel();
  meeting(channel);
  const mark = channel.marks();
  channel.comes(own, mark);
  channel.comes(other, markOf(1));
  channel.work.loop.fed(3);
  channel.saves();
  const [saved] = channel.lineage.saved;
  assert.ok(saved !== undefined);
  const next = new SavingChannel();
  next.work.loop.restore(decodeSnapshot(saved.bytes).loop as never);
  assert.is(next.marks().fed, 3);
});

test("the time that the state took to be encoded counts before the next one", async () => {
  const channel = new SavingChannel((self) => ({
    get slow() {
      self.ms += 50;
      return 1;
    },
  }));
  meeting(channel);
  const mark = channel.marks();
  channel.saves();
  const encodedMs = channel.ms;
  assert.ok(encodedMs >= 50);
  channel.comes(other, markOf(1));
  channel.comes(own, mark);
  await Promise.resolve();
  assert.is(channel.lineage.saved.length, 1);
  const savedAt = channel.ms;
  channel.ms = savedAt + 9 * encodedMs;
  assert.not.ok(channel.checkpoints.due(30, 0), "a tenth of the time is enough for saving");
  channel.ms = savedAt + 10 * encodedMs;
  assert.ok(channel.checkpoints.due(30, 0));
});

test("a life that goes on knows its round at once, and shows it in a loop with rounds", async () => {
  const channel = new SavingChannel();
  meeting(channel);
  const mark = channel.marks();
  channel.saves();
  channel.comes(other, markOf(1));
  channel.comes(own, mark);
  const bytes = channel.lineage.saved.map((saved) => saved.bytes);
  for (const [mode, shown] of [
    ["rounds", 2],
    ["asynchronous", 0],
  ] as const) {
    const next = new SavingChannel(undefined, mode);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await restoreState(next.parts, next.tasks, bytes);
    assert.is(next.work.loop.number, 2);
    assert.is(next.parts.metrics.round, shown, mode);
  }
});

test.run();
