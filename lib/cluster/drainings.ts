interface Draining {
  readonly machine: string;
  readonly awaited: Set<string>;
  readonly done: () => void;
}

/** Machines that are to go, and executions that may still have something there. */
export class Drainings {
  readonly #all = new Set<Draining>();

  /** Fulfilled once none of these executions has anything on a machine any more. */
  await(machine: string, executions: readonly string[]): Promise<void> {
    if (executions.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        this.#all.delete(draining);
        resolve();
      };
      const draining = { machine, awaited: new Set(executions), done };
      this.#all.add(draining);
    });
  }

  /** An execution has nothing there any more: on this machine, or on any that is to go. */
  drained(execution: string, machine?: string): void {
    for (const { machine: other, awaited, done } of this.#all) {
      if (machine !== undefined && machine !== other) continue;
      awaited.delete(execution);
      if (awaited.size === 0) done();
    }
  }

  machineGone(machine: string): void {
    for (const { machine: other, done } of this.#all) if (machine === other) done();
  }

  /** Another head leads. */
  clear(): void {
    for (const { done } of this.#all) done();
  }
}
