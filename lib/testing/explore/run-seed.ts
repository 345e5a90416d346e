import { setImmediate as soon } from "node:timers/promises";
import { cellFlag, type Cell } from "../../../actors/system/cell.ts";
import { turn } from "../../../actors/system/turn.ts";
import { QStreamError } from "../../core/errors.ts";
import type { Exploration } from "./exploration.ts";
import type { ExploredNode } from "./explored-node.ts";
import { planFaults } from "./faults.ts";
import { FaultStriker } from "./fault-striker.ts";
import { Invariants, shownViolation, type Violation } from "./invariants.ts";
import { ownCode, OwnCodeFailed } from "./own-code.ts";
import { Show } from "./show.ts";
import { watching } from "./step-notes.ts";
import { TimedMedium, type Kept } from "./timed-medium.ts";
import type { RunTrace } from "./trace.ts";
import { TraceRecorder } from "./trace-recorder.ts";
import { whoWaits } from "./who-waits.ts";
import { World } from "./world.ts";

export interface SeedOptions {
  /** Steps; the exploration's unless told. */
  readonly steps?: number;
  /** Ends a run behind this step, whatever is still to come: nothing is said of what would have come to hold. */
  readonly stopAt?: number;
  /** Instead of the exploration's number of machines. */
  readonly machines?: number;
  /** What of the seed's draws is kept; all unless told. */
  readonly kept?: Kept;
  /** Writes down what happens. Default false. */
  readonly recorded?: boolean;
}

/** One run of an exploration. */
export interface SeedRun {
  readonly seed: number;
  readonly machines: number;
  readonly steps: number;
  /** Between machines. */
  readonly messages: number;
  /** The longest chain of messages between machines, each sent after the one before had come. */
  readonly rounds: number;
  readonly virtualMs: number;
  /** Ids of faults that the seed has, those of messages apart. */
  readonly planned: readonly string[];
  /** Ids of faults that struck. */
  readonly struck: readonly string[];
  readonly deadLetters: number;
  /** Messages and timers that actors were handed, and answers that they went on with. */
  readonly handled: number;
  /** Who waited for something that isn't in the world, and where; of a run that isn't recorded, only where nothing else was left to do. */
  readonly outside: string | undefined;
  readonly violation: Violation | undefined;
  readonly trace: RunTrace | undefined;
}

const stepsDefault = 2000;
// Steps, as a multiple of the run's, after which what should have come to hold by now is given up.
const patience = 50;
// Turns of the real event loop for which somebody's promise is waited for though nothing in the world could settle it.
const realTurnsMax = 50;
const nothingLeft = "nothing was left to do";

/** Runs an exploration with one seed. The same seed gives the same run. */
export function runSeed<System>(
  exploration: Exploration<System>,
  seed: number,
  options: SeedOptions = {},
): Promise<SeedRun> {
  return new TimedRun(exploration, seed, options).run();
}

class TimedRun<System> {
  readonly #exploration: Exploration<System>;
  readonly #world: World;
  readonly #medium: TimedMedium;
  readonly #recorder: TraceRecorder | undefined;
  readonly #invariants: Invariants<System>;
  readonly #faults: FaultStriker;
  readonly #system: System;
  readonly #mayFail: boolean;
  readonly #stopWhen: (() => boolean) | undefined;
  readonly #stopAt: number;
  #stepsMax: number;
  #violation: Violation | undefined;
  #outside: string | undefined;
  #isOver = false;
  /** True if nothing has happened since what has to hold was checked. */
  #isChecked = true;

  constructor(exploration: Exploration<System>, seed: number, options: SeedOptions) {
    const { options: explored } = exploration;
    const { kept = {}, machines = explored.machines } = options;
    this.#exploration = exploration;
    this.#recorder = options.recorded === true ? new TraceRecorder(new Show(explored.show as never)) : undefined;
    this.#stopAt = options.stopAt ?? Infinity;
    this.#stepsMax = options.steps ?? explored.steps ?? stepsDefault;
    this.#mayFail = explored.mayFail === true;
    let medium: TimedMedium | undefined;
    this.#world = new World(
      { seed, machines, isStrict: explored.strict !== false, recorder: this.#recorder },
      (world) => (medium = new TimedMedium(world, kept)),
    );
    const world = this.#world;
    this.#medium = medium as unknown as TimedMedium;
    this.#recorder?.outside(0, 0);
    watching.notes?.write(seed, 0, "`start`");
    this.#system = explored.start(world);
    this.#recorder?.ended();
    const { stopWhen } = explored;
    const isStopped = (): boolean => stopWhen?.(this.#system, world) === true;
    this.#stopWhen = stopWhen && (() => ownCode("`stopWhen`", isStopped));
    if (world.machines.length === 0) {
      throw new QStreamError("OPTION_INVALID", `${exploration.name} starts no actor, and has no machines`, {
        advice: "Start actors by world.spawn(definition, args) in `start`",
      });
    }
    const plan = planFaults(
      explored.faults ?? {},
      seed,
      world.machines.map(({ name }) => name),
    );
    this.#medium.begin(plan);
    this.#invariants = new Invariants(explored, this.#system, world);
    this.#faults = new FaultStriker(world, this.#medium, plan, (machine) =>
      ownCode("`restarted`", () => explored.restarted?.(this.#system, world, machine)),
    );
    this.#faults.begin(kept);
    if (plan.withinMs === 0) this.#heal();
    else this.#medium.after(undefined, plan.withinMs, () => this.#heal());
  }

  async run(): Promise<SeedRun> {
    try {
      while (!this.#isOver) {
        this.#advance();
        if (!this.#world.isUnsettled) continue;
        // oxlint-disable-next-line no-await-in-loop -- one step after the other
        await this.#settle();
        this.#afterStep(this.#world.continuing);
      }
    } catch (error) {
      if (!(error instanceof OwnCodeFailed)) throw error;
      this.#violated(this.#invariants.failedItself(error));
    }
    const world = this.#world;
    const violation = this.#violation;
    return {
      seed: world.seed,
      machines: world.machines.length,
      steps: world.step,
      messages: world.messages,
      rounds: world.machines.reduce((most, { depth }) => Math.max(most, depth), 0),
      virtualMs: world.nowMs,
      planned: this.#faults.ids,
      struck: this.#medium.struck,
      deadLetters: world.deadLetters,
      handled: world.handled,
      outside: this.#outside,
      violation,
      trace: this.#traceOf(violation),
    };
  }

  /** Takes steps until promises have to be gone on with, or the run is over. */
  #advance(): void {
    const world = this.#world;
    const { ready } = this.#medium;
    while (!this.#isOver) {
      const resumption = world.resumptions.length === 0 ? undefined : world.nextResumption();
      if (resumption !== undefined) {
        world.continue(resumption);
        return;
      }
      const cell = ready.take();
      if (cell === undefined) {
        const { step } = world;
        if (!this.#medium.pass()) {
          if (this.#isWaiting()) world.isUnsettled = true;
          else this.#end(nothingLeft);
        } else {
          this.#isChecked = false;
          if (world.step > step && !world.isUnsettled) this.#afterStep(undefined);
        }
      } else {
        const { isDead, machine } = cell.node as ExploredNode;
        if (isDead) continue;
        if (machine.pausedUntil > 0) {
          machine.waiting.push(cell);
          continue;
        }
        world.handle(cell);
        if (!world.isUnsettled) this.#afterStep(cell);
      }
      if (world.isUnsettled) return;
    }
  }

  #afterStep(cell: Cell | undefined): void {
    const world = this.#world;
    this.#recorder?.ended();
    if (this.#isBroken()) return;
    const isStruck = cell !== undefined && this.#faults.stepped((cell.node as ExploredNode).machine);
    if (isStruck && this.#isBroken()) return;
    if (world.step >= this.#stopAt) this.#isOver = true;
    else if (world.step >= this.#stepsMax) this.#outOfSteps();
    else if (this.#stopWhen?.() === true && !this.#invariants.isPending) this.#end("");
  }

  /** True if something doesn't hold, which is a violation. */
  #isBroken(): boolean {
    const { failure } = this.#world;
    this.#isChecked = true;
    const violation =
      failure === undefined || this.#mayFail
        ? this.#invariants.afterStep()
        : this.#invariants.failed(failure.actor, failure.message, failure.error);
    if (violation !== undefined) this.#violated(violation);
    return violation !== undefined;
  }

  #outOfSteps(): void {
    const { isPending } = this.#invariants;
    if (!isPending) {
      this.#end("");
      return;
    }
    if (!this.#world.isHealed) this.#heal();
    else if (this.#world.step >= this.#stepsMax * patience) {
      this.#end(`not within ${this.#world.step.toLocaleString("en-US")} steps`);
    }
  }

  #heal(): void {
    if (this.#world.isHealed) return;
    this.#faults.heal();
    for (const withinMs of this.#invariants.deadlines) {
      this.#medium.after(undefined, withinMs, () => {
        const violation = this.#invariants.due(withinMs);
        if (violation !== undefined) this.#violated(violation);
      });
    }
  }

  /** Has promises that can be gone on with do so, in the name of whose code it is. */
  async #settle(): Promise<void> {
    const world = this.#world;
    world.isUnsettled = false;
    const { continuing } = world;
    turn.cell = continuing;
    await soon();
    turn.cell = undefined;
    world.isUnsettled = false;
    if (!this.#medium.ready.isEmpty || world.resumptions.length > 0 || !this.#isWaiting()) return;
    const { hasEvents } = this.#medium;
    if (this.#recorder !== undefined || !hasEvents) this.#outside ??= whoWaits(world).outside;
    if (hasEvents) return;
    // Somebody waits for what isn't in this world: it is given a moment, as what was loaded once comes at once.
    for (let turns = 0; turns < realTurnsMax && this.#isWaiting() && this.#medium.ready.isEmpty; turns++) {
      // oxlint-disable-next-line no-await-in-loop -- see above
      await soon();
    }
    if (this.#isWaiting() && this.#medium.ready.isEmpty && world.resumptions.length === 0) {
      this.#end(nothingLeft);
    }
  }

  /** True while an actor waits for a promise. */
  #isWaiting(): boolean {
    for (const machine of this.#world.machines) {
      if (!machine.isUp) continue;
      for (const cell of machine.node.living()) if ((cell.flags & cellFlag.suspended) !== 0) return true;
    }
    return false;
  }

  #violated(violation: Violation): void {
    this.#violation ??= violation;
    this.#isOver = true;
  }

  #end(why: string): void {
    this.#isOver = true;
    if (!this.#isChecked && this.#isBroken()) return;
    this.#violation ??= this.#invariants.atEnd(why, why === nothingLeft);
  }

  #traceOf(violation: Violation | undefined): RunTrace | undefined {
    const recorder = this.#recorder;
    if (recorder === undefined) return undefined;
    const { lines, steps } = recorder;
    return {
      title: this.#exploration.name,
      seed: this.#world.seed,
      lines,
      steps,
      ...(violation === undefined ? {} : { violation: shownViolation(violation) }),
    };
  }
}
