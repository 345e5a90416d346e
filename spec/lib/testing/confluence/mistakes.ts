// Operators with mistakes that are made again and again, each of which works in the first test of its author.
import type { OperatorContext } from "../../../../lib/core/contracts/context.ts";
import type { Operator, Stateful, Task } from "../../../../lib/index.ts";

export interface Reading {
  readonly key: string;
  readonly value: number;
}

type Readings = { in: Reading };

/** Keeps the last value of each key: the last one to come. */
export class LastWriteWins implements Operator<Readings, Reading> {
  readonly #last = new Map<string, number>();

  execute({ objects }: Task<Readings>): void {
    for (const { key, value } of objects) this.#last.set(key, value);
  }

  done(): Reading[] {
    return [...this.#last].map(([key, value]) => ({ key, value }));
  }
}

/** Adds fractions up as they come. */
export class FloatSum implements Operator<{ in: number }, number> {
  #sum = 0;

  execute({ objects }: Task<{ in: number }>): void {
    for (const value of objects) this.#sum += value;
  }

  done(): number[] {
    return [this.#sum];
  }
}

/** Says when it saw an object, by the clock of the machine. */
export class Stamps implements Operator<{ in: number }, { readonly value: number; readonly at: number }> {
  execute({ objects }: Task<{ in: number }>): { value: number; at: number }[] {
    return objects.map((value) => ({ value, at: Date.now() }));
  }
}

/** The same by the engine's clock, which is the same on replay, and another one in another run. */
export class EngineStamps implements Operator<{ in: number }, number> {
  execute({ objects }: Task<{ in: number }>, ctx: OperatorContext): number[] {
    return objects.map(() => ctx.now());
  }
}

/** Numbers of keys in the order of their first objects, by a map that all channels of a slot share, and begin anew. */
const numbered = new Map<string, number>();

export class SharedNumbers implements Operator<Readings, Reading> {
  open(): void {
    numbered.clear();
  }

  execute({ objects }: Task<Readings>): void {
    for (const { key, value } of objects) numbered.set(key, (numbered.get(key) ?? 0) + value);
  }

  done(): Reading[] {
    return [...numbered].map(([key, value]) => ({ key, value }));
  }
}

/** Counts in a map of the module, which nobody ever clears. */
const seen = new Map<string, number>();

export class ForeverCount implements Operator<Readings, number> {
  execute({ objects }: Task<Readings>): number[] {
    return objects.map(({ key }) => {
      seen.set(key, (seen.get(key) ?? 0) + 1);
      return seen.get(key) ?? 0;
    });
  }
}

/** Writes into the objects that it is given. */
export class Doubling implements Operator<Readings, Reading> {
  execute({ objects }: Task<Readings>): readonly Reading[] {
    for (const object of objects) (object as { value: number }).value *= 2;
    return objects;
  }
}

/** Forgets a part of its state in `snapshot`. */
export class ForgetfulSum implements Operator<{ in: number }, number>, Stateful<number> {
  #sum = 0;
  #count = 0;

  execute({ objects }: Task<{ in: number }>): void {
    for (const value of objects) this.#sum += value;
    this.#count += objects.length;
  }

  done(): number[] {
    return [this.#sum, this.#count];
  }

  snapshot(): number {
    return this.#sum;
  }

  restore(sum: number): void {
    this.#sum = sum;
  }
}

/** Looks the left side up in what has come of the right side so far. */
export class EagerJoin implements Operator<{ left: string; right: string }, string> {
  readonly #right = new Set<string>();

  execute({ input, objects }: Task<{ left: string; right: string }>): string[] {
    if (input === "left") return objects.filter((key) => this.#right.has(key));
    for (const key of objects) this.#right.add(key);
    return [];
  }
}

/** Gives the size of each task. */
export class TaskSizes implements Operator<{ in: number }, number> {
  execute({ objects }: Task<{ in: number }>): number[] {
    return [objects.length];
  }
}

/** Passes the first object of all on. */
export class FirstOnly implements Operator<{ in: number }, number>, Stateful<boolean> {
  #passed = false;

  execute({ objects }: Task<{ in: number }>): readonly number[] {
    if (this.#passed) return [];
    this.#passed = true;
    return objects.slice(0, 1);
  }

  snapshot(): boolean {
    return this.#passed;
  }

  restore(passed: boolean): void {
    this.#passed = passed;
  }
}

/** Says how many channels there are. */
export class ChannelCount implements Operator<Readings, number> {
  execute({ objects }: Task<Readings>, ctx: OperatorContext): number[] {
    return objects.map(() => ctx.channels);
  }
}

/** Asks for the time after it has waited. */
export class SlowStamps implements Operator<{ in: number }, number> {
  async execute({ objects }: Task<{ in: number }>): Promise<number[]> {
    await Promise.resolve();
    return objects.map(() => new Date().getTime());
  }
}
