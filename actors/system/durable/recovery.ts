import type { ActorJournal, ClaimedActor } from "../../../lib/core/contracts/actor-journal.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import { repeatWhileAway } from "../../stores/repeat-while-away.ts";
import type { DurableActors } from "./durable-actors.ts";
import type { DurableCell } from "./durable-cell.ts";
import { KeptState } from "./kept-state.ts";
import { migrationGaveNone, migrationMissing, replayDiffers } from "./refusals.ts";
import { readSnapshot } from "./snapshot-bytes.ts";
import { readRecord } from "./transition-record.ts";

interface Claim {
  readonly actor: string;
  readonly resolve: (claimed: ClaimedActor) => void;
  readonly reject: (error: unknown) => void;
}

/** Brings durable actors back: from their newest snapshot, by the transitions after it. */
export class Recovery {
  readonly #keeper: DurableActors;
  readonly #journal: () => Promise<ActorJournal>;
  #claims: Claim[] = [];

  constructor(keeper: DurableActors, journal: () => Promise<ActorJournal>) {
    this.#keeper = keeper;
    this.#journal = journal;
  }

  /** Gives a cell the state that its actor had, if it has been. Whoever had it before can't write for it any more. */
  async load(cell: DurableCell): Promise<void> {
    const claimed = await this.#claim(cell.keptName);
    cell.claimed(claimed);
    cell.kept = new KeptState();
    cell.sinceSnapshot = 0;
    cell.hasOutbox = this.#keeper.mail.of(cell.keptName) !== undefined;
    if (claimed.snapshot !== undefined) this.#restore(cell, claimed.snapshot.bytes, claimed.snapshot.seq);
    await this.#replay(cell, claimed.lastSeq);
  }

  /** Does again what a cell that was loaded does besides handling what comes. */
  goOn(cell: DurableCell): void {
    this.#keeper.timers.startAll(cell);
    cell.resubscribe();
    this.#keeper.mail.resendAll(cell);
    cell.queuedAgain = undefined;
    this.#keeper.transitions.queueAgain(cell);
    // Nothing that it does may tell that it has nothing to do.
    if (cell.isAwake) this.#keeper.quiet.add(cell);
  }

  #restore(cell: DurableCell, bytes: Uint8Array, seq: number): void {
    const keeper = this.#keeper;
    const snapshot = keeper.journaled(() => {
      return readSnapshot(bytes, seq, { owner: cell.reference, name: cell.keptName });
    });
    const { version = 1, migrate } = cell.source.durable ?? {};
    let { state } = snapshot;
    if (snapshot.version !== version) {
      if (migrate === undefined || snapshot.version > version) {
        throw migrationMissing(cell.label, snapshot.version, version);
      }
      const migrated = migrate(state, snapshot.version);
      if ((migrated === undefined && state !== undefined) || migrated instanceof Promise) {
        if (migrated instanceof Promise) migrated.catch(() => {});
        throw migrationGaveNone(cell.label, snapshot.version, migrated === undefined ? "nothing" : "a promise");
      }
      state = migrated;
    }
    cell.state = state;
    cell.kept = snapshot.kept;
    keeper.mail.restore(cell, snapshot.mail);
  }

  async #replay(cell: DurableCell, lastSeq: number): Promise<void> {
    const { transitions } = this.#keeper;
    while (cell.kept.seq < lastSeq) {
      // oxlint-disable-next-line no-await-in-loop -- one part after the other
      const records = await this.#ask((journal) => journal.read(cell.keptName, cell.kept.seq));
      for (const { seq, record } of records) {
        if (seq > lastSeq) return;
        if (seq !== cell.kept.seq + 1) break;
        transitions.repeat(
          cell,
          this.#keeper.journaled(() => readRecord(record)),
        );
      }
      if (records[0]?.seq !== undefined && records[0].seq <= cell.kept.seq) continue;
      throw replayDiffers(cell.label, cell.kept.seq + 1, "its record isn't in the store");
    }
  }

  /** Claims what is asked for in one turn together. */
  #claim(actor: string): Promise<ClaimedActor> {
    return new Promise((resolve, reject) => {
      this.#claims.push({ actor, resolve, reject });
      if (this.#claims.length === 1) this.#keeper.node.clock.soon(() => void this.#claimAll());
    });
  }

  async #claimAll(): Promise<void> {
    const claims = this.#claims.splice(0);
    try {
      const claimed = await this.#ask((journal) => journal.claim(claims.map(({ actor }) => actor)));
      for (const [index, { resolve, reject }] of claims.entries()) {
        const found = claimed[index];
        if (found === undefined)
          reject(new QStreamError("INTERNAL", "a journal claimed fewer actors than it was asked to"));
        else resolve(found);
      }
    } catch (error) {
      for (const { reject } of claims) reject(error);
    }
  }

  async #ask<T>(question: (journal: ActorJournal) => Promise<T>): Promise<T> {
    const journal = await this.#journal();
    return repeatWhileAway(this.#keeper.patience, () => question(journal));
  }
}
