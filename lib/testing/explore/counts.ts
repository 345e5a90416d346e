/** The least, the middle and the most of some numbers. */
export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** What runs took. */
export interface RunCounts {
  readonly steps: Spread;
  /** Messages between machines. */
  readonly messages: Spread;
  /** Longest chains of messages between machines, each sent after the one before had come. */
  readonly rounds: Spread;
}

/** Gathers what runs took. */
export class CountsOfRuns {
  readonly #steps: number[] = [];
  readonly #messages: number[] = [];
  readonly #rounds: number[] = [];

  add({
    steps,
    messages,
    rounds,
  }: {
    readonly steps: number;
    readonly messages: number;
    readonly rounds: number;
  }): void {
    this.#steps.push(steps);
    this.#messages.push(messages);
    this.#rounds.push(rounds);
  }

  get counts(): RunCounts {
    return { steps: spreadOf(this.#steps), messages: spreadOf(this.#messages), rounds: spreadOf(this.#rounds) };
  }
}

function spreadOf(numbers: readonly number[]): Spread {
  const sorted = [...numbers].sort((one, other) => one - other);
  const middle = (sorted.length - 1) / 2;
  const at = (index: number): number => sorted[index] ?? 0;
  return {
    min: at(0),
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    max: at(sorted.length - 1),
  };
}
