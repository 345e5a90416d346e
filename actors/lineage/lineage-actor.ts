import { setMaxListeners } from "node:events";
import type { ChannelCommit, FencedChannel, LineageStore } from "../../lib/core/contracts/lineage-store.ts";
import { errorToData, QStreamError } from "../../lib/core/errors.ts";
import type { Plan } from "../../lib/core/plan.ts";
import { delay, type Clock } from "../../lib/core/seam/clock.ts";
import type { ActorHost, ActorReference } from "../hosts/actor-host.ts";
import { pointerIn } from "../stores/blob-pointer.ts";
import { unpackCheckpoint } from "./checkpoint-bytes.ts";
import type { LineageMetrics } from "./lineage-metrics.ts";
import type { CommittedEntry, LineageAnswer, LineageCall, LineageOrder, LineageReport } from "./protocol.ts";
import { Retention, type Freed, type KnownCheckpoint } from "./retention.ts";

/** A channel that was fenced, and the checkpoints that it may start from. */
export interface RecoverableChannel extends Omit<FencedChannel, "checkpoints"> {
  readonly checkpoints: readonly KnownCheckpoint[];
}

export interface LineageActorParts {
  readonly host: ActorHost;
  readonly clock: Clock;
  readonly store: LineageStore;
  /** Milliseconds for which an execution waits for a store that is away. */
  readonly waitMs: number;
  readonly order: (slot: string, order: LineageOrder) => void;
  /** The store can't be had: the execution can't go on. */
  readonly failed: (execution: string, error: Error) => void;
}

interface OpenExecution {
  readonly retention: Retention;
  /** An earlier process wrote part of it. */
  readonly resumed: boolean;
  readonly written: { records: number; recordBytes: number; checkpoints: number; checkpointBytes: number };
  /** The generation that this process gave each channel last; channels that it never fenced have their first. */
  readonly generations: Map<number, number>;
  readonly closed: AbortController;
  /** Settles when the fence that was asked for last has been made. */
  fencing: Promise<unknown>;
}

type Append = Extract<LineageReport, { kind: "lineage-append" }>;
type Call = Extract<LineageReport, { kind: "lineage-call" }>;

// Records that one commit writes at most: a bound on what waits for one answer of the store.
const commitRecordsMax = 4096;
const readRecordsMax = 256;
const retryFirstMs = 20;
const retryMostMs = 1000;
// A store that is away, or refuses writes for want of memory or disk, may be back before long.
const waitedFor: ReadonlySet<string> = new Set(["STORE_UNAVAILABLE", "STORE_REFUSED"]);

/**
 * The actor of a machine that writes lineage: it gathers the records of all slots while a commit is on its way, and writes
 * them with the next. A store that is away is waited for; every write can be repeated.
 */
export class LineageActor {
  readonly #parts: LineageActorParts;
  readonly #actor: ActorReference<LineageReport>;
  readonly #executions = new Map<string, OpenExecution>();
  #queue: (Append | Call)[] = [];
  #writing = false;

  constructor(parts: LineageActorParts) {
    this.#parts = parts;
    this.#actor = parts.host.spawn<LineageReport>("lineage", {
      receive: (report) => this.#receive(report),
      crashed: (error) => {
        for (const execution of this.#executions.keys()) this.#failed(execution, error);
      },
    });
  }

  /** Makes an execution known to the store. */
  async open(execution: string, plan: Plan, description: Uint8Array): Promise<void> {
    const known = openExecution(plan, false);
    this.#executions.set(execution, known);
    const channels = plan.steps.reduce((sum, step) => sum + step.channels, 0);
    const { store, clock } = this.#parts;
    await this.#retry(known, () => store.create(execution, description, channels, clock.now()));
  }

  /** Goes on with an execution that the store has. */
  resume(execution: string, plan: Plan): void {
    this.#executions.set(execution, openExecution(plan, true));
  }

  receive(report: LineageReport): void {
    this.#actor.tell(report);
  }

  /** Shuts out the present generations of channels. */
  fence(execution: string, channels: readonly number[]): Promise<readonly RecoverableChannel[]> {
    const known = this.#known(execution);
    // One after the other: what the last answer says has to be what the store has.
    const fenced = known.fencing.then(() => this.#fence(execution, known, channels));
    known.fencing = fenced.catch(() => {});
    return fenced;
  }

  async #fence(
    execution: string,
    known: OpenExecution,
    channels: readonly number[],
  ): Promise<readonly RecoverableChannel[]> {
    const { store } = this.#parts;
    // Until the answer is here, nobody can tell whether a refused commit is of a life that we shut out ourselves.
    for (const channel of channels) known.generations.set(channel, Infinity);
    const fenced = await this.#retry(known, () => store.fence(execution, channels));
    const recoverable: RecoverableChannel[] = [];
    for (const channel of fenced) {
      known.generations.set(channel.channel, channel.generation);
      // oxlint-disable-next-line no-await-in-loop -- one after the other bounds what is in memory
      const checkpoints = await this.#checkpoints(execution, known, channel);
      recoverable.push({ ...channel, checkpoints });
    }
    return recoverable;
  }

  /** Checkpoints that a channel which lost nothing could start from, to make outputs again. */
  checkpoints(execution: string, number: number): readonly KnownCheckpoint[] {
    return this.#known(execution).retention.checkpoints(number);
  }

  /** A checkpoint turned out to be damaged. */
  forgetCheckpoint(execution: string, number: number, seq: number): void {
    this.#executions.get(execution)?.retention.forget(number, seq);
  }

  /** What was written since this process goes on with an execution. */
  written(execution: string): LineageMetrics | undefined {
    const written = this.#executions.get(execution)?.written;
    return written === undefined ? undefined : { ...written };
  }

  countFailure(execution: string, number: number, seq: number): Promise<number> {
    return this.#retry(this.#known(execution), () => this.#parts.store.countFailure(execution, number, seq));
  }

  /** Another process goes on with an execution: what the store has of it is that one's. */
  abandon(execution: string): void {
    this.#executions.get(execution)?.closed.abort(takenOver(execution));
    this.#executions.delete(execution);
  }

  /** An execution ended here. What the store keeps of one that is done isn't needed any more. */
  async close(execution: string, status: "done" | "failed" | "cancelled"): Promise<void> {
    const known = this.#executions.get(execution);
    if (known === undefined) return;
    this.#executions.delete(execution);
    known.closed.abort(new QStreamError("ABORTED", `execution ${execution} is over`));
    if (status === "done") await this.#parts.store.drop(execution);
    else await this.#parts.store.setStatus(execution, status);
  }

  stop(): void {
    for (const { closed } of this.#executions.values()) closed.abort(new QStreamError("SESSION_CLOSED", "closed"));
    this.#executions.clear();
    this.#actor.stop();
  }

  #receive(report: LineageReport): void {
    if (!this.#executions.has(report.execution)) return;
    if (report.kind === "lineage-call" && report.request.kind !== "save") void this.#answer(report);
    else this.#queue.push(report);
    if (!this.#writing) void this.#write();
  }

  /** Writes what has gathered, again and again until nothing has. */
  async #write(): Promise<void> {
    this.#writing = true;
    try {
      while (this.#queue.length > 0) {
        const { appends, saves } = this.#takeBatch();
        const executions = new Set(appends.map(({ execution }) => execution));
        // oxlint-disable-next-line no-await-in-loop -- what comes meanwhile is written with the next round trip
        await Promise.all(
          [...executions].map((execution) =>
            this.#commit(
              execution,
              appends.filter((append) => append.execution === execution),
            ),
          ),
        );
        for (const save of saves) void this.#answer(save);
      }
    } finally {
      this.#writing = false;
    }
  }

  /** What one commit writes. Checkpoints among it are saved behind it. */
  #takeBatch(): { readonly appends: readonly Append[]; readonly saves: readonly Call[] } {
    const appends: Append[] = [];
    const saves: Call[] = [];
    let records = 0;
    let taken = 0;
    for (const report of this.#queue) {
      if (records >= commitRecordsMax) break;
      taken++;
      if (report.kind === "lineage-call") saves.push(report);
      else {
        appends.push(report);
        for (const entry of report.entries) records += entry.lengths.length;
      }
    }
    this.#queue = this.#queue.slice(taken);
    return { appends, saves };
  }

  async #commit(execution: string, appends: readonly Append[]): Promise<void> {
    const known = this.#executions.get(execution);
    if (known === undefined) return;
    const commits = appends.flatMap(commitsOf);
    try {
      const answers = await this.#retry(known, () => this.#parts.store.commit(execution, commits));
      const bySlot = new Map<string, CommittedEntry[]>();
      let index = 0;
      for (const { slot, entries } of appends) {
        let told = bySlot.get(slot);
        if (told === undefined) bySlot.set(slot, (told = []));
        for (const { number, generation, firstSeq, lengths } of entries) {
          // A channel that was fenced isn't told anything: its slot has been, or is gone.
          if (answers[index++] === "committed") {
            told.push({ number, generation, through: firstSeq + lengths.length - 1 });
            known.written.records += lengths.length;
            for (const length of lengths) known.written.recordBytes += length;
          } else if (generation >= (known.generations.get(number) ?? 0)) throw takenOver(execution);
        }
      }
      for (const [slot, told] of bySlot) {
        if (told.length > 0) this.#parts.order(slot, { kind: "lineage-committed", execution, entries: told });
      }
    } catch (error) {
      this.#failed(execution, error);
    }
  }

  async #answer({ execution, slot, call, request }: Call): Promise<void> {
    const known = this.#executions.get(execution);
    if (known === undefined) return;
    const answer = await this.#perform(execution, known, request).catch((error: unknown): LineageAnswer => ({
      kind: "error",
      error: errorToData(error),
    }));
    if (this.#executions.get(execution) === known) {
      this.#parts.order(slot, { kind: "lineage-answer", execution, call, answer });
    }
  }

  async #perform(execution: string, known: OpenExecution, request: LineageCall): Promise<LineageAnswer> {
    const { store } = this.#parts;
    const { number } = request;
    switch (request.kind) {
      case "read": {
        const read = await this.#retry(known, () => store.read(execution, number, request.afterSeq, readRecordsMax));
        return { kind: "records", records: read.map(({ record }) => record) };
      }
      case "load": {
        const { seq, whole } = request;
        const kept = await this.#retry(known, () =>
          whole || store.findCheckpoint === undefined
            ? store.loadCheckpoint(execution, number, seq)
            : store.findCheckpoint(execution, number, seq),
        );
        // Whatever stands on one that is damaged is as good as gone.
        if (kept === undefined) known.retention.forget(number, seq);
        return { kind: "checkpoint", kept };
      }
      case "save": {
        const { generation, seq, bytes, head } = request;
        if (known.retention.membersOf(number, head) === undefined) return { kind: "saved", usable: false };
        const answer = await this.#retry(known, () => store.saveCheckpoint(execution, number, generation, seq, bytes));
        if (answer === "committed") {
          known.written.checkpoints++;
          known.written.checkpointBytes += pointerIn(bytes)?.bytes ?? bytes.byteLength;
          await this.#free(execution, known, known.retention.add(number, seq, head));
        }
        return { kind: "saved", usable: known.retention.has(number, seq) };
      }
    }
  }

  async #free(execution: string, known: OpenExecution, freed: readonly Freed[]): Promise<void> {
    for (const { number, recordsThrough, checkpointsBefore } of freed) {
      // oxlint-disable-next-line no-await-in-loop -- in order: consumers before producers
      await this.#retry(known, () => this.#parts.store.free(execution, number, recordsThrough, checkpointsBefore));
    }
  }

  /** The checkpoints of a fenced channel; those of an earlier process are read for what they say of inputs. */
  async #checkpoints(
    execution: string,
    known: OpenExecution,
    { channel, lastSeq, checkpoints }: FencedChannel,
  ): Promise<readonly KnownCheckpoint[]> {
    const { store } = this.#parts;
    const { retention } = known;
    for (const seq of checkpoints) {
      if (!known.resumed || retention.has(channel, seq)) continue;
      // oxlint-disable-next-line no-await-in-loop -- see fence
      const bytes = await this.#retry(known, () => store.loadCheckpoint(execution, channel, seq));
      if (bytes !== undefined) retention.find(channel, seq, unpackCheckpoint(bytes).head);
    }
    if (known.resumed && checkpoints.length > 0) {
      const [first] = await this.#retry(known, () => store.read(execution, channel, -1, 1));
      retention.cutLog(channel, first?.seq ?? lastSeq + 1);
    }
    const kept = new Set([-1, ...checkpoints]);
    return retention
      .checkpoints(channel)
      .filter(({ seq, members }) => kept.has(seq) && members.every((member) => kept.has(member)));
  }

  /** Repeats a call while the store is away, up to a bound. */
  async #retry<T>(known: OpenExecution, call: () => Promise<T>): Promise<T> {
    const { clock, waitMs } = this.#parts;
    const startedAt = clock.monotonic();
    for (let waitedMs = retryFirstMs; ; waitedMs = Math.min(waitedMs * 2, retryMostMs)) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- one try after the other
        return await call();
      } catch (error) {
        const away = error instanceof QStreamError && waitedFor.has(error.code);
        if (!away || clock.monotonic() - startedAt >= waitMs) throw forgotten(error);
      }
      // oxlint-disable-next-line no-await-in-loop -- see above
      await delay(clock, waitedMs, known.closed.signal);
    }
  }

  #known(execution: string): OpenExecution {
    const known = this.#executions.get(execution);
    if (known === undefined) throw new QStreamError("EXECUTION_UNKNOWN", `execution ${execution} isn't open here`);
    return known;
  }

  #failed(execution: string, error: unknown): void {
    if (!this.#executions.has(execution)) return;
    this.#parts.failed(execution, error instanceof Error ? error : new Error(String(error)));
  }
}

/** An execution that is open here was known to the store. */
function forgotten(error: unknown): unknown {
  if (!(error instanceof QStreamError) || error.code !== "EXECUTION_UNKNOWN") return error;
  return new QStreamError("STORE_LOST", `the execution was removed from the store while it ran: ${error.message}`, {
    advice:
      "Somebody removed it, or the store was emptied or restarted without persistence: see docs/lineage-stores.md",
    cause: error,
  });
}

function commitsOf({ entries, bytes }: Append): ChannelCommit[] {
  let end = 0;
  return entries.map(({ number, generation, firstSeq, lengths }) => {
    const records = lengths.map((length) => bytes.subarray(end, (end += length)));
    return { channel: number, generation, firstSeq, records };
  });
}

function openExecution(plan: Plan, resumed: boolean): OpenExecution {
  const closed = new AbortController();
  // Many calls may wait for a store that is away.
  setMaxListeners(0, closed.signal);
  return {
    retention: new Retention(plan),
    resumed,
    written: { records: 0, recordBytes: 0, checkpoints: 0, checkpointBytes: 0 },
    generations: new Map(),
    closed,
    fencing: Promise.resolve(),
  };
}

/** Another process has shut out the generation that this one believed to be the last. */
function takenOver(execution: string): QStreamError {
  return new QStreamError("EXECUTION_TAKEN", `another process goes on with execution ${execution}`, {
    advice: "It was resumed there while it still ran here: this process has stopped, and changed nothing since",
  });
}
