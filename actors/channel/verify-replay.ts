import type { TaskRecord } from "../../lib/core/contracts/lineage.ts";
import { decodeObjects, encodeObjects } from "../../lib/core/codec/index.ts";
import { invariant } from "../../lib/core/errors.ts";
import type { Payload } from "../../lib/core/payload.ts";
import { seededRandom } from "../../lib/core/seam/random.ts";
import type { ChannelContext } from "./channel-context.ts";
import type { ChannelMetrics } from "./channel-metrics.ts";
import type { ChannelParts, TaskParts } from "./channel-parts.ts";
import type { OutgoingEdge } from "./edge-functions.ts";
import { firstDifference, shorten } from "./first-difference.ts";
import type { Outgoing } from "./outputs.ts";
import { ReaderWork } from "./reader-work.ts";
import { keepSent, unlike, type Sent } from "./sent-twice.ts";
import { SecondRun } from "./second-run.ts";
import { Tasks } from "./tasks.ts";
import type { TaskSource } from "./timed-taking.ts";
import type { PendingTimer } from "./timers.ts";
import type { OperatorWork, Work } from "./work.ts";

/** What running tasks once more takes, beside the parts of the channel. */
export interface Verification {
  /** Which part of the tasks, or of a reader's splits, is run once more: more than 0, 1 for all. */
  readonly share: number;
  /** Draws which. */
  readonly seed: number;
  readonly edges: readonly OutgoingEdge[];
  /** Makes another instance of the channel's operator. */
  readonly operator: () => OperatorWork | undefined;
  /** Makes another reading of one of its splits. */
  readonly reading: (split: number) => ReaderWork | undefined;
  readonly context: (metrics: ChannelMetrics) => ChannelContext;
}

/** What the task that has just run left. */
interface LastTask {
  record: TaskRecord | undefined;
  sent: readonly Sent[];
}

/**
 * Runs the first task of a channel, and a sample of the others, twice while all is well: once as always, and once in another
 * instance of the operator, which takes over the state that there was before. What both send, and the states behind it, must be
 * the same, or replay after a loss would make something else than what consumers have seen. Of a reader, a sample of its splits
 * is read twice.
 */
export class VerifyingTasks extends Tasks {
  readonly #parts: ChannelParts;
  readonly #verification: Verification;
  readonly #last: LastTask;
  /** The second run, while what it runs has more to give. */
  #second: SecondRun | undefined;
  #replaying = false;
  /** What the task sends is wanted for comparison. */
  #keeps = false;
  #ended = false;
  /** What runs twice is the operator's `done`. */
  #isEnd = false;
  /** The operator's state behind a task: the next one may start from it. */
  #state: { readonly seq: number; readonly encoded: Payload } | undefined;

  constructor(parts: ChannelParts, settled: () => void, verification: Verification) {
    const last: LastTask = { record: undefined, sent: [] };
    super({ ...parts, lineage: watchedLineage(parts, last) }, settled);
    this.#parts = parts;
    this.#verification = verification;
    this.#last = last;
  }

  override follow(record: TaskRecord | undefined): void {
    this.#replaying = record !== undefined;
    super.follow(record);
  }

  override execute(work: Work, taken: TaskSource): void | Promise<void> {
    const sampled = this.seq < 0 || this.#samples(this.seq + 1);
    this.#keeps = sampled && !this.#replaying && work.snapshot !== undefined;
    return this.#keeps ? this.#executeTwice(work, taken) : super.execute(work, taken);
  }

  override continue(): void | Promise<void> {
    const second = this.#second;
    if (second === undefined) return super.continue();
    return this.#twice(super.continue(), () => this.#repeat(second, (tasks) => tasks.continue()));
  }

  override read(work: ReaderWork): void | Promise<void> {
    const begins = this.output === undefined;
    const isFirst = this.seq < 0;
    const second = this.#second;
    this.#keeps = second !== undefined || (begins && !this.#replaying && work.replayable);
    const reading = super.read(work);
    if (second !== undefined) {
      return this.#twice(reading, () => this.#repeat(second, (tasks, again) => tasks.read(again as ReaderWork)));
    }
    const sampled = this.#samples(work.split);
    if (!this.#keeps || !(sampled || isFirst)) return reading;
    return this.#twice(reading, async () => {
      const again = this.#verification.reading(work.split);
      if (again === undefined || this.#ended) return;
      const opened = this.#begin(again);
      await this.#repeat(opened, (tasks) => tasks.read(again));
      if (!sampled) this.#drop();
    });
  }

  override logStop(committed: () => void): void {
    this.#drop();
    super.logStop(committed);
  }

  override stop(): ReturnType<Tasks["stop"]> {
    this.#ended = true;
    this.#drop();
    return super.stop();
  }

  protected override routed(outgoing: readonly Outgoing[]): void {
    if (this.#keeps) this.#last.sent = keepSent(outgoing);
  }

  async #twice(first: void | Promise<void>, again: () => Promise<void>): Promise<void> {
    await first;
    await again();
  }

  async #executeTwice(work: Work, taken: TaskSource): Promise<void> {
    const timers = this.#timers();
    const before = this.#state?.seq === this.seq ? this.#state.encoded : await stateOf(work);
    this.#state = undefined;
    this.#isEnd = taken.kind === "done";
    if (this.#ended) return;
    await super.execute(work, taken);
    const again = this.#verification.operator();
    if (this.#ended || again === undefined) return;
    const second = this.#begin(again);
    await second.restore(again, decodeObjects(before)[0], timers);
    await this.#repeat(second, (tasks) => tasks.execute(again, taken));
  }

  #begin(work: Work | ReaderWork): SecondRun {
    const { edges, context } = this.#verification;
    this.#second = new SecondRun(this.#parts, { work, edges, context });
    return this.#second;
  }

  /** Runs the task again that has just run, and compares. */
  async #repeat(second: SecondRun, run: Parameters<SecondRun["repeat"]>[2]): Promise<void> {
    const { record, sent } = this.#last;
    // The channel ended while the task ran.
    if (record === undefined || this.#ended || this.#second !== second) return;
    const isOver = this.output === undefined;
    try {
      await second.repeat(record, sent, run);
      if (isOver) await this.#compareStates(second, record.seq);
      this.#parts.metrics.tasksVerified++;
    } finally {
      if (isOver) {
        this.#second = undefined;
        await second.close();
      }
    }
  }

  async #compareStates(second: SecondRun, seq: number): Promise<void> {
    const { work, ctx } = this.#parts;
    if (second.stopped !== ctx.stopped) {
      throw unlike(
        second.stopped ? "called ctx.stop()" : "went on",
        second.stopped ? "it didn't" : "it called ctx.stop()",
      );
    }
    if (work instanceof ReaderWork || second.work instanceof ReaderWork) return;
    // What an operator holds after its end is nobody's business.
    if (this.#isEnd || ctx.stopped) return;
    compareTimers(second.timers, this.#timers());
    const before = await stateOf(work);
    const now = await stateOf(second.work);
    if (this.#samples(seq + 1)) this.#state = { seq, encoded: before };
    if (isSame(now, before)) return;
    const difference = firstDifference(decodeObjects(now)[0], decodeObjects(before)[0]);
    if (difference === undefined) return;
    const { path } = difference;
    throw unlike(
      `left another state: ${shorten(difference.now)}${path === "" ? "" : ` as its ${path}`}`,
      `it was ${shorten(difference.before)}`,
    );
  }

  #timers(): readonly PendingTimer[] {
    return this.#parts.ctx.pendingTimers?.list() ?? [];
  }

  #samples(number: number): boolean {
    const { share, seed } = this.#verification;
    return share >= 1 || seededRandom(Math.imul(seed ^ number, 0x9e3779b1) ^ (this.#parts.ctx.channel << 16))() < share;
  }

  #drop(): void {
    const second = this.#second;
    this.#second = undefined;
    second?.close().catch(() => {});
  }
}

function compareTimers(now: readonly PendingTimer[], before: readonly PendingTimer[]): void {
  const at = now.findIndex(([name, time], index) => name !== before[index]?.[0] || time !== before[index]?.[1]);
  if (at < 0 && now.length === before.length) return;
  const [ours, theirs] = [now[at < 0 ? now.length : at], before[at < 0 ? now.length : at]];
  throw unlike(`left ${described(ours)}`, `it left ${described(theirs)}`);
}

function described(timer: PendingTimer | undefined): string {
  return timer === undefined ? "no further timer" : `the timer ${JSON.stringify(timer[0])} set for ${timer[1]}`;
}

/** Sees the records of tasks on their way to the log, also where nothing is kept. */
function watchedLineage({ lineage, work }: ChannelParts, last: LastTask): TaskParts["lineage"] {
  return {
    // What can't be read again is in records, and isn't verified.
    keeps: lineage.keeps || !(work instanceof ReaderWork && !work.replayable),
    append: (log, record, committed) => {
      last.record = record;
      lineage.append(log, record, committed);
    },
  };
}

/** A state as it would be saved: what goes on changing is encoded at once. */
async function stateOf(work: Work): Promise<Payload> {
  const { snapshot } = work;
  invariant(snapshot !== undefined, "only what has a snapshot is run twice");
  const state: unknown = snapshot();
  return encodeObjects([state instanceof Promise ? await state : state]);
}

function isSame(one: Payload, other: Payload): boolean {
  return one.format === other.format && Buffer.compare(new Uint8Array(one.bytes), new Uint8Array(other.bytes)) === 0;
}
