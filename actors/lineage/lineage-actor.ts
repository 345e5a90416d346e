import type { CheckpointHead } from "../../lib/core/contracts/lineage.ts";
import type { FencedChannel } from "../../lib/core/contracts/lineage-store.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { keepingAlive } from "../../lib/core/seam/keeping-alive.ts";
import type { Plan } from "../../lib/core/plan.ts";
import { repeatWhileAway } from "../stores/repeat-while-away.ts";
import { unpackCheckpoint } from "./checkpoint-bytes.ts";
import type { LineageMetrics } from "./lineage-metrics.ts";
import { LineageWriter, notOpen, type LineageAuthority, type LineageWriterParts } from "./lineage-writer.ts";
import type { LineageReport } from "./protocol.ts";
import { Retention, type Freed, type KnownCheckpoint } from "./retention.ts";

/** A channel that was fenced, and the checkpoints that it may start from. */
export interface RecoverableChannel extends Omit<FencedChannel, "checkpoints"> {
  readonly checkpoints: readonly KnownCheckpoint[];
}

export interface LineageActorParts extends Omit<LineageWriterParts, "authority"> {
  /** The execution can't go on: the store can't be had, or another process has taken it over. */
  readonly failed: (execution: string, error: Error) => void;
}

interface OpenExecution {
  readonly retention: Retention;
  /** Checkpoints that nobody can start from, as `number:seq`. */
  readonly forgotten: Set<string>;
  /** An earlier process wrote part of it. */
  readonly resumed: boolean;
  /** The generation that this process gave each channel last; channels that it never fenced have their first. */
  readonly generations: Map<number, number>;
  /** What the writers of other machines say that they have written. */
  readonly elsewhere: Map<string, LineageMetrics>;
  /** Settles when the fence that was asked for last has been made. */
  fencing: Promise<unknown>;
}

// How long a store that is away is waited for when an execution is over: its result is there, and nobody can do much about it.
const closingMostMs = 5000;

/**
 * The lineage of a session's executions: opens and ends them in the store, shuts out lives that are lost, and knows what may be
 * freed. What slots of this machine write goes through its writer; other machines have writers of their own, that ask it.
 */
export class LineageActor implements LineageAuthority {
  readonly #parts: LineageActorParts;
  readonly #writer: LineageWriter;
  readonly #executions = new Map<string, OpenExecution>();
  /** Executions whose end the store is told of, as long as they aren't opened again. */
  readonly #closing = new Map<string, AbortController>();

  constructor(parts: LineageActorParts) {
    this.#parts = parts;
    this.#writer = new LineageWriter({ ...parts, authority: this });
  }

  /** Makes an execution known to the store. */
  async open(execution: string, plan: Plan, description: Uint8Array): Promise<void> {
    this.#open(execution, plan, false);
    const channels = plan.steps.reduce((sum, step) => sum + step.channels, 0);
    const { store, clock } = this.#parts;
    await this.#writer.retry(execution, () => store.create(execution, description, channels, clock.now()));
  }

  /** Goes on with an execution that the store has. */
  resume(execution: string, plan: Plan): void {
    this.#open(execution, plan, true);
  }

  receive(report: LineageReport): void {
    this.#writer.receive(report);
  }

  /** Shuts out the present generations of channels. */
  fence(execution: string, channels: readonly number[]): Promise<readonly RecoverableChannel[]> {
    const known = this.#known(execution);
    // One after the other: what the last answer says has to be what the store has.
    const fenced = known.fencing.then(() => this.#fence(execution, known, channels));
    known.fencing = fenced.catch(() => {});
    return this.#whileOpen(execution, fenced);
  }

  async #fence(
    execution: string,
    known: OpenExecution,
    channels: readonly number[],
  ): Promise<readonly RecoverableChannel[]> {
    const { store } = this.#parts;
    // Until the answer is here, nobody can tell whether a refused commit is of a life that we shut out ourselves.
    for (const channel of channels) known.generations.set(channel, Infinity);
    const fenced = await this.#writer.retry(execution, () => store.fence(execution, channels));
    for (const { channel, generation } of fenced) known.generations.set(channel, generation);
    for (const channel of fenced) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other bounds what is in memory
      await this.#findCheckpoints(execution, known, channel);
    }
    return fenced.map((channel) => ({ ...channel, checkpoints: checkpointsOf(known.retention, channel) }));
  }

  /** Checkpoints that a channel which lost nothing could start from, to make outputs again. */
  checkpoints(execution: string, number: number): readonly KnownCheckpoint[] {
    return this.#known(execution).retention.checkpoints(number);
  }

  /** A checkpoint turned out to be damaged. */
  forgetCheckpoint(execution: string, number: number, seq: number): void {
    const known = this.#executions.get(execution);
    known?.retention.forget(number, seq);
    known?.forgotten.add(`${number}:${seq}`);
  }

  /** What was written, here and elsewhere, since this process goes on with an execution. */
  written(execution: string): LineageMetrics | undefined {
    const own = this.#writer.written(execution);
    const elsewhere = this.#executions.get(execution)?.elsewhere ?? new Map<string, LineageMetrics>();
    return own === undefined ? undefined : [...elsewhere.values()].reduce(addUp, own);
  }

  /** The writer of another machine says what it has written so far. */
  writtenElsewhere(execution: string, machine: string, written: LineageMetrics): void {
    this.#executions.get(execution)?.elsewhere.set(machine, written);
  }

  countFailure(execution: string, number: number, seq: number, cause: string): Promise<number> {
    const counted = this.#writer.retry(execution, () => this.#parts.store.countFailure(execution, number, seq, cause));
    return this.#whileOpen(execution, counted);
  }

  /** Another process goes on with an execution: what the store has of it is that one's. */
  abandon(execution: string): void {
    this.#writer.close(execution, takenOver(execution));
    this.#executions.delete(execution);
  }

  /** An execution ended here. What the store keeps of one that is done isn't needed any more. A store that is away is waited for. */
  async close(execution: string, status: "done" | "failed" | "cancelled"): Promise<void> {
    if (!this.#executions.delete(execution)) return;
    this.#writer.close(execution, new QStreamError("ABORTED", `execution ${execution} is over`));
    const { clock, store } = this.#parts;
    const reopened = new AbortController();
    this.#closing.set(execution, reopened);
    try {
      await repeatWhileAway(
        {
          clock: keepingAlive(clock),
          waitMs: Math.min(closingMostMs, this.#parts.waitMs),
          signal: reopened.signal,
          isFullAway: true,
        },
        () => (status === "done" ? store.drop(execution) : store.setStatus(execution, status)),
      );
    } finally {
      if (this.#closing.get(execution) === reopened) this.#closing.delete(execution);
    }
  }

  stop(): void {
    for (const closing of this.#closing.values()) closing.abort(new QStreamError("SESSION_CLOSED", "closed"));
    this.#executions.clear();
    this.#writer.stop();
  }

  usable(execution: string, number: number, head: CheckpointHead): boolean {
    return this.#executions.get(execution)?.retention.membersOf(number, head) !== undefined;
  }

  async saved(execution: string, number: number, seq: number, head: CheckpointHead): Promise<boolean> {
    const known = this.#executions.get(execution);
    if (known === undefined) return false;
    await this.#free(execution, known.retention.add(number, seq, head));
    return known.retention.has(number, seq);
  }

  damaged(execution: string, number: number, seq: number): void {
    this.forgetCheckpoint(execution, number, seq);
  }

  refused(execution: string, number: number, generation: number): void {
    const known = this.#executions.get(execution);
    if (known !== undefined && generation >= (known.generations.get(number) ?? 0)) {
      this.#parts.failed(execution, takenOver(execution));
    }
  }

  failed(execution: string, error: Error): void {
    if (this.#executions.has(execution)) this.#parts.failed(execution, error);
  }

  #open(execution: string, plan: Plan, resumed: boolean): void {
    this.#closing.get(execution)?.abort(new QStreamError("ABORTED", `execution ${execution} goes on`));
    this.#writer.open(execution);
    this.#executions.set(execution, {
      retention: new Retention(plan),
      forgotten: new Set(),
      resumed,
      generations: new Map(),
      elsewhere: new Map(),
      fencing: Promise.resolve(),
    });
  }

  /** What goes wrong once the execution is over matters to nobody; least of all to who goes on with it in this session. */
  async #whileOpen<T>(execution: string, work: Promise<T>): Promise<T> {
    const known = this.#executions.get(execution);
    try {
      return await work;
    } catch (error) {
      if (this.#executions.get(execution) === known) throw error;
      return new Promise(() => {});
    }
  }

  async #free(execution: string, freed: readonly Freed[]): Promise<void> {
    for (const { number, recordsThrough, checkpointsBefore } of freed) {
      // oxlint-disable-next-line no-await-in-loop -- in order: consumers before producers
      await this.#writer.retry(execution, () =>
        this.#parts.store.free(execution, number, recordsThrough, checkpointsBefore),
      );
    }
  }

  /**
   * Reads of a fenced channel's checkpoints what they say of inputs, where it isn't known here: an earlier process saved them,
   * or the store did and was away when it should have said so.
   */
  async #findCheckpoints(
    execution: string,
    { resumed, retention, forgotten }: OpenExecution,
    { channel, lastSeq, checkpoints }: FencedChannel,
  ): Promise<void> {
    const { store } = this.#parts;
    for (const seq of checkpoints) {
      // The store may still list one that is being freed, or that nobody could start from.
      const newest = retention.checkpoints(channel).at(-1)?.seq ?? -1;
      if (seq <= newest || forgotten.has(`${channel}:${seq}`)) continue;
      // oxlint-disable-next-line no-await-in-loop -- see fence
      const bytes = await this.#writer.retry(execution, () => store.loadCheckpoint(execution, channel, seq));
      if (bytes === undefined) continue;
      const { head } = unpackCheckpoint(bytes);
      if (resumed) retention.find(channel, seq, head);
      // oxlint-disable-next-line no-await-in-loop -- see fence
      else await this.#free(execution, retention.add(channel, seq, head));
    }
    if (resumed && checkpoints.length > 0) {
      const [first] = await this.#writer.retry(execution, () => store.read(execution, channel, -1, 1));
      retention.cutLog(channel, first?.seq ?? lastSeq + 1);
    }
  }

  #known(execution: string): OpenExecution {
    const known = this.#executions.get(execution);
    if (known === undefined) throw notOpen(execution);
    return known;
  }
}

/** Where a fenced channel can start, by what is known of it and what the store has. */
function checkpointsOf(retention: Retention, { channel, checkpoints }: FencedChannel): readonly KnownCheckpoint[] {
  const kept = new Set([-1, ...checkpoints]);
  return retention
    .checkpoints(channel)
    .filter(({ seq, members }) => kept.has(seq) && members.every((member) => kept.has(member)));
}

function addUp(sum: LineageMetrics, more: LineageMetrics): LineageMetrics {
  return {
    records: sum.records + more.records,
    recordBytes: sum.recordBytes + more.recordBytes,
    checkpoints: sum.checkpoints + more.checkpoints,
    checkpointBytes: sum.checkpointBytes + more.checkpointBytes,
  };
}

/** Another process has shut out the generation that this one believed to be the last. */
function takenOver(execution: string): QStreamError {
  return new QStreamError("EXECUTION_TAKEN", `another process goes on with execution ${execution}`, {
    advice: "It was resumed there while it still ran here: this process has stopped, and changed nothing since",
  });
}
