import * as fc from "fast-check";
import type { Many, Operator, OperatorDefinition } from "../../lib/core/contracts/operator.ts";
import { hashJoin, symmetricJoin } from "../../lib/index.ts";
import { testContext } from "../../lib/testing/test-context.ts";
import type { JoinKind } from "../../operators/join/options.ts";

export interface Row {
  readonly key: number;
  readonly value: number;
}

type Inputs = { in: Row; left: Row; right: Row };
export type AnyOperator = Operator<Inputs, unknown>;
// oxlint-disable-next-line typescript/no-explicit-any -- definitions of several inputs
export type AnyDefinition = OperatorDefinition<any, unknown>;

export const ctx = testContext();
const kinds: readonly JoinKind[] = ["inner", "left", "right", "full", "semi", "anti"];
export const keys = { left: "key", right: "key" } as const;
export const joins: readonly (readonly [string, AnyDefinition])[] = kinds.flatMap((how) => [
  [`hash join, ${how}, build left`, hashJoin<Row, Row>({ ...keys, how: how as "inner", build: "left" })] as const,
  [`hash join, ${how}, build right`, hashJoin<Row, Row>({ ...keys, how: how as "inner", build: "right" })] as const,
  [`symmetric join, ${how}`, symmetricJoin<Row, Row>({ ...keys, how: how as "inner" })] as const,
]);
export const rows = fc.array(fc.record({ key: fc.nat(12), value: fc.nat(5) }, { noNullPrototype: true }), {
  maxLength: 60,
});
export const size = fc.integer({ min: 1, max: 7 });
export interface Task {
  readonly input: string;
  readonly objects: readonly unknown[];
}

export function cutAll(input: string, objects: readonly Row[], each: number): Task[] {
  return Array.from({ length: Math.ceil(objects.length / each) }, (_, at) => ({
    input,
    objects: objects.slice(at * each, (at + 1) * each),
  }));
}

export function taskOf(operator: AnyOperator, { input, objects }: Task): readonly unknown[] {
  return listed(operator.execute({ input, objects } as never, ctx));
}

export function listed(given: unknown): readonly unknown[] {
  return [...((given as Many<unknown> | undefined) ?? [])];
}
