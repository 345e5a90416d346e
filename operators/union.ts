import type { OperatorDefinition } from "../lib/core/contracts/operator.ts";

/**
 * Puts any number of streams into one: what comes on any input goes out as it is, objects and columnar batches alike.
 *
 * @returns the operator; inputs may have any names. Its result is confluent
 * @example
 * union<{ spring: Leaf; autumn: Leaf }>();
 */
export function union<Inputs>(): OperatorDefinition<Inputs, Inputs[keyof Inputs], null> {
  return {
    kind: "union",
    declares: "confluent",
    parallelism: "same",
    representations: ["objects", "arrow", "polars"],
    create: () => ({
      execute: ({ objects }) => objects as readonly Inputs[keyof Inputs][],
      snapshot: () => null,
      restore: () => {},
    }),
    deal: () => null,
  };
}
