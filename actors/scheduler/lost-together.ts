import type { Plan } from "../../lib/core/plan.ts";

/**
 * The channels that are lost when some are: with a channel of a loop, all of the loop. What its channels had sent to one another
 * isn't kept, and can only be made again by all of them: those that are left couldn't get on without the lost one either, and all
 * start from states that fit together. The same goes for a loop whose results have to be made again, since a step behind it was
 * lost, and for the steps between the two: whatever is made again of a loop is made by the loop itself.
 *
 * @param plan - where channels are numbered by step
 * @param numbers - of the channels that are lost
 */
export function lostTogether(plan: Plan, numbers: readonly number[]): readonly number[] {
  if (numbers.length === 0 || plan.steps.every(({ loop }) => loop === undefined)) return numbers;
  const stepOf = plan.steps.flatMap(({ channels }, step) => new Array<number>(channels).fill(step));
  const lost = new Set(numbers.map((number) => stepOf[number] ?? -1));
  const whole = wholeSteps(plan, lost);
  const all = new Set(numbers);
  stepOf.forEach((step, number) => {
    if (whole.has(step)) all.add(number);
  });
  return [...all].toSorted((left, right) => left - right);
}

/** Loops that are lost, or before something that is, and the steps between those and that. */
function wholeSteps(plan: Plan, lost: ReadonlySet<number>): ReadonlySet<number> {
  const before = reach(plan, lost, "to", "from");
  const loops = plan.steps.flatMap(({ loop }, step) =>
    loop !== undefined && (before.has(step) || lost.has(step)) ? step : [],
  );
  const behind = reach(plan, new Set(loops), "from", "to");
  return new Set([...loops, ...[...behind].filter((step) => before.has(step))]);
}

/** Steps that are reached from others over forward edges. */
function reach(plan: Plan, from: ReadonlySet<number>, here: "from" | "to", there: "from" | "to"): ReadonlySet<number> {
  const reached = new Set<number>();
  const open = [...from];
  for (let step = open.pop(); step !== undefined; step = open.pop()) {
    for (const edge of plan.edges) {
      if (edge.kind !== "forward" || edge[here] !== step || reached.has(edge[there])) continue;
      reached.add(edge[there]);
      open.push(edge[there]);
    }
  }
  return reached;
}
