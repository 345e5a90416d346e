import type { ChannelLog, Consumed, LineageLog, Produced, TaskRecord } from "../../lib/core/contracts/lineage.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { differs } from "./logged-output.ts";

/** Parcels that an operator failed on. */
export interface FailedParcels {
  readonly consumed: readonly Consumed[];
  /** Set if they are to be passed over: why. Otherwise they are only taken one by one, to see which it was. */
  readonly passOver?: string;
}

/** Where a channel that was lost starts again, and how far its log is followed. */
export interface Recovery {
  /** Seq of the checkpoint to restore, or -1 to start from nothing. */
  readonly checkpoint: number;
  /** Seq of the last logged task to run again; Infinity to follow the log to its end. */
  readonly through: number;
  /** Parcels behind the log that the operator failed on. */
  readonly failed?: FailedParcels;
  /** True for a life that makes parcels again which consumers lack, beside the one that goes on: it writes nothing. */
  readonly outputsOnly: boolean;
}

/** The logged tasks that a channel runs again, one after the other. */
export class Replay {
  readonly outputsOnly: boolean;
  readonly #recovery: Recovery;
  readonly #log: ChannelLog;
  readonly #lineage: LineageLog;
  #records: readonly TaskRecord[] = [];
  #next = 0;
  #lastSeq: number;
  #ended = false;

  constructor(recovery: Recovery, log: ChannelLog, lineage: LineageLog) {
    this.outputsOnly = recovery.outputsOnly;
    this.#recovery = recovery;
    this.#log = log;
    this.#lineage = lineage;
    this.#lastSeq = recovery.checkpoint;
  }

  /** True once every task was run again. */
  get finished(): boolean {
    return this.#next === this.#records.length && (this.#ended || this.#lastSeq >= this.#recovery.through);
  }

  /** The record of the task that is next; undefined while it has to be fetched. */
  get record(): TaskRecord | undefined {
    return this.#records[this.#next];
  }

  /** The checkpoint, behind those that it stands on: first one that holds all of the state. None to start from nothing. */
  async checkpoints(): Promise<readonly Uint8Array[]> {
    const newestFirst: Uint8Array[] = [];
    for (let seq = this.#recovery.checkpoint; seq >= 0;) {
      // oxlint-disable-next-line no-await-in-loop -- each says which one is before it
      const loaded = await this.#lineage.loadCheckpoint(this.#log, seq);
      if (loaded === undefined || (loaded.previous ?? -1) >= seq) throw damaged(seq);
      newestFirst.push(loaded.state);
      seq = loaded.previous ?? -1;
    }
    return newestFirst.reverse();
  }

  /** Reads more of the log. */
  async fetch(): Promise<void> {
    const records = await this.#lineage.read(this.#log, this.#lastSeq);
    this.#records = records.filter((record) => record.seq <= this.#recovery.through);
    this.#next = 0;
    const last = this.#records.at(-1);
    if (last !== undefined) this.#lastSeq = last.seq;
    else if (this.#recovery.through !== Infinity) throw this.#missing();
    else this.#ended = true;
  }

  /** The task of the current record has run. */
  advance(): void {
    this.#next++;
  }

  #missing(): QStreamError {
    return new QStreamError(
      "LINEAGE_REGRESSED",
      `the log ends at task ${this.#lastSeq}, though ${this.#recovery.through} was committed`,
      { advice: "The store has lost what it had confirmed: see docs/lineage-stores.md for settings that don't" },
    );
  }
}

function damaged(seq: number): QStreamError {
  return new QStreamError("NOT_RECOVERABLE", `the checkpoint after task ${seq} is damaged or gone`, {
    advice: "An earlier one is tried where the log still reaches back to it",
  });
}

/**
 * Compares what a replayed task sent with what it had sent before.
 *
 * @throws QStreamError NONDETERMINISTIC, with the first difference
 */
export function verifyProduced(now: readonly Produced[], before: readonly Produced[]): void {
  const count = Math.max(now.length, before.length);
  for (let at = 0; at < count; at++) {
    const ours = now[at];
    const logged = before[at];
    if (ours === undefined || logged === undefined || !sameLink(ours, logged) || ours.objects !== logged.objects) {
      throw differs(`sent ${describe(ours)}`, `sent ${describe(logged)}`);
    }
    // A link within a slot has no checksum.
    if (ours.checksum !== logged.checksum && ours.checksum !== 0 && logged.checksum !== 0) {
      throw differs(`sent other values (${describe(ours)})`, `sent as many with another checksum`);
    }
  }
}

function sameLink(ours: Produced, logged: Produced): boolean {
  return ours.edge === logged.edge && ours.to === logged.to;
}

function describe(produced: Produced | undefined): string {
  return produced === undefined
    ? "nothing more"
    : `${produced.objects} objects to channel ${produced.to} on edge ${produced.edge}`;
}
