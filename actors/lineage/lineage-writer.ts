import { setMaxListeners } from "node:events";
import type { CheckpointHead } from "../../lib/core/contracts/lineage.ts";
import type { ChannelCommit, LineageStore } from "../../lib/core/contracts/lineage-store.ts";
import { errorToData, QStreamError } from "../../lib/core/errors.ts";
import type { Clock } from "../../lib/core/seam/clock.ts";
import type { ActorHost, ActorReference } from "../hosts/actor-host.ts";
import { pointerIn } from "../stores/blob-pointer.ts";
import { repeatWhileAway } from "../stores/repeat-while-away.ts";
import type { LineageMetrics } from "./lineage-metrics.ts";
import type { CommittedEntry, LineageAnswer, LineageCall, LineageOrder, LineageReport } from "./protocol.ts";

/** Who knows all channels of an execution, wherever they run: which generation is the last, and what may be freed. */
export interface LineageAuthority {
  /** False for a checkpoint of changes that stands on one that is damaged or gone. */
  readonly usable: (execution: string, number: number, head: CheckpointHead) => boolean | Promise<boolean>;
  /** A checkpoint is in the store. False where nobody could start from it by now. */
  readonly saved: (execution: string, number: number, seq: number, head: CheckpointHead) => Promise<boolean>;
  /** A checkpoint turned out to be damaged: whatever stands on it is as good as gone. */
  readonly damaged: (execution: string, number: number, seq: number) => void;
  /** The store refused records of this generation: a newer one has taken over. */
  readonly refused: (execution: string, number: number, generation: number) => void;
  /** The store can't be had: the execution can't go on. */
  readonly failed: (execution: string, error: Error) => void;
}

export interface LineageWriterParts {
  readonly host: ActorHost;
  readonly clock: Clock;
  readonly store: LineageStore;
  /** Milliseconds for which an execution waits for a store that is away. */
  readonly waitMs: number;
  readonly order: (slot: string, order: LineageOrder) => void;
  readonly authority: LineageAuthority;
}

interface OpenExecution {
  readonly written: { records: number; recordBytes: number; checkpoints: number; checkpointBytes: number };
  readonly closed: AbortController;
}

type Append = Extract<LineageReport, { kind: "lineage-append" }>;
type Call = Extract<LineageReport, { kind: "lineage-call" }>;

// Records that one commit writes at most: a bound on what waits for one answer of the store.
const commitRecordsMax = 4096;
const readRecordsMax = 256;

/**
 * The actor of a machine that writes lineage: it gathers the records of all its slots while a commit is on its way, and writes
 * them with the next. A store that is away is waited for; every write can be repeated.
 */
export class LineageWriter {
  readonly #parts: LineageWriterParts;
  readonly #actor: ActorReference<LineageReport>;
  readonly #executions = new Map<string, OpenExecution>();
  #queue: (Append | Call)[] = [];
  #writing = false;

  constructor(parts: LineageWriterParts) {
    this.#parts = parts;
    this.#actor = parts.host.spawn<LineageReport>("lineage", {
      receive: (report) => this.#receive(report),
      crashed: (error) => {
        for (const execution of this.#executions.keys()) this.#failed(execution, error);
      },
    });
  }

  /** An execution writes here from now on. */
  open(execution: string): void {
    const closed = new AbortController();
    // Many calls may wait for a store that is away.
    setMaxListeners(0, closed.signal);
    const written = { records: 0, recordBytes: 0, checkpoints: 0, checkpointBytes: 0 };
    this.#executions.set(execution, { written, closed });
  }

  /** An execution is over here. Who waits for the store waits no more. */
  close(execution: string, reason: Error): void {
    this.#executions.get(execution)?.closed.abort(reason);
    this.#executions.delete(execution);
  }

  receive(report: LineageReport): void {
    this.#actor.tell(report);
  }

  /** What was written here since the execution was opened. */
  written(execution: string): LineageMetrics | undefined {
    const written = this.#executions.get(execution)?.written;
    return written === undefined ? undefined : { ...written };
  }

  stop(): void {
    for (const execution of this.#executions.keys()) {
      this.close(execution, new QStreamError("SESSION_CLOSED", "closed"));
    }
    this.#actor.stop();
  }

  /** Repeats a call while the store is away, up to a bound. */
  retry<T>(execution: string, call: () => Promise<T>): Promise<T> {
    const known = this.#executions.get(execution);
    return known === undefined ? Promise.reject(notOpen(execution)) : this.#retry(known, call);
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
          } else this.#parts.authority.refused(execution, number, generation);
        }
      }
      for (const [slot, told] of bySlot) {
        if (told.length > 0) this.#parts.order(slot, { kind: "lineage-committed", execution, entries: told });
      }
    } catch (error) {
      // It may be over here, or gone on with since.
      if (this.#executions.get(execution) === known) this.#failed(execution, error);
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
    const { store, authority } = this.#parts;
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
        if (kept === undefined) authority.damaged(execution, number, seq);
        return { kind: "checkpoint", kept };
      }
      case "save": {
        const { generation, seq, bytes, head } = request;
        if (!(await authority.usable(execution, number, head))) return { kind: "saved", usable: false };
        const answer = await this.#retry(known, () => store.saveCheckpoint(execution, number, generation, seq, bytes));
        if (answer !== "committed") return { kind: "saved", usable: false };
        known.written.checkpoints++;
        known.written.checkpointBytes += pointerIn(bytes)?.bytes ?? bytes.byteLength;
        // Who goes on with the execution finds it in the store, behind those before it.
        if (this.#executions.get(execution) !== known) return { kind: "saved", usable: false };
        return { kind: "saved", usable: await authority.saved(execution, number, seq, head) };
      }
    }
  }

  async #retry<T>({ closed }: OpenExecution, call: () => Promise<T>): Promise<T> {
    const { clock, waitMs } = this.#parts;
    try {
      return await repeatWhileAway({ clock, waitMs, signal: closed.signal, isFullAway: true }, call);
    } catch (error) {
      throw forgotten(error);
    }
  }

  #failed(execution: string, error: unknown): void {
    this.#parts.authority.failed(execution, error instanceof Error ? error : new Error(String(error)));
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

/** The error of a call for an execution that isn't open (any more). */
export function notOpen(execution: string): QStreamError {
  return new QStreamError("EXECUTION_UNKNOWN", `execution ${execution} isn't open here`);
}

function commitsOf({ entries, bytes }: Append): ChannelCommit[] {
  let end = 0;
  return entries.map(({ number, generation, firstSeq, lengths }) => {
    const records = lengths.map((length) => bytes.subarray(end, (end += length)));
    return { channel: number, generation, firstSeq, records };
  });
}
