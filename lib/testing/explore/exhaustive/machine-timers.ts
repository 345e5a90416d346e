/** A timer of a machine that hasn't gone off. */
export interface MachineTimer {
  readonly due: number;
  readonly number: number;
  /** The transition that set it; -1 for one from the start. */
  readonly madeBy: number;
  /** What it is for, where that can be said. */
  readonly about: object | undefined;
  callback: (() => void) | undefined;
}

/** Timers by machine, and each machine's own time, which passes when one of its timers goes off. */
export class MachineTimers {
  readonly #timers = new Map<number, MachineTimer[]>();
  readonly #times = new Map<number, number>();
  #count = 0;

  timeOf(machine: number): number {
    return this.#times.get(machine) ?? 0;
  }

  add(
    machine: number,
    delayMs: number,
    { madeBy, about }: Pick<MachineTimer, "madeBy" | "about">,
    callback: () => void,
  ): () => void {
    const timer: MachineTimer = { due: this.timeOf(machine) + delayMs, number: ++this.#count, madeBy, about, callback };
    const timers = this.#timers.get(machine) ?? [];
    timers.push(timer);
    timers.sort((one, other) => one.due - other.due || one.number - other.number);
    this.#timers.set(machine, timers);
    return () => {
      timer.callback = undefined;
      const index = timers.indexOf(timer);
      if (index >= 0) timers.splice(index, 1);
    };
  }

  /** Machines that have timers, and which of each is due first. */
  *firsts(): Iterable<readonly [machine: number, timer: object]> {
    for (const [machine, [first]] of this.#timers) if (first !== undefined) yield [machine, first];
  }

  /** Takes the timer of a machine that is due first; the machine's time is its time then. */
  take(machine: number): MachineTimer | undefined {
    const timer = this.#timers.get(machine)?.shift();
    if (timer !== undefined) this.#times.set(machine, Math.max(this.timeOf(machine), timer.due));
    return timer;
  }

  /** A machine has crashed. */
  drop(machine: number): void {
    this.#timers.delete(machine);
  }

  /** The timers of a machine, in the order in which they are due. */
  of(machine: number): readonly MachineTimer[] {
    return this.#timers.get(machine) ?? [];
  }
}
