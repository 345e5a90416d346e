import type { ActorJournal } from "../../../lib/core/contracts/actor-journal.ts";
import { closedError } from "../refused.ts";

/** The journal of a node: opened when somebody first asks for it, and tried again by whoever asks after that failed. */
export class JournalOpening {
  readonly #open: () => Promise<ActorJournal>;
  #opened: Promise<ActorJournal> | undefined;
  #isClosed = false;

  constructor(open: () => Promise<ActorJournal>) {
    this.#open = open;
  }

  get(): Promise<ActorJournal> {
    if (this.#isClosed) return Promise.reject(closedError());
    if (this.#opened === undefined) {
      const opened = this.#open();
      this.#opened = opened;
      opened.catch(() => {
        if (this.#opened === opened) this.#opened = undefined;
      });
    }
    return this.#opened;
  }

  /** Closes it, once it isn't being opened any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const journal = await this.#opened?.catch(() => undefined);
    await journal?.close();
  }
}
