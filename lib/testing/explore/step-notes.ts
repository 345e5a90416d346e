const numbersBytes = 16;
const textBytes = 256;

/** Which step an exploration is at. */
export interface NotedStep {
  /** Changes with each step. */
  readonly beats: number;
  /** Of a search through all orders it means nothing. */
  readonly seed: number;
  readonly step: number;
  /** Whose step it is, and what is done in it. */
  readonly what: string;
}

/** Notes of which step an exploration is at, in memory that another thread can read while code of that step runs. */
export class StepNotes {
  readonly memory = new SharedArrayBuffer(numbersBytes + textBytes);
  readonly #numbers = new Uint32Array(this.memory, 0, 4);
  readonly #text = Buffer.from(this.memory, numbersBytes, textBytes);

  /** Something else is done in the step that was noted last. */
  now(what: string): void {
    const [, seed = 0, step = 0] = this.#numbers;
    this.write(seed, step, what);
  }

  write(seed: number, step: number, what: string): void {
    const numbers = this.#numbers;
    numbers[1] = seed;
    numbers[2] = step;
    numbers[3] = this.#text.write(what);
    Atomics.add(numbers, 0, 1);
  }
}

/** What was noted last. */
export function readStepNotes(memory: SharedArrayBuffer): NotedStep {
  const numbers = new Uint32Array(memory, 0, 4);
  const beats = Atomics.load(numbers, 0);
  const [, seed = 0, step = 0, length = 0] = numbers;
  return { beats, seed, step, what: Buffer.from(memory, numbersBytes, length).toString() };
}

/** Where the explorations of this thread note it; undefined where nobody looks. */
export const watching: { notes: StepNotes | undefined } = { notes: undefined };
