import type { ExplorationOptions } from "../exploration.ts";
import { Invariants, type Violation } from "../invariants.ts";
import { ownCode } from "../own-code.ts";
import type { World } from "../world.ts";
import { outsideTimers, type ChoiceMedium } from "./choice-medium.ts";
import type { Touches } from "./touches.ts";

const nothing: ReadonlySet<string> = new Set();
// What goes wrong, or is done from outside, by the name that touches have for it.
const strikes = "strikes";

/**
 * What has to hold in one execution, and when that is over. What the checks look at is noted: a transition that changes it depends on
 * all others that change something they look at, as who checks in between may tell in which order they come. All checks are taken as
 * one, since they may remember what they saw, in what `start` returned.
 */
export class LookingChecks<System> {
  /** True once the exploration says that a run is over here, and nothing is to be done from outside, or has to come to hold. */
  isStopped = false;
  readonly #invariants: Invariants<System>;
  readonly #medium: ChoiceMedium;
  readonly #stopWhen: (() => boolean) | undefined;
  readonly #areAny: boolean;
  readonly #isEventual: boolean;
  /** What was looked at when the checks were made last. */
  #looks = nothing;
  /** What was looked at by all checks of this transition, and before it. */
  #looksOfTransition = new Set<string>();

  constructor(options: ExplorationOptions<System>, system: System, world: World, medium: ChoiceMedium) {
    const { always, never, eventually, stopWhen } = options;
    this.#invariants = new Invariants(options, system, world);
    this.#medium = medium;
    this.#stopWhen = stopWhen && (() => ownCode("`stopWhen`", () => stopWhen(system, world)));
    this.#isEventual = Object.keys(eventually ?? {}).length > 0;
    this.#areAny = [always, never, eventually].some((checks) => Object.keys(checks ?? {}).length > 0);
  }

  get pending(): readonly string[] {
    return this.#invariants.pending;
  }

  get invariants(): Pick<Invariants<System>, "failed" | "failedItself"> {
    return this.#invariants;
  }

  /**
   * A transition is going to be made.
   *
   * @param isStrike - something goes wrong by it, is mended, or is done from outside: what has to come to hold has to do so after it
   */
  begin(isStrike: boolean, touches: Touches): void {
    this.#looksOfTransition = new Set(this.#looks);
    if (!isStrike || !this.#isEventual) return;
    touches.changed(strikes);
    this.#invariants.struck();
  }

  afterStep(): Violation | undefined {
    if (!this.#areAny) return undefined;
    let violation: Violation | undefined;
    const looks = this.#medium.lookingAt(() => (violation = this.#invariants.afterStep()));
    this.#looks = this.#isEventual ? new Set([...looks, strikes]) : looks;
    for (const name of this.#looks) this.#looksOfTransition.add(name);
    return violation;
  }

  /** A transition was made. */
  end(touches: Touches): void {
    const stopWhen = this.#stopWhen;
    if (stopWhen !== undefined) {
      let isWanted = false;
      const looks = this.#medium.lookingAt(() => (isWanted = stopWhen()));
      this.#looks = new Set([...this.#looks, ...looks, outsideTimers]);
      for (const name of this.#looks) this.#looksOfTransition.add(name);
      this.isStopped = isWanted && !this.#invariants.isPending && this.#medium.timers.of(-1).length === 0;
    }
    // Nothing else is done after it.
    if (this.isStopped) touches.everything();
    else if (touches.changesAnyOf(this.#looksOfTransition)) touches.lookedAt(this.#looksOfTransition);
  }

  /** Nothing more is done. */
  atEnd(): Violation | undefined {
    let violation: Violation | undefined;
    this.#medium.lookingAt(() => (violation = this.#invariants.atEnd("nothing was left to do", !this.isStopped)));
    return violation;
  }
}
