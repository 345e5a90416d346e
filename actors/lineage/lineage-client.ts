import type {
  ChannelLog,
  CheckpointHead,
  LineageLog,
  LoadedCheckpoint,
  TaskRecord,
} from "../../lib/core/contracts/lineage.ts";
import type { FileSystem } from "../../lib/core/contracts/file-system.ts";
import { errorFromData, invariant, QStreamError } from "../../lib/core/errors.ts";
import { decodeRecord, encodeRecord } from "../../lib/core/lineage/record-codec.ts";
import type { Clock } from "../../lib/core/seam/clock.ts";
import { BlobFolder } from "../stores/blob-folder.ts";
import { pointerIn, readBlob, writeBlob } from "../stores/blob-pointer.ts";
import { unpackCheckpoint } from "./checkpoint-bytes.ts";
import type { LineageAnswer, LineageCall, LineageOrder, LineageReport } from "./protocol.ts";

/** Records of one life that the lineage actor has or is about to get. */
interface OpenLog {
  readonly log: ChannelLog;
  unsent: Uint8Array[];
  firstUnsent: number;
  readonly waiting: { readonly seq: number; readonly committed: () => void }[];
}

/** The logs of one execution. */
interface OpenExecution {
  readonly logs: Map<string, OpenLog>;
  /** Records that the lineage actor hasn't been sent. */
  unsent: number;
  /** When it was sent some last. */
  sentAt: number;
}

interface OpenCall {
  readonly resolve: (answer: LineageAnswer) => void;
  readonly reject: (error: Error) => void;
}

// A message costs more than what is in it, and it wakes a thread that the slot may have to share its core with: a busy slot
// sends this many records together, or what there is after this time, or when a channel waits for them. A channel runs further ahead.
const gatherRecords = 64;
const gatherMs = 4;

/**
 * The lineage as the channels of a slot see it: gathers what they append for the lineage actor of the machine. What comes
 * after a while of nothing goes at once.
 */
export class LineageClient implements LineageLog {
  readonly keeps = true;
  readonly #slot: string;
  readonly #clock: Clock;
  readonly #files: FileSystem;
  readonly #report: (report: LineageReport) => void;
  readonly #folders = new Map<string, BlobFolder>();
  readonly #executions = new Map<string, OpenExecution>();
  readonly #calls = new Map<number, OpenCall & { readonly execution: string }>();
  #nextCall = 0;
  #scheduled = false;
  #cancelTimer: (() => void) | undefined;

  constructor(parts: {
    readonly slot: string;
    readonly clock: Clock;
    readonly files: FileSystem;
    readonly report: (report: LineageReport) => void;
  }) {
    this.#slot = parts.slot;
    this.#clock = parts.clock;
    this.#files = parts.files;
    this.#report = parts.report;
  }

  append(log: ChannelLog, record: TaskRecord, committed: () => void): void {
    const execution = this.#execution(log.execution);
    const open = this.#open(execution, log);
    if (open.unsent.length === 0) open.firstUnsent = record.seq;
    open.unsent.push(encodeRecord(record));
    open.waiting.push({ seq: record.seq, committed });
    execution.unsent++;
    if (execution.unsent >= gatherRecords) this.#flushSoon();
    else if (!this.#scheduled) {
      const waitMs = execution.sentAt + gatherMs - this.#clock.monotonic();
      if (waitMs <= 0) this.#flushSoon();
      else this.#flushAfter(waitMs);
    }
  }

  hurry(execution: string): void {
    if ((this.#executions.get(execution)?.unsent ?? 0) > 0) this.#flushSoon();
  }

  async read(log: ChannelLog, afterSeq: number): Promise<readonly TaskRecord[]> {
    const answer = await this.#call(log.execution, { kind: "read", number: log.number, afterSeq });
    invariant(answer.kind === "records", `a log was asked for, and ${answer.kind} came`);
    return answer.records.map(decodeRecord);
  }

  async saveCheckpoint(log: ChannelLog, seq: number, bytes: Uint8Array, head: CheckpointHead): Promise<boolean> {
    const { execution, number, generation } = log;
    // The records that the checkpoint stands on go first.
    this.#send(execution, this.#execution(execution));
    const kept = await this.#writeLarge(log, seq, bytes);
    const answer = await this.#call(execution, { kind: "save", number, generation, seq, bytes: kept, head });
    invariant(answer.kind === "saved", `a checkpoint was to be saved, and ${answer.kind} came`);
    return answer.usable;
  }

  async loadCheckpoint(log: ChannelLog, seq: number): Promise<LoadedCheckpoint | undefined> {
    let bytes = await this.#find(log, seq, false);
    const pointer = bytes === undefined ? undefined : pointerIn(bytes);
    if (pointer !== undefined) {
      bytes = await readBlob(this.#folder(pointer.place), pointer).catch(() => undefined);
      // Where it can't be had from here, the store may have it, or waits for it; if it is damaged, its actor has to know.
      bytes ??= await this.#find(log, seq, true);
    }
    if (bytes === undefined) return undefined;
    const { head, state } = unpackCheckpoint(bytes);
    return { state, previous: head.changes?.previous };
  }

  follow(order: LineageOrder): void {
    if (order.kind === "lineage-answer") {
      const call = this.#calls.get(order.call);
      this.#calls.delete(order.call);
      if (order.answer.kind === "error") call?.reject(errorFromData(order.answer.error));
      else call?.resolve(order.answer);
      return;
    }
    const execution = this.#executions.get(order.execution);
    if (execution === undefined) return;
    for (const { number, generation, through } of order.entries) {
      const waiting = execution.logs.get(`${number}.${generation}`)?.waiting ?? [];
      while (waiting[0] !== undefined && waiting[0].seq <= through) waiting.shift()?.committed();
    }
  }

  /** A life is over: nothing is committed for it any more. */
  closeLog(log: ChannelLog): void {
    const execution = this.#executions.get(log.execution);
    const open = execution?.logs.get(keyOf(log));
    if (execution === undefined || open === undefined) return;
    execution.unsent -= open.unsent.length;
    execution.logs.delete(keyOf(log));
  }

  /** An execution is over here. */
  close(execution: string): void {
    this.#executions.delete(execution);
    for (const [id, call] of this.#calls) if (call.execution === execution) this.#calls.delete(id);
  }

  /** Writes a large checkpoint from here, so that it passes through nobody's thread, and returns its pointer; else its bytes. */
  async #writeLarge(log: ChannelLog, seq: number, bytes: Uint8Array): Promise<Uint8Array> {
    const { execution, number: channel, generation, blobs } = log;
    if (blobs === undefined || bytes.byteLength <= blobs.storeBytesMax) return bytes;
    const known = this.#executions.get(execution);
    const folder = this.#folder(blobs.path);
    // What can't be written from here goes to the store, which tries again, and says why it can't.
    const kept = await writeBlob(folder, { execution, channel, generation, seq }, bytes).catch(() => bytes);
    if (this.#executions.get(execution) === known) return kept;
    // What the execution had there is removed by now, or somebody else goes on with it.
    const late = pointerIn(kept);
    if (late !== undefined) await folder.remove([late.name]).catch(() => {});
    throw new QStreamError("ABORTED", `execution ${execution} is over here`);
  }

  async #find({ execution, number }: ChannelLog, seq: number, whole: boolean): Promise<Uint8Array | undefined> {
    const answer = await this.#call(execution, { kind: "load", number, seq, whole });
    invariant(answer.kind === "checkpoint", `a checkpoint was asked for, and ${answer.kind} came`);
    return answer.kept;
  }

  #folder(path: string): BlobFolder {
    let folder = this.#folders.get(path);
    if (folder === undefined) this.#folders.set(path, (folder = new BlobFolder(path, this.#files)));
    return folder;
  }

  #execution(id: string): OpenExecution {
    let execution = this.#executions.get(id);
    if (execution === undefined)
      this.#executions.set(id, (execution = { logs: new Map(), unsent: 0, sentAt: -gatherMs }));
    return execution;
  }

  #open({ logs }: OpenExecution, log: ChannelLog): OpenLog {
    let open = logs.get(keyOf(log));
    if (open === undefined) logs.set(keyOf(log), (open = { log, unsent: [], firstUnsent: 0, waiting: [] }));
    return open;
  }

  /** With the end of this turn of the event loop: other channels' turns may be in it. */
  #flushSoon(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.soon(() => this.#flush());
  }

  #flushAfter(ms: number): void {
    this.#cancelTimer ??= this.#clock.after(ms, () => this.#flush());
  }

  #flush(): void {
    this.#scheduled = false;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    for (const [id, execution] of this.#executions) this.#send(id, execution);
  }

  #send(id: string, execution: OpenExecution): void {
    if (execution.unsent === 0) return;
    const entries = [];
    const records: Uint8Array[] = [];
    let bytes = 0;
    for (const open of execution.logs.values()) {
      if (open.unsent.length === 0) continue;
      const lengths: number[] = [];
      for (const record of open.unsent) {
        records.push(record);
        lengths.push(record.byteLength);
        bytes += record.byteLength;
      }
      const { number, generation } = open.log;
      entries.push({ number, generation, firstSeq: open.firstUnsent, lengths });
      open.unsent = [];
    }
    execution.unsent = 0;
    execution.sentAt = this.#clock.monotonic();
    this.#report({ kind: "lineage-append", execution: id, slot: this.#slot, entries, bytes: joined(records, bytes) });
  }

  #call(execution: string, request: LineageCall): Promise<LineageAnswer> {
    const call = this.#nextCall++;
    return new Promise((resolve, reject) => {
      this.#calls.set(call, { resolve, reject, execution });
      this.#report({ kind: "lineage-call", execution, slot: this.#slot, call, request });
    });
  }
}

function keyOf(log: ChannelLog): string {
  return `${log.number}.${log.generation}`;
}

/** Bytes one behind the other. */
function joined(records: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let end = 0;
  for (const record of records) {
    bytes.set(record, end);
    end += record.byteLength;
  }
  return bytes;
}
