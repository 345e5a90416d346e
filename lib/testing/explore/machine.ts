import type { Cell } from "../../../actors/system/cell.ts";
import type { DefinedActor } from "../../core/actor-definition.ts";
import type { MailboxOptions, Supervision } from "../../core/contracts/actor-options.ts";
import type { Clock } from "../../core/seam/clock.ts";
import type { ExploredMachine } from "./exploration.ts";
import type { ExploredNode } from "./explored-node.ts";
import { MachineDisk } from "./machine-disk.ts";
import type { PendingAsk } from "./pending-ask.ts";
import type { ResidentReference } from "./resident.ts";
import type { Resumption, World } from "./world.ts";

/** An actor that belongs to a machine, and is started again with it. */
export interface Resident {
  readonly reference: ResidentReference;
  readonly definition: DefinedActor;
  readonly args: unknown;
  /** Under which it is found. */
  readonly name: string | undefined;
  readonly mailbox: MailboxOptions | undefined;
  readonly supervise: Supervision | undefined;
}

/** A simulated machine: a node of actors that a crash ends, and a disk and residents that it doesn't. */
export class WorldMachine implements ExploredMachine {
  readonly index: number;
  readonly name: string;
  readonly disk: MachineDisk;
  readonly residents: Resident[] = [];
  node: ExploredNode;
  /** The longest chain of messages that led here. */
  depth = 0;
  /** How fast its clock runs, and how far it is ahead. */
  rate = 1;
  offsetMs = 0;
  /** Until when it stands still; 0 where it doesn't. */
  pausedUntil = 0;
  /** Cells that had something to do while it stood still. */
  readonly waiting: Cell[] = [];
  /** Whose code would have gone on while it stood still. */
  readonly held: Resumption[] = [];
  /** Questions that its actors wait for an answer to. */
  readonly asks = new Set<PendingAsk>();
  /** When the last message to each machine is due, for those that may not overtake. */
  readonly lastDue: number[] = [];

  readonly #world: World;
  #isUp = true;
  #restarts = 0;

  constructor(world: World, index: number, name: string) {
    this.#world = world;
    this.index = index;
    this.name = name;
    const touched = (isChanged: boolean): void => world.medium.touched?.(`disk of ${index}`, isChanged);
    this.disk = new MachineDisk(index, world.isStrict, touched);
    this.node = world.makeNode(this);
  }

  get isUp(): boolean {
    this.#world.medium.looked?.(`machine ${this.index}`);
    return this.#isUp;
  }

  get restarts(): number {
    this.#world.medium.looked?.(`machine ${this.index}`);
    return this.#restarts;
  }

  /** It has crashed. */
  down(): void {
    this.#isUp = false;
  }

  /** It goes on with another life. */
  again(node: ExploredNode): void {
    this.node = node;
    this.#isUp = true;
    this.#restarts++;
  }
}

// The first day of 2026: a date that looks like one.
const startAt = Date.UTC(2026, 0, 1);

/** The clock of one life of a machine. */
export class MachineClock implements Clock {
  readonly #world: World;
  readonly #machine: WorldMachine;
  readonly #isDead: () => boolean;

  constructor(world: World, machine: WorldMachine, isDead: () => boolean) {
    this.#world = world;
    this.#machine = machine;
    this.#isDead = isDead;
  }

  now(): number {
    return Math.floor(startAt + this.#machine.offsetMs + this.monotonic());
  }

  monotonic(): number {
    return this.#world.medium.timeOf(this.#machine) * this.#machine.rate;
  }

  after(delayMs: number, callback: () => void): () => void {
    return this.#world.medium.after(this.#machine, Math.max(0, delayMs) / this.#machine.rate, () => {
      if (!this.#isDead()) callback();
    });
  }

  soon(callback: () => void): void {
    this.after(0, callback);
  }
}
