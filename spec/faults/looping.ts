// Flows whose user code doesn't come back to the event loop, for as many times as a file outside of every slot says.

import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, statSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { defineFlow, numbers, type Context, type Operator, type Task } from "../../lib/index.ts";

/**
 * Where it happens: in a task, after an await of it, in `open`, on an edge, in a timer, or in a call that nothing can
 * interrupt.
 */
export type Looping = "task" | "await" | "open" | "edge" | "timer" | "native";

export interface Loops {
  readonly where: Looping;
  readonly times: number;
  /** Holds a byte for each time. */
  readonly file: string;
}

export const poison = 700;
/** More than a channel takes in one turn: what hangs after the poison's turn does so before the channel is done. */
export const count = 10_000;

function perhaps({ file, times, where }: Loops): void {
  if (existsSync(file) && statSync(file).size >= times) return;
  appendFileSync(file, "x");
  if (where === "native") spawnSync("sleep", ["4.5"]);
  else for (;;);
}

class Looper implements Operator<{ in: number }, number> {
  readonly #loops: Loops;

  constructor(loops: Loops) {
    this.#loops = loops;
  }

  open({ channel }: Context): void {
    if (this.#loops.where === "open" && channel === 1) perhaps(this.#loops);
  }

  execute({ objects }: Task<{ in: number }>): readonly number[] | Promise<readonly number[]> {
    const { where } = this.#loops;
    if (!objects.includes(poison)) return objects;
    if (where === "await") return this.#later(objects);
    if (where === "timer") setImmediate(() => perhaps(this.#loops));
    if (where === "task" || where === "native") perhaps(this.#loops);
    return objects;
  }

  snapshot(): null {
    return null;
  }

  restore(): void {}

  async #later(objects: readonly number[]): Promise<readonly number[]> {
    await wait(20);
    perhaps(this.#loops);
    return objects;
  }
}

/** Numbers in small parcels; one of them is poison. */
export const looping = defineFlow(import.meta.url, (q, args: Loops) => ({
  rows: q
    .read("numbers", numbers(0, count), { channels: 1 })
    .map("edge", (n) => {
      if (args.where === "edge" && n === poison) perhaps(args);
      return n;
    })
    .apply("looper", () => new Looper(args), { channels: 2 })
    .collect(),
}));

/** The same with a step that passes over what its operator fails on. */
export const skipping = defineFlow(import.meta.url, (q, args: Loops) => {
  const passed = q
    .read("numbers", numbers(0, count), { channels: 1 })
    .apply("looper", () => new Looper(args), { channels: 2, onFailure: "skip" });
  return { rows: passed.collect(), failed: passed.failed.collect() };
});
