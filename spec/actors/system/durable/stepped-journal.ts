import type {
  ActorJournal,
  ClaimedActor,
  JournalEntry,
  JournalRecord,
} from "../../../../lib/core/contracts/actor-journal.ts";
import type { CommitAnswer } from "../../../../lib/core/contracts/lineage-store.ts";
import { QStreamError } from "../../../../lib/core/errors.ts";

interface Step {
  readonly act: () => Promise<unknown>;
  readonly answer: (value: unknown) => void;
  readonly fail: (error: Error) => void;
}

/** What becomes of a step of the store: it is away before it, or after it, when nobody knows. */
export type StepEnd = "done" | "refused" | "unanswered";

/** A journal that does a step, and says that it did, when it is told to. */
export class SteppedJournal implements ActorJournal {
  readonly kind = "memory";
  readonly #journal: ActorJournal;
  readonly #steps: Step[] = [];
  readonly #answers: (() => void)[] = [];

  constructor(journal: ActorJournal) {
    this.#journal = journal;
  }

  get hasSteps(): boolean {
    return this.#steps.length > 0;
  }

  get hasAnswers(): boolean {
    return this.#answers.length > 0;
  }

  append(entries: readonly JournalEntry[]): Promise<readonly CommitAnswer[]> {
    return this.#later(() => this.#journal.append(entries));
  }

  claim(actors: readonly string[]): Promise<readonly ClaimedActor[]> {
    return this.#later(() => this.#journal.claim(actors));
  }

  read(actor: string, afterSeq: number): Promise<readonly JournalRecord[]> {
    return this.#later(() => this.#journal.read(actor, afterSeq));
  }

  awake(): Promise<readonly string[]> {
    return this.#later(() => this.#journal.awake());
  }

  async close(): Promise<void> {}

  /** Does the next step. Who asked is told later. */
  async step(end: StepEnd): Promise<void> {
    const step = this.#steps.shift();
    if (step === undefined) return;
    const away = new QStreamError("STORE_UNAVAILABLE", "the store is away");
    if (end === "refused") {
      this.#answers.push(() => step.fail(away));
      return;
    }
    try {
      const value = await step.act();
      this.#answers.push(() => (end === "done" ? step.answer(value) : step.fail(away)));
    } catch (error) {
      this.#answers.push(() => step.fail(error as Error));
    }
  }

  answer(): void {
    this.#answers.shift()?.();
  }

  #later<T>(act: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#steps.push({ act, answer: resolve as (value: unknown) => void, fail: reject });
    });
  }
}
