import * as assert from "uvu/assert";
import { representationOf } from "../../lib/core/batch/index.ts";
import type { OperatorContext } from "../../lib/core/contracts/context.ts";
import type { Operator, OperatorDefinition } from "../../lib/core/contracts/operator.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- tasks name inputs as text
type AnyOperator<Out> = Operator<any, Out>;

/** Checkpoints of one operator: a whole state, and what changed since. */
interface Chain {
  readonly base: unknown;
  readonly changes: unknown[];
}

const changesMost = 2;

/**
 * The lives of a driven operator: it is saved after each task, and another one goes on that was restored. One that tells what
 * has changed goes on itself for none, one or two tasks in turn, after which the other takes the changes as well.
 */
export class Lives<Out> {
  // oxlint-disable-next-line typescript/no-explicit-any -- see above
  readonly #definition: OperatorDefinition<any, Out>;
  readonly #ctx: OperatorContext;
  #chain: Chain | undefined;
  #wanted = 0;

  // oxlint-disable-next-line typescript/no-explicit-any -- see above
  constructor(definition: OperatorDefinition<any, Out>, ctx: OperatorContext) {
    this.#definition = definition;
    this.#ctx = ctx;
  }

  /** Saves an operator between two tasks. Returns the one to go on with. */
  async after(
    operator: AnyOperator<Out>,
    { objects }: { readonly objects: readonly unknown[] },
  ): Promise<AnyOperator<Out>> {
    if (operator.snapshot === undefined) return operator;
    const chain = await this.#save(operator);
    if (operator.changes !== undefined && chain.changes.length < this.#wanted) return operator;
    this.#chain = undefined;
    this.#wanted = this.#wanted === changesMost ? 0 : this.#wanted + 1;
    const next = await this.#restored(chain);
    // Batches may be held as they came, or as one.
    if (chain.changes.length > 0 && representationOf(objects[0]) === undefined) {
      // Both restored: a state may say the same in another way afterwards.
      const whole = await this.#restored({ base: structuredClone(await operator.snapshot()), changes: [] });
      const [ours, wanted] = [await next.snapshot?.(), await whole.snapshot?.()].map((state) => structuredClone(state));
      await whole.close?.();
      assert.equal(ours, wanted, `${this.#definition.kind}: a state with changes on top is another one`);
    }
    await operator.close?.();
    return next;
  }

  async #save(operator: AnyOperator<Out>): Promise<Chain> {
    const changes: unknown = this.#chain === undefined ? undefined : structuredClone(await operator.changes?.());
    if (this.#chain === undefined || changes === undefined) {
      this.#chain = { base: structuredClone(await operator.snapshot?.()), changes: [] };
    } else {
      this.#chain.changes.push(changes);
    }
    return this.#chain;
  }

  async #restored({ base, changes }: Chain): Promise<AnyOperator<Out>> {
    const next = this.#definition.create();
    if (next.restore === undefined) throw new Error(`${this.#definition.kind} has a snapshot and no restore`);
    await next.open?.(this.#ctx);
    next.restore(base);
    for (const each of changes) next.apply?.(each);
    return next;
  }
}
