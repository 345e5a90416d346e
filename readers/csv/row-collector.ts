import { loadBatches } from "../../lib/core/batch/index.ts";
import type { Representation } from "../../lib/core/contracts/operator.ts";
import { run, type Run } from "../../lib/core/contracts/reader.ts";
import { arrowTable } from "./arrow-columns.ts";
import type { RowPlan } from "./row-plan.ts";

/** Gathers rows until there are enough to hand over. */
export interface RowCollector {
  /** Takes the plan's current values; true when it is time to take what was gathered. */
  add: () => boolean;
  /** What was gathered since the last time, or undefined where that is nothing. */
  take: () => Run<unknown> | undefined;
}

const runRows = 1000;
const batchRows = 16_384;

/** Makes a collector of plain objects or columnar batches; libraries for batches are loaded here. */
export async function rowCollector(plan: RowPlan, as: Representation): Promise<RowCollector> {
  if (as === "objects") return new ObjectCollector(plan);
  const [batches, arrow] = await Promise.all([loadBatches(), import("apache-arrow")]);
  return new BatchCollector(plan, (columns, rows) => {
    const table = arrowTable(arrow, plan.fields, columns, rows);
    return as === "arrow" ? table : batches.toPolars(table);
  });
}

class ObjectCollector implements RowCollector {
  readonly #values: readonly unknown[];
  readonly #names: readonly string[];
  #objects: Record<string, unknown>[] = [];

  constructor(plan: RowPlan) {
    this.#values = plan.values;
    this.#names = plan.fields.map((field) => field.name);
  }

  add(): boolean {
    const names = this.#names;
    const object: Record<string, unknown> = {};
    for (let at = 0; at < names.length; at++) object[names[at] as string] = this.#values[at];
    return this.#objects.push(object) >= runRows;
  }

  take(): Run<unknown> | undefined {
    if (this.#objects.length === 0) return undefined;
    const objects = this.#objects;
    this.#objects = [];
    return run(objects);
  }
}

class BatchCollector implements RowCollector {
  readonly #values: readonly unknown[];
  readonly #make: (columns: readonly unknown[][], rows: number) => unknown;
  readonly #width: number;
  #columns: unknown[][];
  #rows = 0;

  constructor(plan: RowPlan, make: (columns: readonly unknown[][], rows: number) => unknown) {
    this.#values = plan.values;
    this.#width = plan.fields.length;
    this.#make = make;
    this.#columns = this.#empty();
  }

  add(): boolean {
    for (let at = 0; at < this.#width; at++) this.#columns[at]?.push(this.#values[at]);
    this.#rows += 1;
    return this.#rows >= batchRows;
  }

  take(): Run<unknown> | undefined {
    if (this.#rows === 0) return undefined;
    const batch = this.#make(this.#columns, this.#rows);
    this.#columns = this.#empty();
    this.#rows = 0;
    return run([batch]);
  }

  #empty(): unknown[][] {
    return Array.from({ length: this.#width }, () => []);
  }
}
