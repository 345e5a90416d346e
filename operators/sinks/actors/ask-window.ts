import { setMaxListeners } from "node:events";

/** Questions of one task that wait for their answers: no more than a limit. The first that fails ends the others. */
export class AskWindow {
  readonly #limit: number;
  readonly #giveUp = new AbortController();
  #waiting = 0;
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  readonly #stopped: AbortSignal;
  readonly #stop = (): void => this.fail(this.#stopped.reason);

  /** @param stopped - aborted when the execution ends early */
  constructor(limit: number, stopped: AbortSignal) {
    this.#limit = limit;
    this.#stopped = stopped;
    stopped.throwIfAborted();
    stopped.addEventListener("abort", this.#stop, { once: true });
    // Every question listens, and there are more of them than is usual.
    setMaxListeners(0, this.#giveUp.signal);
  }

  /** Aborted when those that wait are given up. */
  get signal(): AbortSignal {
    return this.#giveUp.signal;
  }

  get isFull(): boolean {
    return this.#waiting >= this.#limit;
  }

  add(answered: Promise<unknown>): void {
    this.#waiting++;
    answered.then(
      () => this.#settled(),
      (error: unknown) => {
        this.fail(error);
        this.#settled();
      },
    );
  }

  /** Gives up what waits. */
  fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { error };
    this.#giveUp.abort(error);
    this.#wake?.();
  }

  /** Resolves once there is room for another question. */
  room(): Promise<void> {
    return this.#until(() => !this.isFull);
  }

  /** Resolves once all are answered. */
  emptied(): Promise<void> {
    return this.#until(() => this.#waiting === 0);
  }

  /** Nothing is asked any more. */
  close(): void {
    this.#stopped.removeEventListener("abort", this.#stop);
  }

  async #until(holds: () => boolean): Promise<void> {
    while (this.#failure === undefined && !holds()) {
      // oxlint-disable-next-line no-await-in-loop -- until it holds
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #settled(): void {
    this.#waiting--;
    this.#wake?.();
  }
}
