import { loadedBatches, representationOf } from "../lib/core/batch/index.ts";
import type { Deal, Operator, OperatorDefinition, Stateful, Task } from "../lib/core/contracts/operator.ts";
import { invariant } from "../lib/core/errors.ts";

/** Counts the objects of a stream, or the rows of its columnar batches; gives one number at the end. */
export function countObjects<T>(): OperatorDefinition<{ in: T }, number> {
  return definition("count", "single", () => new Count<T>());
}

/** The first half of a count in two: each channel counts what it gets. `mergeCounts` is the second half. */
export function partialCount<T>(): OperatorDefinition<{ in: T }, number> {
  return { ...definition("partial-count", "same", () => new Count<T>()), deal: dealCounts };
}

/** Counts of channels may be added up anywhere. */
function dealCounts(states: readonly { readonly count: number }[], { takesRest }: Deal): { count: number } {
  return { count: takesRest ? states.reduce((sum, { count }) => sum + count, 0) : 0 };
}

/** The second half of a count in two: adds up the counts of channels. */
export function mergeCounts(): OperatorDefinition<{ in: number }, number> {
  return { ...definition("merge-counts", "single", () => new SumOfCounts()), representations: ["objects"] };
}

function definition<T>(
  kind: string,
  parallelism: "single" | "same",
  create: () => Operator<{ in: T }, number>,
): OperatorDefinition<{ in: T }, number> {
  return { kind, declares: "confluent", parallelism, representations: ["objects", "arrow", "polars"], create };
}

abstract class Counting<T> implements Operator<{ in: T }, number>, Stateful<{ count: number }> {
  protected counted = 0;

  abstract execute(task: Task<{ in: T }>): void;

  done(): readonly number[] {
    return [this.counted];
  }

  snapshot(): { count: number } {
    return { count: this.counted };
  }

  restore({ count }: { count: number }): void {
    this.counted = count;
  }
}

class Count<T> extends Counting<T> {
  override execute({ objects }: Task<{ in: T }>): void {
    if (representationOf(objects[0]) === undefined) {
      this.counted += objects.length;
      return;
    }
    const support = loadedBatches();
    invariant(support !== undefined, "the support for batches is loaded before a task that holds one");
    for (const batch of objects) this.counted += support.rows(batch);
  }
}

class SumOfCounts extends Counting<number> {
  override execute({ objects }: Task<{ in: number }>): void {
    for (const count of objects) this.counted += count;
  }
}
