// Of drivers that ended, mostly. Who comes back later than so many others is found out by its numbers.
const goneMost = 4096;

/** Machines that were given up: the latest of them. */
export class GoneMachines {
  readonly #gone = new Set<string>();

  has(machine: string): boolean {
    return this.#gone.has(machine);
  }

  add(machine: string): void {
    this.#gone.add(machine);
    if (this.#gone.size <= goneMost) return;
    const [oldest = ""] = this.#gone;
    this.#gone.delete(oldest);
  }

  delete(machine: string): void {
    this.#gone.delete(machine);
  }
}
