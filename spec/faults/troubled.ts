// User code that does something terrible for as many times as a file outside of every slot says, and works after that.

import { appendFileSync, existsSync, statSync } from "node:fs";
import { defineFlow, type Context, type Operator, type Task } from "../../lib/index.ts";
import { ticking, type Pace } from "./flows.ts";

export type Trouble = "heap" | "exit" | "timer" | "rejection" | "loop" | "throw";

export interface Troubles extends Pace {
  readonly trouble: Trouble;
  /** How often it happens, over all lives of all slots. */
  readonly times: number;
  /** Holds a byte for each time. */
  readonly file: string;
}

/** Adds numbers up, and gives each; in the middle of the stream there is trouble. */
class Troubled implements Operator<{ in: number }, number> {
  readonly #troubles: Troubles;
  #sum = 0;

  constructor(troubles: Troubles) {
    this.#troubles = troubles;
  }

  execute({ objects }: Task<{ in: number }>, ctx: Context): readonly number[] {
    for (const n of objects) {
      this.#sum += n;
      if (n === Math.floor(this.#troubles.count / 3)) this.#perhaps(ctx);
    }
    return objects;
  }

  done(): readonly number[] {
    return [-this.#sum];
  }

  snapshot(): number {
    return this.#sum;
  }

  restore(sum: number): void {
    this.#sum = sum;
  }

  #perhaps(ctx: Context): void {
    const { file, times, trouble } = this.#troubles;
    if (existsSync(file) && statSync(file).size >= times) return;
    appendFileSync(file, "x");
    make(trouble, ctx);
  }
}

function make(trouble: Trouble, ctx: Context): void {
  switch (trouble) {
    case "heap": {
      const kept: unknown[] = [];
      for (;;) kept.push(Array.from({ length: 1000 }, (_, at) => ({ at, task: ctx.seq })));
    }
    case "exit":
      process.exit(3);
    case "timer":
      setTimeout(() => {
        throw new Error("thrown by a timer");
      }, 1);
      return;
    case "rejection":
      void Promise.reject(new Error("rejected, and nobody waits"));
      return;
    case "loop":
      for (;;);
    case "throw":
      throw new Error("this input is bad");
  }
}

export const troubled = defineFlow(import.meta.url, (q, args: Troubles) => ({
  rows: q
    .read("numbers", ticking(args))
    .apply("troubled", () => new Troubled(args), { channels: 2 })
    .collect(),
}));
