import { representationOf } from "../../lib/core/batch/index.ts";
import { Side } from "../../lib/core/contracts/reader.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import type { Chunk, Pulled, TaskOutput } from "./task-output.ts";

/** How much a logged task took of what its operator or reader gave. */
export interface LoggedCut {
  readonly taken: number;
  /** True if the next task takes more of the same. */
  readonly more: boolean;
}

/** How many objects a chunk has, side outputs included: what the log says of it. */
export function takenOf(chunk: Chunk): number {
  let taken = chunk.objects.length;
  if (chunk.sides !== undefined) for (const objects of chunk.sides.values()) taken += objects.length;
  return taken;
}

/**
 * Cuts a chunk exactly where the log says, whatever limits and time said when the task first ran.
 *
 * @throws QStreamError NONDETERMINISTIC if there is less, or something follows where nothing did
 */
export function takeLogged(output: TaskOutput, cut: LoggedCut): Chunk | Promise<Chunk> {
  return new LoggedChunk(output, cut).take();
}

class LoggedChunk {
  readonly #output: TaskOutput;
  readonly #cut: LoggedCut;
  readonly #objects: unknown[] = [];
  #sides: Map<string, unknown[]> | undefined;
  #taken = 0;

  constructor(output: TaskOutput, cut: LoggedCut) {
    this.#output = output;
    this.#cut = cut;
  }

  take(): Chunk | Promise<Chunk> {
    const { taken, more } = this.#cut;
    while (this.#taken < taken || !more) {
      const pulled = this.#output.pull();
      if (pulled instanceof Promise)
        return pulled.then((settled) => (this.#accept(settled) ? this.take() : this.#chunk()));
      if (!this.#accept(pulled)) break;
    }
    return this.#chunk();
  }

  /** False at the end of the source. */
  #accept(pulled: Pulled): boolean {
    const { taken } = this.#cut;
    if (pulled === undefined) {
      if (this.#taken < taken) throw differs(`gave ${this.#taken} objects and ended`, `gave ${taken}`);
      if (this.#cut.more) throw differs(`ended after ${taken} objects`, "gave more");
      return false;
    }
    if (this.#taken === taken) throw differs(`gave more than ${taken} objects`, "ended with them");
    this.#taken++;
    const { value } = pulled;
    if (!(value instanceof Side)) this.#objects.push(value);
    else {
      this.#sides ??= new Map();
      const objects = this.#sides.get(value.name);
      if (objects === undefined) this.#sides.set(value.name, [value.object]);
      else objects.push(value.object);
    }
    return true;
  }

  #chunk(): Chunk {
    const columnar = this.#objects.length === 1 && representationOf(this.#objects[0]) !== undefined;
    return { objects: this.#objects, columnar, sides: this.#sides, last: !this.#cut.more };
  }
}

export const differsAdvice =
  "What a step does may depend on its inputs, its state, ctx.now() and ctx.random() only: not on the clock, the machine, or the order of a Set of promises";

/** The error of a replay that doesn't repeat what was logged. */
export function differs(now: string, before: string): QStreamError {
  return new QStreamError("NONDETERMINISTIC", `replayed, the task ${now}; before, it ${before}`, {
    advice: differsAdvice,
  });
}
