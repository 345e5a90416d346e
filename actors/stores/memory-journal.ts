import type {
  ActorJournal,
  ClaimedActor,
  JournalEntry,
  JournalRecord,
  JournalSnapshot,
} from "../../lib/core/contracts/actor-journal.ts";
import type { CommitAnswer } from "../../lib/core/contracts/lineage-store.ts";
import { transitionsMissing } from "./store-errors.ts";

interface KeptActor {
  generation: number;
  /** Seq of the first record that is kept. */
  firstSeq: number;
  records: Uint8Array[];
  snapshot: JournalSnapshot | undefined;
  isAwake: boolean;
}

/** Keeps transitions in this process's memory: an actor may fail and come back, but what the process has is lost with it. */
export class MemoryJournal implements ActorJournal {
  readonly kind = "memory";
  readonly #actors = new Map<string, KeptActor>();

  async append(entries: readonly JournalEntry[]): Promise<readonly CommitAnswer[]> {
    return entries.map((entry) => this.#append(entry));
  }

  async claim(actors: readonly string[]): Promise<readonly ClaimedActor[]> {
    return actors.map((actor) => {
      const kept = this.#kept(actor);
      kept.generation++;
      const { generation, snapshot, isAwake } = kept;
      return { generation, lastSeq: lastSeqOf(kept), snapshot, isAwake };
    });
  }

  async read(actor: string, afterSeq: number): Promise<readonly JournalRecord[]> {
    const { firstSeq, records } = this.#kept(actor);
    const from = Math.max(0, afterSeq + 1 - firstSeq);
    return records.slice(from).map((record, index) => ({ seq: firstSeq + from + index, record }));
  }

  async awake(): Promise<readonly string[]> {
    return [...this.#actors].filter(([, { isAwake }]) => isAwake).map(([actor]) => actor);
  }

  async close(): Promise<void> {}

  #append({ actor, generation, firstSeq, records, snapshot, isAwake }: JournalEntry): CommitAnswer {
    const kept = this.#kept(actor);
    if (kept.generation !== generation) return "fenced";
    const lastSeq = lastSeqOf(kept);
    const reached = firstSeq + records.length - 1;
    if (reached < lastSeq) return "committed";
    if (reached > lastSeq) {
      if (firstSeq !== lastSeq + 1) throw transitionsMissing(actor, lastSeq);
      for (const record of records) kept.records.push(record.slice());
    }
    if (isAwake !== undefined) kept.isAwake = isAwake;
    if (snapshot === undefined) return "committed";
    kept.snapshot = { seq: snapshot.seq, bytes: snapshot.bytes.slice() };
    const freed = Math.max(0, snapshot.seq + 1 - kept.firstSeq);
    kept.records.splice(0, freed);
    kept.firstSeq += freed;
    return "committed";
  }

  #kept(actor: string): KeptActor {
    let kept = this.#actors.get(actor);
    if (kept === undefined) {
      kept = { generation: 0, firstSeq: 0, records: [], snapshot: undefined, isAwake: false };
      this.#actors.set(actor, kept);
    }
    return kept;
  }
}

function lastSeqOf({ firstSeq, records }: KeptActor): number {
  return firstSeq + records.length - 1;
}
