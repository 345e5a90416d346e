import { cellFlag, type Cell } from "../../../../actors/system/cell.ts";
import { EntityReference } from "../../../../actors/system/entities.ts";
import type { Envelope } from "../../../../actors/system/envelope.ts";
import type { ReadyCells } from "../../../../actors/system/node-parts.ts";
import { Reference } from "../../../../actors/system/reference.ts";
import type { ExploredNode } from "../explored-node.ts";
import type { WorldMachine } from "../machine.ts";
import type { Medium } from "../medium.ts";
import { AnswerPacket, Packet, type AnyPacket } from "../packet.ts";
import type { Resumption, World } from "../world.ts";
import { MachineTimers } from "./machine-timers.ts";
import { Touches } from "./touches.ts";

/** Something that waits to happen, and the transition that made it; -1 for what there was from the start. */
export interface Waiting {
  readonly what:
    | { readonly kind: "message"; readonly cell: Cell; readonly envelope: Envelope; readonly from: Cell | undefined }
    | { readonly kind: "packet"; readonly packet: Packet | AnswerPacket }
    | { readonly kind: "answer"; readonly resumption: Resumption }
    | { readonly kind: "act"; readonly act: () => void };
  readonly madeBy: number;
}

const cannotTake = cellFlag.suspended | cellFlag.backingOff | cellFlag.held;

/**
 * Nothing comes by itself: messages wait, in the order of each pair of actors, and so do timers, in the order of each machine. Whoever
 * explores says what is next.
 */
export class ChoiceMedium implements Medium {
  /** What waits, by the process that does it: one for each pair of actors, or for each message where these overtake. */
  readonly waiting = new Map<string, Waiting[]>();
  readonly timers: MachineTimers;
  /** Cells that have something to do by themselves. */
  readonly readyCells: Cell[] = [];
  readonly ready: ReadyCells;
  touches = new Touches();
  /** Number of the transition that is made now. */
  at = -1;
  isTimer = false;
  readonly #world: World;
  readonly #overtakes: boolean;
  #count = 0;

  constructor(world: World, overtakes: boolean) {
    this.#world = world;
    this.#overtakes = overtakes;
    this.timers = new MachineTimers();
    const cells = this.readyCells;
    this.ready = {
      push: (cell) => {
        cells.push(cell);
        this.touchCell(cell);
      },
      take: () => cells.shift(),
      get isEmpty() {
        return cells.length === 0;
      },
    };
  }

  timeOf(machine: WorldMachine): number {
    this.touches.shared(`clock of ${machine.index}`, false);
    return this.timers.timeOf(machine.index);
  }

  after(machine: WorldMachine | undefined, delayMs: number, callback: () => void): () => void {
    if (delayMs === Infinity) return () => {};
    const index = machine?.index ?? -1;
    this.touches.shared(`clock of ${index}`, false);
    const cancel = this.timers.add(index, delayMs, this.at, callback);
    return () => {
      this.touches.shared(`clock of ${index}`, false);
      cancel();
    };
  }

  deliver(node: ExploredNode, cell: Cell, envelope: Envelope, from: Cell | undefined): void {
    this.#world.recorder?.sentHere(cell, envelope, from, this.isTimer);
    if (this.isTimer && envelope.sender === cell.self) {
      this.touchCell(cell);
      node.put(cell, envelope, from);
    } else this.#wait(`${keyOf(from)}>${keyOf(cell)}`, { kind: "message", cell, envelope, from });
  }

  send(packet: AnyPacket): void {
    if (packet instanceof Packet) {
      this.#world.messages++;
      this.#world.freeze(packet.payload);
      this.#world.recorder?.sentAway(packet);
      const to = packet.to.cell === undefined ? `${packet.target.name}/${packet.to.label}` : keyOf(packet.to.cell);
      this.#wait(`${keyOf(packet.fromCell)}>${to}`, { kind: "packet", packet });
    } else if (packet instanceof AnswerPacket) {
      this.#world.messages++;
      this.#world.freeze(packet.value);
      this.#world.recorder?.sentAway(packet);
      this.#wait(`${keyOf(packet.fromCell)}>${keyOf(packet.asker)}`, { kind: "packet", packet });
    } else {
      this.#wait(`nodes ${packet.from.name}>${packet.target.name}`, {
        kind: "act",
        act: () => {
          if (packet.about?.cell === undefined) this.touches.machine(packet.target.index);
          else this.touchCell(packet.about.cell);
          packet.act();
        },
      });
    }
  }

  *inFlight(): Iterable<Packet> {
    for (const queue of this.waiting.values()) {
      for (const { what } of queue) if (what.kind === "packet" && what.packet instanceof Packet) yield what.packet;
    }
  }

  /** Has something wait that is no message. */
  later(process: string, act: () => void): void {
    this.#wait(process, { kind: "act", act });
  }

  /** A question was answered within its machine. */
  answered(resumption: Resumption): void {
    this.#wait(`answer>${keyOf(resumption.asker)}`, { kind: "answer", resumption });
  }

  again(process: string, waiting: Waiting): void {
    this.waiting.set(`${process} again ${++this.#count}`, [waiting]);
  }

  touchCell(cell: Cell): void {
    this.touches.cell(keyOf(cell), (cell.node as ExploredNode).machine.index);
  }

  touchCellOf(cell: Cell | undefined): void {
    if (cell === undefined) this.touches.shared("outside", true);
    else this.touchCell(cell);
  }

  touched(what: string): void {
    this.touches.shared(what, true);
  }

  /** Processes that could go on and what each would do first, in an order that the run so far decides. */
  heads(): Map<string, object> {
    const found = new Map<string, object>();
    for (const [process, [first]] of this.waiting) {
      if (first !== undefined && this.#canBeTaken(first)) found.set(process, first);
    }
    for (const [index, first] of this.timers.firsts()) {
      if (index === -1 || this.#world.machines[index]?.isUp === true) found.set(`timer@${index}`, first);
    }
    return found;
  }

  /** Takes what a process does next. */
  take(process: string): Waiting | undefined {
    const queue = this.waiting.get(process);
    const first = queue?.shift();
    if (queue?.length === 0) this.waiting.delete(process);
    return first;
  }

  /** Who gets something that waits; undefined for nobody, or who is gone. */
  receiverOf({ what }: Waiting): Cell | undefined {
    switch (what.kind) {
      case "message":
        return what.cell;
      case "answer":
        return what.resumption.asker;
      case "act":
        return undefined;
      case "packet": {
        const { packet } = what;
        if (packet instanceof AnswerPacket) return packet.asker;
        return packet.to instanceof EntityReference ? undefined : this.#world.cellOf(packet.to);
      }
    }
  }

  #canBeTaken(waiting: Waiting): boolean {
    if (waiting.what.kind === "answer") return true;
    if (waiting.what.kind === "packet" && waiting.what.packet instanceof AnswerPacket) return true;
    const cell = this.receiverOf(waiting);
    return cell === undefined || (cell.flags & cannotTake) === 0;
  }

  #wait(process: string, what: Waiting["what"]): void {
    const name = this.#overtakes && what.kind !== "act" ? `${process}#${++this.#count}` : process;
    const queue = this.waiting.get(name);
    const waiting = { what, madeBy: this.at };
    if (queue === undefined) this.waiting.set(name, [waiting]);
    else queue.push(waiting);
  }
}

/** The same for an actor in all runs: residents by their names, others by their machines and numbers. */
export function keyOf(cell: Cell | undefined): string {
  if (cell === undefined) return "outside";
  const { name } = (cell.node as ExploredNode).machine;
  return `${name}/${cell.self instanceof Reference ? cell.self.label : cell.label}`;
}
