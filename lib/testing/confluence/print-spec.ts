import type { Order, OrderStep } from "./order.ts";
import { shortly } from "./same-outputs.ts";
import { sourceText } from "./source-text.ts";

/** How a printed spec comes to the operator. */
export interface SpecCode {
  /** Import lines. */
  readonly imports?: string;
  /** What gives the operator: `lastWins()`, or a promise of it. Default: the text of a short factory, else `operator`. */
  readonly operator?: string;
  /** What compares two results, where `equal` does. Default: the text of a short one, else `equal`. */
  readonly equal?: string;
}

export interface PrintedParts {
  /** What is checked, for the name of the test. */
  readonly name: string;
  readonly operator: unknown;
  readonly equal: unknown;
  readonly code: SpecCode;
  /** One where it fails alone. */
  readonly orders: readonly Order[];
  /** What each gave, or how it failed. */
  readonly gave: readonly (readonly unknown[] | Error)[];
}

const shortText = 100;

/** Two orders as a spec for `node --test` that fails until the operator gives the same in both. */
export function printSpec(parts: PrintedParts): string {
  const { name, code, orders, gave, equal } = parts;
  const [, second] = orders;
  const kit = second === undefined || equal !== undefined ? "runInOrder" : "multiset, runInOrder";
  const assertion = second === undefined || `import assert from "node:assert/strict";`;
  const imports = [
    ...(assertion === true ? [] : [assertion]),
    `import { test } from "node:test";`,
    `import { ${kit} } from "qstream/testing";`,
    ...(code.imports === undefined ? [] : [code.imports]),
  ];
  const title = second === undefined ? `${name} takes its inputs` : `${name} gives the same in both orders`;
  const lines = [
    `test(${JSON.stringify(title)}, async () => {`,
    `  const operator = ${code.operator ?? textOf(parts.operator, "operator")};`,
    ...(equal === undefined ? [] : [`  const equal = ${code.equal ?? textOf(equal, "equal")};`]),
    ...runLines(second === undefined ? undefined : "first", orders[0], gave[0]),
    ...(second === undefined ? [] : runLines("second", second, gave[1])),
    ...(second === undefined ? [] : [comparison(equal !== undefined)]),
    `});`,
  ];
  return `${[...imports, "", ...lines].join("\n")}\n`;
}

function comparison(hasEqual: boolean): string {
  return hasEqual ? "  assert.ok(equal(second, first));" : "  assert.deepEqual(multiset(second), multiset(first));";
}

/** A short function by its own text; anything else by a name that has to be there. */
function textOf(value: unknown, name: string): string {
  const text = typeof value === "function" ? value.toString() : "";
  const isShort = text !== "" && text.length <= shortText && !text.includes("\n") && !/^(?:async )?\w+\(/u.test(text);
  return isShort ? text : `globalThis.${name}; // import what was checked`;
}

function runLines(
  name: string | undefined,
  order: Order | undefined,
  gave: readonly unknown[] | Error | undefined,
): string[] {
  if (order === undefined) return [];
  const { steps, ...others } = order;
  const outcome = gave instanceof Error ? `fails: ${gave.message.split("\n")[0]}` : `gives ${shortly(gave ?? [])}`;
  return [
    `  // ${outcome.replaceAll("\n", " ")}`,
    `  ${name === undefined ? "" : `const ${name} = `}await runInOrder(operator, {`,
    ...Object.entries(others).map(([key, value]) => `    ${key}: ${sourceText(value)},`),
    `    steps: [`,
    ...steps.map((step) => `      ${stepText(step)},`),
    `    ],`,
    `  });`,
  ];
}

function stepText(step: OrderStep): string {
  return sourceText(step);
}
