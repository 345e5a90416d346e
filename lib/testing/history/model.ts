/** Stands for the result of a call that nobody was told: whatever the system may have given. */
export const unknownResult: unique symbol = Symbol.for("qstream unknown result");

/** What a model is given as result: the one that was recorded, undefined where none was, or that it is unknown. */
export type MaybeResult<Result> = Result | undefined | typeof unknownResult;

/**
 * What a system promises, as if it did one operation after the other. Operations, results and states are compared by value.
 *
 * @example
 * // A counter that tells what it had before.
 * const counter: Model<number, { kind: "add"; by: number }, number> = {
 *   init: 0,
 *   step: (count, { by }, before) => (before === unknownResult || before === count ? [count + by] : []),
 * };
 */
export interface Model<State, Operation, Result> {
  /** The state before the first operation. */
  readonly init: State;
  /**
   * The states that the system may be in after the operation: none if it can't give that result in this state, several if
   * either may be, as when the result is unknown. It doesn't change the state that it is given.
   */
  readonly step: (state: State, operation: Operation, result: MaybeResult<Result>) => readonly State[];
  /**
   * The part of the system that the operation is about, such as a key, where no operation is about two and parts know
   * nothing of each other: `checkLinearizable` takes each by itself, from `init`.
   */
  readonly partition?: (operation: Operation) => string;
  /** Text that is the same for equal states only; that of the value unless told. */
  readonly key?: (state: State) => string;
  /** True if the operation, where it gives that result, leaves every state as it is: that makes a search much shorter. */
  readonly isRead?: (operation: Operation, result: MaybeResult<Result>) => boolean;
}
