import { setImmediate as soon } from "node:timers/promises";
import type { Cell } from "../../../../actors/system/cell.ts";
import { turn } from "../../../../actors/system/turn.ts";
import type { Exploration } from "../exploration.ts";
import type { ExploredNode } from "../explored-node.ts";
import { Invariants, type Violation } from "../invariants.ts";
import { AnswerPacket } from "../packet.ts";
import type { TraceRecorder } from "../trace-recorder.ts";
import { World } from "../world.ts";
import { ChoiceMedium, type Waiting } from "./choice-medium.ts";
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

/** One execution of an exploration, in which somebody chooses what is next. */
export class ChoiceRun<System> {
  readonly world: World;
  readonly medium: ChoiceMedium;
  violation: Violation | undefined;
  readonly #invariants: Invariants<System>;
  readonly #exploration: Exploration<System>;
  readonly #system: System;
  #left: { losses: number; repeats: number; crashes: number };

  private constructor(exploration: Exploration<System>, options: ChoiceRunOptions) {
    const { options: explored } = exploration;
    this.#exploration = exploration;
    this.#left = { ...options.budget };
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
    this.world.isHealed = true;
    this.world.recorder?.outside(0, 0);
    this.#system = explored.start(this.world);
    this.world.recorder?.ended();
    this.#invariants = new Invariants(explored, this.#system, this.world);
  }

  static async begin<System>(exploration: Exploration<System>, options: ChoiceRunOptions): Promise<ChoiceRun<System>> {
    const run = new ChoiceRun(exploration, options);
    await run.#goOn();
    return run;
  }

  /** What is left of the budget. */
  get left(): Budget {
    return this.#left;
  }

  /** Processes that could go on. */
  enabled(): string[] {
    return [...this.heads().keys()];
  }

  /** What each process that could go on would do first. */
  heads(): Map<string, object> {
    return this.violation === undefined ? this.medium.heads() : new Map<string, object>();
  }

  alternatives(process: string): readonly Alternative[] {
    const first = this.medium.waiting.get(process)?.[0];
    if (first === undefined && !process.startsWith("timer@")) return ["come"];
    const isPacket = first?.what.kind === "packet";
    const { losses, repeats, crashes } = this.#left;
    const machine = this.#machineOf(process, first);
    return [
      "come",
      ...(isPacket && losses > 0 ? (["lose"] as const) : []),
      ...(isPacket && repeats > 0 ? (["repeat"] as const) : []),
      ...(machine !== undefined && crashes > 0 && this.#mayCrash(machine) ? (["crash"] as const) : []),
    ];
  }

  /** Makes a transition, and all that follows from it without a choice. */
  async perform(process: string, alternative: Alternative, number: number): Promise<Transition> {
    const { medium } = this;
    medium.at = number;
    medium.touches = new Touches();
    const first = medium.waiting.get(process)?.[0];
    const madeBy = first?.madeBy ?? -1;
    if (alternative === "crash") this.#crash(this.#machineOf(process, first) as number);
    else if (process.startsWith("timer@")) {
      const index = Number(process.slice("timer@".length));
      const timer = medium.timers.take(index);
      medium.touches.shared(`clock of ${index}`, true);
      this.world.nowMs = Math.max(this.world.nowMs, medium.timers.timeOf(index));
      medium.isTimer = index >= 0;
      timer?.callback?.();
      medium.isTimer = false;
      await this.#goOn(true);
      return { process, alternative, touches: medium.touches, madeBy: timer?.madeBy ?? -1 };
    } else if (first !== undefined) this.#come(process, alternative, medium.take(process) as Waiting);
    await this.#goOn();
    return { process, alternative, touches: medium.touches, madeBy };
  }

  /** Nothing is left to do. */
  finish(): void {
    this.violation ??= this.#invariants.atEnd("nothing was left to do");
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
      medium.again(process, { what: { kind: "packet", packet: copy }, madeBy: medium.at });
    }
    switch (what.kind) {
      case "message": {
        const node = what.cell.node as ExploredNode;
        if (!node.isDead) node.put(what.cell, what.envelope, what.from);
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
        target.node.put(cell, packet);
      }
    }
  }

  /** Has actors do what they have to do before anything else may come: make their states, take what they had put aside. */
  async #goOn(isOfTimer = false): Promise<void> {
    const { world, medium } = this;
    for (let row = 0; row < inRowMax && this.violation === undefined; row++) {
      const resumption = world.resumptions.shift();
      if (resumption !== undefined) {
        // What was answered within a machine comes when it comes; what came from elsewhere, or by a timer, is here.
        if (isOfTimer || world.isArrived(resumption)) {
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
      this.violation ??= this.#invariants.failed(failure.actor, failure.message, failure.error);
    }
    this.violation ??= this.#invariants.afterStep();
  }

  #crash(index: number): void {
    const { world, medium } = this;
    const machine = world.machines[index];
    if (machine === undefined) return;
    this.#left.crashes--;
    medium.touches.machine(index);
    world.step++;
    world.recorder?.fault({ kind: "crash", line: machine.name, text: "" }, world.step, world.nowMs);
    const { life } = machine.node;
    world.crash(machine, { keptWrites: 0, losesDisk: false });
    medium.timers.drop(index);
    medium.later(`detect ${life}`, () => world.detected(life));
    if (this.#exploration.options.faults?.crashes?.restartAfterMs === undefined) return;
    medium.later(`restart ${machine.name}`, () => {
      medium.touches.machine(index);
      world.step++;
      world.recorder?.fault({ kind: "restart", line: machine.name, text: "" }, world.step, world.nowMs);
      world.restart(machine);
      this.#exploration.options.restarted?.(this.#system, world, machine);
    });
  }

  #mayCrash(index: number): boolean {
    const machine = this.world.machines[index];
    const named = this.#exploration.options.faults?.crashes?.machines;
    return machine?.isUp === true && (named === undefined || named.includes(machine.name));
  }

  #machineOf(process: string, first: Waiting | undefined): number | undefined {
    if (process.startsWith("timer@")) {
      const index = Number(process.slice("timer@".length));
      return index < 0 ? undefined : index;
    }
    if (first === undefined || first.what.kind === "act") return undefined;
    if (first.what.kind === "packet") return first.what.packet.target.index;
    const cell = this.medium.receiverOf(first);
    return cell === undefined ? undefined : (cell.node as ExploredNode).machine.index;
  }
}
