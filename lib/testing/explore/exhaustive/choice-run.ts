import { setImmediate as soon } from "node:timers/promises";
import { cellFlag, type Cell } from "../../../../actors/system/cell.ts";
import { turn } from "../../../../actors/system/turn.ts";
import type { Exploration } from "../exploration.ts";
import type { ExploredNode } from "../explored-node.ts";
import type { Violation } from "../invariants.ts";
import { ownCode, OwnCodeFailed } from "../own-code.ts";
import { tellOfHistories } from "../../shared-histories.ts";
import type { WorldMachine } from "../machine.ts";
import { AnswerPacket } from "../packet.ts";
import type { TraceRecorder } from "../trace-recorder.ts";
import { World } from "../world.ts";
import { ChoiceMedium, outsideTimers, type Waiting } from "./choice-medium.ts";
import { LookingChecks } from "./looking-checks.ts";
import { isCrash, isSparing, MachineCrashes } from "./machine-crashes.ts";
import { Touches } from "./touches.ts";

/** How much goes wrong in one execution, at most. */
export interface Budget {
  readonly losses: number;
  readonly repeats: number;
  readonly crashes: number;
}

/** What a process may do next: what waits for it comes, or something goes wrong with it. */
export type Alternative = "come" | "lose" | "repeat" | "crash";

/** A transition that was made. */
export interface Transition {
  readonly process: string;
  readonly alternative: Alternative;
  readonly touches: Touches;
  /** The transition without which it couldn't have been made; -1 where it could have been from the start. */
  readonly madeBy: number;
}

export interface ChoiceRunOptions {
  readonly budget: Budget;
  readonly recorder: TraceRecorder | undefined;
  readonly machines: number | undefined;
}

// Messages that are put aside and taken again within one transition.
const inRowMax = 10_000;
const restarting = "restart of ";

/** What of an execution says what may follow. */
export type ExecutionState = Pick<ChoiceRun<unknown>, "world" | "medium" | "left" | "pending" | "system">;

/** One execution of an exploration, in which somebody chooses what is next. */
export class ChoiceRun<System> {
  readonly world: World;
  readonly medium: ChoiceMedium;
  /** What `start` returned: checks may remember in it what they saw. */
  readonly system: System;
  violation: Violation | undefined;
  readonly #checks: LookingChecks<System>;
  readonly #exploration: Exploration<System>;
  #isChecked = false;
  readonly #crashes: MachineCrashes;
  readonly #left: { losses: number; repeats: number };

  private constructor(exploration: Exploration<System>, options: ChoiceRunOptions) {
    const { options: explored } = exploration;
    this.#exploration = exploration;
    const { losses, repeats, crashes } = options.budget;
    this.#left = { losses, repeats };
    let medium: ChoiceMedium | undefined;
    this.world = new World(
      {
        seed: 1,
        machines: options.machines ?? explored.machines,
        isStrict: explored.strict !== false,
        recorder: options.recorder,
      },
      (world) => (medium = new ChoiceMedium(world, explored.faults?.reorder === true)),
    );
    this.medium = medium as unknown as ChoiceMedium;
    this.#crashes = new MachineCrashes(this.world, crashes, explored.faults?.crashes?.machines);
    tellOfHistories((isChanged) => this.medium.touched("histories", isChanged));
    this.world.isHealed = true;
    this.world.recorder?.outside(0, 0);
    this.system = explored.start(this.world);
    this.world.recorder?.ended();
    this.#checks = new LookingChecks(explored, this.system, this.world, this.medium);
  }

  static async begin<System>(exploration: Exploration<System>, options: ChoiceRunOptions): Promise<ChoiceRun<System>> {
    const run = new ChoiceRun(exploration, options);
    await run.#noting(() => run.#goOn());
    if (run.world.step > 0) run.#end();
    return run;
  }

  /** Names of what has yet to come to hold. */
  get pending(): readonly string[] {
    return this.#checks.pending;
  }

  /** What is left of the budget, and what needs none of it any more. */
  get left(): Budget & { readonly spared: readonly string[] } {
    return { ...this.#left, crashes: this.#crashes.left, spared: this.#crashes.spared };
  }

  /** Processes that could go on. */
  enabled(): string[] {
    return [...this.heads().keys()];
  }

  /** What each process that could go on would do first. */
  heads(): Map<string, object> {
    if (this.violation !== undefined || this.#checks.isStopped) return new Map<string, object>();
    const heads = this.medium.heads();
    this.#crashes.addTo(heads);
    return heads;
  }

  alternatives(process: string): readonly Alternative[] {
    if (isCrash(process)) return ["crash"];
    const isPacket = this.medium.waiting.get(process)?.[0]?.what.kind === "packet";
    const { losses, repeats } = this.#left;
    return [
      "come",
      ...(isPacket && losses > 0 ? (["lose"] as const) : []),
      ...(isPacket && repeats > 0 ? (["repeat"] as const) : []),
    ];
  }

  /** Makes a transition, and all that follows from it without a choice. */
  async perform(process: string, alternative: Alternative, number: number): Promise<Transition> {
    const { medium } = this;
    medium.at = number;
    const mayCrash = this.#crashes.able();
    const touches = (medium.touches = new Touches());
    touches.changed("step");
    touches.changed("messages");
    const isStrike = alternative !== "come" || process === "timer@-1" || process.startsWith(restarting);
    this.#checks.begin(isStrike, touches);
    this.#isChecked = false;
    const suspended = this.#suspended();
    let madeBy = medium.waiting.get(process)?.[0]?.madeBy ?? -1;
    await this.#noting(async () => {
      if (isCrash(process) || isSparing(process)) {
        const machine = this.#crashes.decide(process, mayCrash);
        if (machine !== undefined) this.#crash(machine);
        return;
      }
      if (process.startsWith("timer@")) {
        madeBy = this.#goOff(Number(process.slice("timer@".length)));
        await this.#goOn(true);
        return;
      }
      const first = medium.waiting.get(process)?.[0];
      if (first !== undefined) this.#come(process, alternative, medium.take(process) as Waiting);
      await this.#goOn();
    });
    // Who is to stop once its handler is done doesn't run now.
    for (const [cell, flags] of suspended) if (cell.flags !== flags) medium.touchCell(cell);
    if (!this.#isChecked) this.violation ??= this.#checks.afterStep();
    this.#end();
    return { process, alternative, touches, madeBy };
  }

  /** Nothing is left to do. */
  finish(): void {
    // What was answered within a machine and hasn't come yet: its asker doesn't wait for what nobody gives.
    for (const resumption of this.medium.answers()) this.world.resume(resumption);
    this.violation ??= this.#checks.atEnd();
  }

  /** A transition is over: what is looked at from now on belongs to none. */
  #end(): void {
    const { medium } = this;
    try {
      if (this.violation === undefined) this.#checks.end(medium.touches);
    } catch (error) {
      this.#failed(error);
    }
    medium.touches = new Touches();
  }

  /** What code of the exploration throws is a violation. */
  async #noting(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#failed(error);
    }
    this.medium.isOutside = false;
    this.medium.isTimer = false;
  }

  #failed(error: unknown): void {
    if (!(error instanceof OwnCodeFailed)) throw error;
    this.violation ??= this.#checks.invariants.failedItself(error);
  }

  /** Actors whose handlers wait for a promise, and what they are at. */
  #suspended(): readonly (readonly [Cell, number])[] {
    return this.world.machines
      .flatMap(({ node }) => [...node.living()])
      .filter(({ flags }) => (flags & cellFlag.suspended) !== 0)
      .map((cell) => [cell, cell.flags] as const);
  }

  /** @returns the transition that set the timer */
  #goOff(index: number): number {
    const { medium, world } = this;
    const timer = medium.timers.take(index);
    medium.touches.shared(`clock of ${index}`, true);
    medium.touches.changed("time");
    world.nowMs = Math.max(world.nowMs, medium.timers.timeOf(index));
    medium.isTimer = index >= 0;
    medium.isOutside = index < 0;
    if (index < 0) medium.touches.changed(outsideTimers);
    timer?.callback?.();
    medium.isTimer = false;
    medium.isOutside = false;
    return timer?.madeBy ?? -1;
  }

  #come(process: string, alternative: Alternative, waiting: Waiting): void {
    const { world, medium } = this;
    const { what } = waiting;
    if (alternative === "lose") {
      this.#left.losses--;
      if (what.kind === "packet") world.recorder?.lost(what.packet, "lost on its way");
      return;
    }
    if (alternative === "repeat" && what.kind === "packet") {
      this.#left.repeats--;
      const { packet } = what;
      const copy = packet instanceof AnswerPacket ? packet : packet.copy();
      world.recorder?.copied(packet, copy);
      medium.again(process, { what: { kind: "packet", packet: copy }, madeBy: medium.at, pair: waiting.pair });
    }
    switch (what.kind) {
      case "message": {
        const node = what.cell.node as ExploredNode;
        medium.touchCell(what.cell);
        if (!node.isDead) node.arrive(what.cell, what.envelope, what.from);
        return;
      }
      case "answer":
        medium.touchCellOf(what.resumption.asker);
        world.come(what.resumption);
        return;
      case "act":
        what.act();
        return;
      case "packet":
        this.#arrive(what.packet);
    }
  }

  #arrive(packet: Extract<Waiting["what"], { kind: "packet" }>["packet"]): void {
    const { world, medium } = this;
    const { target } = packet;
    if (!target.isUp) {
      medium.touches.machine(target.index);
      world.recorder?.lost(packet, `${target.name} is down`);
    } else if (packet instanceof AnswerPacket) {
      medium.touchCellOf(packet.asker);
      world.answered(packet);
    } else {
      const cell = world.arrivalOf(packet);
      if (cell === undefined) {
        medium.touches.machine(target.index);
        world.recorder?.lost(packet, "its receiver is gone");
        target.node.deadLetter(packet.to.label, packet, "lost");
      } else {
        medium.touchCell(cell);
        if (!target.node.arrive(cell, packet)) world.recorder?.lost(packet, "its mailbox is full");
      }
    }
  }

  /** Has actors do what they have to do before anything else may come: make their states, take what they had put aside. */
  async #goOn(isOfTimer = false): Promise<void> {
    const { world, medium } = this;
    for (let row = 0; row < inRowMax && this.violation === undefined; row++) {
      const resumption = world.nextResumption();
      if (resumption !== undefined) {
        // What was answered within a machine comes when it comes; what came from elsewhere, or by a timer, is here.
        if (isOfTimer || world.isArrived(resumption)) {
          medium.touchCellOf(resumption.asker);
          world.continue(resumption);
          // oxlint-disable-next-line no-await-in-loop -- one after the other
          await this.#settle();
        } else medium.answered(resumption);
        continue;
      }
      const cell = medium.readyCells.shift();
      if (cell === undefined) return;
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await this.#handle(cell);
    }
  }

  async #handle(cell: Cell): Promise<void> {
    if ((cell.node as ExploredNode).isDead) return;
    this.medium.touchCell(cell);
    this.world.handle(cell);
    await this.#settle();
  }

  async #settle(): Promise<void> {
    const { world } = this;
    if (world.isUnsettled) {
      world.isUnsettled = false;
      turn.cell = world.continuing;
      await soon();
      turn.cell = undefined;
      world.isUnsettled = false;
    }
    world.recorder?.ended();
    const { failure } = world;
    if (failure !== undefined && this.#exploration.options.mayFail !== true) {
      this.violation ??= this.#checks.invariants.failed(failure.actor, failure.message, failure.error);
    }
    this.#isChecked = true;
    this.violation ??= this.#checks.afterStep();
  }

  #crash(machine: WorldMachine): void {
    const { world, medium } = this;
    const { index } = machine;
    medium.touches.machine(index);
    world.step++;
    world.recorder?.fault({ kind: "crash", line: machine.name, text: "" }, world.step, world.nowMs);
    const { life } = machine.node;
    medium.drop(machine.node);
    world.crash(machine, { keptWrites: 0, losesDisk: false });
    medium.timers.drop(index);
    medium.later(`detect ${life}`, () => world.detected(life));
    if (this.#exploration.options.faults?.crashes?.restartAfterMs === undefined) return;
    medium.later(`${restarting}${machine.name}`, () => {
      medium.touches.machine(index);
      world.step++;
      world.recorder?.fault({ kind: "restart", line: machine.name, text: "" }, world.step, world.nowMs);
      world.restart(machine);
      medium.isOutside = true;
      ownCode("`restarted`", () => this.#exploration.options.restarted?.(this.system, world, machine));
      medium.isOutside = false;
    });
  }
}
