import type { ChannelLog, CheckpointPositions, LineageLog, TaskRecord } from "../../lib/core/contracts/lineage.ts";
import { errorFromData, invariant } from "../../lib/core/errors.ts";
import { decodeRecord, encodeRecord } from "../../lib/core/lineage/record-codec.ts";
import type { Clock } from "../../lib/core/seam/clock.ts";
import type { LineageAnswer, LineageCall, LineageOrder, LineageReport } from "./protocol.ts";

/** Records of one life that the lineage actor has or is about to get. */
interface OpenLog {
  readonly log: ChannelLog;
  unsent: Uint8Array[];
  firstUnsent: number;
  readonly waiting: { readonly seq: number; readonly committed: () => void }[];
}

interface OpenCall {
  readonly resolve: (answer: LineageAnswer) => void;
  readonly reject: (error: Error) => void;
}

/** The lineage as the channels of a slot see it: gathers what they append in a turn for the lineage actor of the machine. */
export class LineageClient implements LineageLog {
  readonly keeps = true;
  readonly #slot: string;
  readonly #clock: Clock;
  readonly #report: (report: LineageReport) => void;
  readonly #logs = new Map<string, Map<string, OpenLog>>();
  readonly #calls = new Map<number, OpenCall & { readonly execution: string }>();
  #nextCall = 0;
  #scheduled = false;

  constructor(parts: {
    readonly slot: string;
    readonly clock: Clock;
    readonly report: (report: LineageReport) => void;
  }) {
    this.#slot = parts.slot;
    this.#clock = parts.clock;
    this.#report = parts.report;
  }

  append(log: ChannelLog, record: TaskRecord, committed: () => void): void {
    const open = this.#open(log);
    if (open.unsent.length === 0) open.firstUnsent = record.seq;
    open.unsent.push(encodeRecord(record));
    open.waiting.push({ seq: record.seq, committed });
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.soon(() => this.#flush());
  }

  async read(log: ChannelLog, afterSeq: number): Promise<readonly TaskRecord[]> {
    const answer = await this.#call(log.execution, { kind: "read", number: log.number, afterSeq });
    invariant(answer.kind === "records", `a log was asked for, and ${answer.kind} came`);
    return answer.records.map(decodeRecord);
  }

  async saveCheckpoint(log: ChannelLog, seq: number, bytes: Uint8Array, positions: CheckpointPositions): Promise<void> {
    // The records that the checkpoint stands on go first.
    this.#flush();
    const { execution, number, generation } = log;
    await this.#call(execution, { kind: "save", number, generation, seq, bytes, positions });
  }

  async loadCheckpoint(log: ChannelLog, seq: number): Promise<Uint8Array | undefined> {
    const answer = await this.#call(log.execution, { kind: "load", number: log.number, seq });
    invariant(answer.kind === "checkpoint", `a checkpoint was asked for, and ${answer.kind} came`);
    return answer.bytes;
  }

  follow(order: LineageOrder): void {
    if (order.kind === "lineage-answer") {
      const call = this.#calls.get(order.call);
      this.#calls.delete(order.call);
      if (order.answer.kind === "error") call?.reject(errorFromData(order.answer.error));
      else call?.resolve(order.answer);
      return;
    }
    const logs = this.#logs.get(order.execution);
    for (const { number, generation, through } of order.entries) {
      const waiting = logs?.get(`${number}.${generation}`)?.waiting ?? [];
      while (waiting[0] !== undefined && waiting[0].seq <= through) waiting.shift()?.committed();
    }
  }

  /** A life is over: nothing is committed for it any more. */
  closeLog(log: ChannelLog): void {
    this.#logs.get(log.execution)?.delete(keyOf(log));
  }

  /** An execution is over here. */
  close(execution: string): void {
    this.#logs.delete(execution);
    for (const [id, call] of this.#calls) if (call.execution === execution) this.#calls.delete(id);
  }

  #open(log: ChannelLog): OpenLog {
    let logs = this.#logs.get(log.execution);
    if (logs === undefined) this.#logs.set(log.execution, (logs = new Map()));
    let open = logs.get(keyOf(log));
    if (open === undefined) logs.set(keyOf(log), (open = { log, unsent: [], firstUnsent: 0, waiting: [] }));
    return open;
  }

  #flush(): void {
    this.#scheduled = false;
    for (const [execution, logs] of this.#logs) {
      const entries = [];
      for (const open of logs.values()) {
        if (open.unsent.length === 0) continue;
        const { number, generation } = open.log;
        entries.push({ number, generation, firstSeq: open.firstUnsent, records: open.unsent });
        open.unsent = [];
      }
      if (entries.length > 0) this.#report({ kind: "lineage-append", execution, slot: this.#slot, entries });
    }
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
