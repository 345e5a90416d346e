import { type JoinPlan, renamed } from "./options.ts";

type Properties = Readonly<Record<string, unknown>>;
type Merge = (left: Properties, right: Properties) => Properties;

/** Shapes for which code is made; a stream of more shapes is merged property by property. */
const shapesMax = 32;

/**
 * The function that merges a left and a right object: clashing right names get the suffix, shared keys stay the left one's.
 * Objects of one shape come in long runs, so code is made for a shape and used as long as it stays: ten times as fast.
 */
export function mergeFunction(plan: JoinPlan, shared: readonly string[]): Merge {
  const plain: Merge = (left, right) => mergePlainly(plan, shared, left, right);
  let leftNames: readonly string[] = [];
  let rightNames: readonly string[] = [];
  let merge: Merge | undefined;
  let shapes = 0;
  return (left, right) => {
    if (merge !== undefined && hasNames(left, leftNames) && hasNames(right, rightNames)) return merge(left, right);
    if (shapes >= shapesMax) return plain(left, right);
    shapes += 1;
    leftNames = Object.keys(left);
    rightNames = Object.keys(right);
    merge = compiled(leftNames, namesBeside(plan, shared, leftNames, rightNames)) ?? plain;
    return merge(left, right);
  };
}

function hasNames(object: Properties, names: readonly string[]): boolean {
  let index = 0;
  for (const name in object) {
    if (names[index] !== name) return false;
    index += 1;
  }
  return index === names.length;
}

/** Pairs of a right property's name and the name that it has beside the left ones. */
function namesBeside(
  plan: JoinPlan,
  shared: readonly string[],
  leftNames: readonly string[],
  rightNames: readonly string[],
): [string, string][] {
  const [left, right] = [new Set(leftNames), new Set(rightNames)];
  return rightNames
    .filter((name) => !left.has(name) || !shared.includes(name))
    .map((name) => [name, left.has(name) ? renamed(name, plan, (other) => left.has(other) || right.has(other)) : name]);
}

function compiled(leftNames: readonly string[], beside: readonly [string, string][]): Merge | undefined {
  const text = (name: string): string => JSON.stringify(name);
  // In brackets, for "__proto__": value would set the prototype.
  const entries = [
    ...leftNames.map((name) => `[${text(name)}]: left[${text(name)}]`),
    ...beside.map(([name, as]) => `[${text(as)}]: right[${text(name)}]`),
  ];
  try {
    // oxlint-disable-next-line typescript/no-implied-eval -- names enter as JSON strings only
    return new Function("left", "right", `return {${entries.join(", ")}};`) as Merge;
  } catch (error) {
    if (error instanceof EvalError) return undefined;
    throw error;
  }
}

function mergePlainly(plan: JoinPlan, shared: readonly string[], left: Properties, right: Properties): Properties {
  const beside = namesBeside(plan, shared, Object.keys(left), Object.keys(right));
  return { ...left, ...Object.fromEntries(beside.map(([name, as]) => [as, right[name]])) };
}
