import type { ActorJournal, JournalEntry, JournalSnapshot } from "../../../lib/core/contracts/actor-journal.ts";
import type { CommitAnswer } from "../../../lib/core/contracts/lineage-store.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import { repeatWhileAway, type WaitForStore } from "../../stores/repeat-while-away.ts";

/** What the next step of the store writes for one actor. */
export interface PendingEntry extends JournalEntry {
  readonly records: Uint8Array[];
  snapshot: JournalSnapshot | undefined;
  isAwake: boolean | undefined;
  /** Nothing can be added any more. */
  readonly taken: () => void;
  /** Told once all of it is durable, or refused. */
  readonly written: (answer: CommitAnswer | QStreamError) => void;
}

/**
 * Writes what all durable actors of a node hand over, as many of them together as came while the store did the step before. While
 * the store is away it waits, and repeats the step.
 */
export class JournalWriter {
  readonly #journal: () => Promise<ActorJournal>;
  readonly #patience: WaitForStore;
  #entries: PendingEntry[] = [];
  #isWriting = false;
  #idle: (() => void)[] = [];

  /** @param patience - what isn't written when it ends never is */
  constructor(journal: () => Promise<ActorJournal>, patience: WaitForStore) {
    this.#journal = journal;
    this.#patience = patience;
  }

  /** Begins an entry, to which more may be added until the next step takes it. */
  add(entry: PendingEntry): void {
    this.#entries.push(entry);
    if (this.#isWriting) return;
    this.#isWriting = true;
    this.#patience.clock.soon(() => void this.#write());
  }

  /** Resolves once nothing is left to write. */
  idle(): Promise<void> {
    if (!this.#isWriting) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  async #write(): Promise<void> {
    while (this.#entries.length > 0) {
      const entries = this.#entries;
      this.#entries = [];
      for (const entry of entries) entry.taken();
      // oxlint-disable-next-line no-await-in-loop -- one step after the other
      const answers = await this.#append(entries);
      for (const [index, entry] of entries.entries()) {
        entry.written(answers instanceof QStreamError ? answers : (answers[index] ?? "fenced"));
      }
    }
    this.#isWriting = false;
    for (const told of this.#idle.splice(0)) told();
  }

  async #append(entries: readonly PendingEntry[]): Promise<readonly CommitAnswer[] | QStreamError> {
    try {
      const journal = await this.#journal();
      return await repeatWhileAway(this.#patience, () => journal.append(entries));
    } catch (error) {
      return asError(error);
    }
  }
}

function asError(error: unknown): QStreamError {
  if (error instanceof QStreamError) return error;
  const what = `the store failed: ${error instanceof Error ? error.message : String(error)}`;
  return new QStreamError("STORE_REFUSED", what, { cause: error });
}
