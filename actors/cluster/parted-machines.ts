import type { Clock } from "../../lib/core/seam/clock.ts";

export interface PartedMachinesParts {
  readonly clock: Clock;
  readonly leaseMs: number;
  /** Whether a machine is one of the driver's. */
  readonly isThere: (machine: string) => boolean;
  /** What leaving a machine costs: the one with the lowest numbers is left, the first number counts first. */
  readonly costs: (machine: string) => readonly number[];
  /** The execution is to go on without a machine. */
  readonly leave: (machine: string, why: string) => void;
}

// Of a link that isn't back another complaint has come by then, also where it took its time.
const freshLeases = 3 / 8;

/** Two machines of which one at least can't reach the other. */
type Pair = readonly [one: string, other: string];

/**
 * Machines that can't reach each other, though their driver reaches them all, as far as they complain of it. The driver goes on
 * without some, so that all that are left reach each other: those that most others have lost, and of two the one with less to do.
 */
export class PartedMachines {
  readonly #parts: PartedMachinesParts;
  /** By the names of both: when one of them said so last. */
  readonly #complaints = new Map<string, { readonly pair: Pair; readonly at: number }>();
  #stopWaiting: (() => void) | undefined;

  constructor(parts: PartedMachinesParts) {
    this.#parts = parts;
  }

  /** One machine says that it can't reach another one. As long as that is so, it says it four times in a lease. */
  complains(of: string, about: string): void {
    const { clock, leaseMs, isThere } = this.#parts;
    if (of === about || !isThere(of) || !isThere(about)) return;
    const pair: Pair = of < about ? [of, about] : [about, of];
    this.#complaints.set(pair.join(" "), { pair, at: clock.monotonic() });
    // Others that have lost the same machine say so soon; and a link that is back isn't complained of again.
    this.#stopWaiting ??= clock.after(leaseMs / 2, () => this.#decide());
  }

  close(): void {
    this.#stopWaiting?.();
  }

  #decide(): void {
    const { clock, leaseMs, isThere, leave } = this.#parts;
    this.#stopWaiting = undefined;
    const from = clock.monotonic() - freshLeases * leaseMs;
    const pairs = [...this.#complaints.values()]
      .filter(({ pair, at }) => at > from && pair.every(isThere))
      .map(({ pair }) => pair);
    this.#complaints.clear();
    for (const [machine, lost] of this.#toLeave(pairs)) {
      leave(machine, `can't be reached by ${lost.join(", ")}, or can't reach it`);
    }
  }

  /** Machines, and the others that each of them has lost. */
  #toLeave(pairs: readonly Pair[]): ReadonlyMap<string, readonly string[]> {
    const left = new Map<string, readonly string[]>();
    for (let parted = pairs; parted.length > 0;) {
      const lost = new Map<string, string[]>();
      for (const [one, other] of parted) {
        lost.set(one, [...(lost.get(one) ?? []), other]);
        lost.set(other, [...(lost.get(other) ?? []), one]);
      }
      const [worst] = [...lost].toSorted(([one, ofOne], [other, ofOther]) =>
        compare(
          [-ofOne.length, ...this.#parts.costs(one), Number(one > other)],
          [-ofOther.length, ...this.#parts.costs(other), Number(other > one)],
        ),
      );
      if (worst === undefined) break;
      const [machine, others] = worst;
      left.set(machine, others);
      parted = parted.filter((pair) => !pair.includes(machine));
    }
    return left;
  }
}

function compare(left: readonly number[], right: readonly number[]): number {
  for (const [index, one] of left.entries()) {
    const difference = one - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
