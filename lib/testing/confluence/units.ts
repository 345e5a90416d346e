import { loadBatches, loadedBatches, representationOf } from "../../core/batch/index.ts";
import { invariant } from "../../core/errors.ts";
import type { Order, OrderStep } from "./order.ts";

/** The smallest part of an input: an object, or a row of a columnar batch as a batch of its own. */
export interface Unit {
  readonly input: string;
  readonly object: unknown;
}

/** A step of an order whose objects may yet be taken apart. */
export type PlannedStep =
  | {
      readonly kind: "take";
      readonly input: string;
      readonly channel: number;
      readonly units: readonly Unit[];
      readonly afterMs: number;
    }
  | Exclude<OrderStep, { readonly kind: "take" }>;

/** An order whose objects may yet be taken apart. */
export interface PlannedOrder {
  readonly channels: number;
  readonly inputs: readonly string[];
  readonly startMs: number;
  readonly outsideSeed: number;
  readonly steps: readonly PlannedStep[];
}

/** Takes inputs apart. */
export async function unitsOf(inputs: Readonly<Record<string, readonly unknown[]>>): Promise<readonly Unit[]> {
  const units: Unit[] = [];
  for (const [input, objects] of Object.entries(inputs)) {
    for (const object of objects) {
      if (representationOf(object) === undefined) {
        units.push({ input, object });
        continue;
      }
      // oxlint-disable-next-line no-await-in-loop -- loaded once
      const support = await loadBatches();
      const rows = support.rows(object);
      for (let row = 0; row < rows; row++) units.push({ input, object: support.slice(object, row, row + 1) });
    }
  }
  return units;
}

/** The order that runs: rows that a task takes are one batch. */
export function asOrder(planned: PlannedOrder): Order {
  const { channels, inputs, startMs, outsideSeed } = planned;
  const steps = planned.steps.map((step): OrderStep => {
    const channel = step.channel === undefined || step.channel === 0 ? {} : { channel: step.channel };
    if (step.kind === "take") {
      const { input, units, afterMs } = step;
      return { kind: "take", input, objects: together(units), ...(afterMs === 0 ? {} : { afterMs }), ...channel };
    }
    return step.kind === "end" ? { kind: "end", input: step.input, ...channel } : { kind: step.kind, ...channel };
  });
  const named = new Set(steps.flatMap((step) => ("input" in step ? [step.input] : [])));
  const isNamed = inputs.length === named.size && [...named].every((name, index) => name === inputs[index]);
  return {
    ...(channels === 1 ? {} : { channels }),
    ...(isNamed ? {} : { inputs }),
    ...(startMs === 0 ? {} : { startMs }),
    ...(outsideSeed === 1 ? {} : { outsideSeed }),
    steps,
  };
}

function together(units: readonly Unit[]): readonly unknown[] {
  const objects = units.map(({ object }) => object);
  if (objects.length < 2 || objects.some((object) => representationOf(object) === undefined)) return objects;
  const support = loadedBatches();
  invariant(support !== undefined, "the support for batches is loaded before rows are taken apart");
  return [support.concat(objects)];
}
