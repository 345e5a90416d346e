import { QStreamError } from "../../core/errors.ts";
import type { Check, EventualCheck, ExplorationOptions } from "./exploration.ts";
import type { OwnCodeFailed } from "./own-code.ts";
import type { RunViolation } from "./trace.ts";
import { whoWaits } from "./who-waits.ts";
import type { World } from "./world.ts";

/** A promise that was broken. */
export interface Violation {
  readonly invariant: string;
  readonly kind: "always" | "eventually" | "never";
  /** What was found. */
  readonly message: string;
  readonly step: number;
  /** Virtual milliseconds since the run's start. */
  readonly atMs: number;
  /** What an actor failed with, or the check threw. */
  readonly error?: Error;
}

interface Pending<System> {
  readonly name: string;
  readonly check: Check<System>;
  readonly withinMs: number;
}

const eventuallyDefaultMs = 10_000;
// Promises that are made for all explorations; the first for those whose actors may not fail.
const noFailure = "no actor fails";
const noOwnFailure = "no code of the exploration fails";
const allEnd = "every handler ends";

/** A violation as traces have it. */
export function shownViolation({ invariant, kind, message, step }: Violation): RunViolation {
  return { invariant, kind, message, step };
}

/** What has to hold in one run. */
export class Invariants<System> {
  readonly #system: System;
  readonly #world: World;
  readonly #names: readonly string[];
  readonly #checks: readonly Check<System>[];
  /** How many of the checks, from the first, are of what has to hold always; the others are of what never may. */
  readonly #alwaysCount: number;
  readonly #atEnd: readonly (readonly [string, Check<System>])[];
  readonly #eventual: readonly Pending<System>[];
  #pending: readonly Pending<System>[];

  constructor(options: ExplorationOptions<System>, system: System, world: World) {
    const { always = {}, never = {}, eventually = {}, atEnd = {} } = options;
    this.#system = system;
    this.#world = world;
    this.#names = [...Object.keys(always), ...Object.keys(never)];
    this.#checks = [...Object.values(always), ...Object.values(never)];
    this.#alwaysCount = Object.keys(always).length;
    this.#atEnd = Object.entries(atEnd);
    this.#eventual = Object.entries(eventually).map(([name, given]) => {
      const { check, withinMs = eventuallyDefaultMs }: EventualCheck<System> =
        typeof given === "function" ? { check: given } : given;
      return { name, check, withinMs };
    });
    this.#pending = this.#eventual;
  }

  /** True while something has yet to come to hold. */
  get isPending(): boolean {
    return this.#pending.length > 0;
  }

  /** Something went wrong: what came to hold before has to do so again. */
  struck(): void {
    this.#pending = this.#eventual;
  }

  /** Names of what has yet to come to hold. */
  get pending(): readonly string[] {
    return this.#pending.map(({ name }) => name);
  }

  /** For how long after all has healed something may yet come to hold: in milliseconds, each once. */
  get deadlines(): readonly number[] {
    return [...new Set(this.#pending.map(({ withinMs }) => withinMs))];
  }

  afterStep(): Violation | undefined {
    const checks = this.#checks;
    const system = this.#system;
    const world = this.#world;
    let index = 0;
    try {
      for (; index < checks.length; index++) {
        const found = (checks[index] as Check<System>)(system, world);
        if (found === undefined) continue;
        const isNever = index >= this.#alwaysCount;
        if (isNever ? found !== false : found !== true) return this.#violation(index, found);
      }
    } catch (error) {
      return this.#threw(this.#names[index] ?? "", index < this.#alwaysCount ? "always" : "never", error);
    }
    if (this.#pending.length > 0 && world.isHealed) return this.#lookAtPending();
    return undefined;
  }

  /** So much time has passed since all has healed: what should have come to hold by now hasn't. */
  due(passedMs: number): Violation | undefined {
    const late = this.#pending.find(({ withinMs }) => withinMs <= passedMs);
    if (late === undefined) return undefined;
    const { answer } = whoWaits(this.#world);
    const waits = answer === undefined ? "" : `, and ${answer}`;
    return this.#late(late, `not within ${late.withinMs} ms after all had healed${waits}`);
  }

  /**
   * Nothing more will happen.
   *
   * @param isIdle - as nothing is left to do, and not as the run is cut off
   */
  atEnd(why: string, isIdle = true): Violation | undefined {
    const { outside, answer } = whoWaits(this.#world);
    if (outside !== undefined) return this.#found(allEnd, "eventually", outside);
    const late = this.#pending[0];
    if (late !== undefined) return this.#late(late, isIdle && answer !== undefined ? `${why}, and ${answer}` : why);
    for (const [name, check] of this.#atEnd) {
      const violation = this.#lookAt(name, check);
      if (violation !== undefined) return violation;
    }
    return undefined;
  }

  /** An actor failed, and none may. */
  failed(actor: string, message: string | undefined, error: Error): Violation {
    const at = message === undefined ? "" : ` at "${message}"`;
    return this.#found(noFailure, "always", `${actor} failed${at}: ${error.message}`, error);
  }

  /** Code of the exploration failed, and no actor's. */
  failedItself({ message, error }: OwnCodeFailed): Violation {
    return this.#found(noOwnFailure, "always", message, error);
  }

  #lookAt(name: string, check: Check<System>): Violation | undefined {
    let found: ReturnType<Check<System>>;
    try {
      found = check(this.#system, this.#world);
    } catch (error) {
      return this.#threw(name, "eventually", error);
    }
    if (found === undefined || found === true) return undefined;
    return this.#found(name, "eventually", typeof found === "string" ? found : "it didn't hold at the end");
  }

  #lookAtPending(): Violation | undefined {
    const still: Pending<System>[] = [];
    for (const pending of this.#pending) {
      let found: ReturnType<Check<System>>;
      try {
        found = pending.check(this.#system, this.#world);
      } catch (error) {
        return this.#threw(pending.name, "eventually", error);
      }
      if (found !== true) still.push(pending);
    }
    if (still.length < this.#pending.length) this.#pending = still;
    return undefined;
  }

  #late({ name, check }: Pending<System>, why: string): Violation | undefined {
    let found: ReturnType<Check<System>>;
    try {
      found = check(this.#system, this.#world);
    } catch (error) {
      return this.#threw(name, "eventually", error);
    }
    if (found === true) return undefined;
    return this.#found(name, "eventually", typeof found === "string" ? `${found} (${why})` : why);
  }

  #violation(index: number, found: boolean | string): Violation {
    const isNever = index >= this.#alwaysCount;
    const text = typeof found === "string" ? found : isNever ? "it did" : "it doesn't hold";
    return this.#found(this.#names[index] ?? "", isNever ? "never" : "always", text);
  }

  #threw(name: string, kind: Violation["kind"], thrown: unknown): Violation {
    const error = thrown instanceof Error ? thrown : new QStreamError("ACTOR_INVALID", String(thrown));
    return this.#found(name, kind, error.message, error);
  }

  #found(invariant: string, kind: Violation["kind"], message: string, error?: Error): Violation {
    const { step, nowMs } = this.#world;
    return { invariant, kind, message, step, atMs: nowMs, ...(error === undefined ? {} : { error }) };
  }
}
