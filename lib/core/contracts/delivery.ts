/** Objects that a flow sends to an actor, with what tells whether they came before. */
export interface Delivery<out T> {
  /** Who sends them: execution, step and channel. */
  readonly from: string;
  readonly objects: readonly T[];
  /** Numbers of the objects, which rise: the same object has the same number whenever it is sent. */
  readonly numbers: readonly number[];
}

/** The highest number that came of each sender. Part of an actor's state, and small: one number for each channel that has sent. */
export type Heard = Record<string, number>;

/**
 * The objects of a delivery that haven't come before: a flow that has lost a slot sends some again. It changes `heard`, so take them
 * all in the handler that asks for them.
 *
 * @param heard - part of the actor's state: {} at first
 * @example
 * deposit(state, delivery: Delivery<Payment>) {
 *   for (const { cents } of takeOnce(state.heard, delivery)) state.cents += cents;
 * }
 */
export function takeOnce<T>(heard: Heard, { from, objects, numbers }: Delivery<T>): readonly T[] {
  const last = heard[from] ?? -1;
  const fresh = numbers.findIndex((number) => number > last);
  if (fresh < 0) return [];
  heard[from] = numbers.at(-1) ?? last;
  return fresh === 0 ? objects : objects.slice(fresh);
}
