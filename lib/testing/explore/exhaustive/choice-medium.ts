import { cellFlag, type Cell } from "../../../../actors/system/cell.ts";
import { EntityReference } from "../../../../actors/system/entities.ts";
import type { Envelope } from "../../../../actors/system/envelope.ts";
import type { ReadyCells } from "../../../../actors/system/node-parts.ts";
import type { TimerRequest } from "../../../../actors/system/actor-timers.ts";
import type { Reference } from "../../../../actors/system/reference.ts";
import type { ExploredNode } from "../explored-node.ts";
import type { WorldMachine } from "../machine.ts";
import type { Medium } from "../medium.ts";
import { AnswerPacket, Packet, type AnyPacket } from "../packet.ts";
import type { Resumption, World } from "../world.ts";
import { keyOf, keyOfReference } from "./actor-key.ts";
import { MachineTimers } from "./machine-timers.ts";
import { Touches } from "./touches.ts";

/** What is to be done from outside, by the name that touches have for it. */
export const outsideTimers = "timers from outside";

/** Something that waits to happen, and the transition that made it; -1 for what there was from the start. */
export interface Waiting {
  readonly what:
    | { readonly kind: "message"; readonly cell: Cell; readonly envelope: Envelope; readonly from: Cell | undefined }
    | { readonly kind: "packet"; readonly packet: Packet | AnswerPacket }
    | { readonly kind: "answer"; readonly resumption: Resumption }
    | { readonly kind: "act"; readonly act: () => void; readonly text: string };
  readonly madeBy: number;
  /** From whom to whom: those of one pair come in their order, unless they overtake. */
  readonly pair: string;
}

/** A timer of an actor. */
export class ActorTimerSet {
  readonly cell: Cell;
  readonly id: number;
  readonly request: TimerRequest;

  constructor(cell: Cell, id: number, request: TimerRequest) {
    this.cell = cell;
    this.id = id;
    this.request = request;
  }
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
  /** True while code of the exploration runs, and no actor's. */
  isOutside = false;
  /** What of the time anybody has asked for so far: of states that differ in nothing else, these say whether they are the same. */
  readonly asked = new Set<"clock" | "time" | "step">();
  /** How many numbers were drawn outside of actors. */
  drawn = 0;
  readonly overtakes: boolean;
  readonly #world: World;
  #looking: Set<string> | undefined;
  #timer: ActorTimerSet | undefined;
  #count = 0;

  constructor(world: World, overtakes: boolean) {
    this.#world = world;
    this.overtakes = overtakes;
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
    this.asked.add("clock");
    this.touches.shared(`clock of ${machine.index}`, false);
    return this.timers.timeOf(machine.index);
  }

  after(machine: WorldMachine | undefined, delayMs: number, callback: () => void): () => void {
    const about = this.#timer;
    this.#timer = undefined;
    if (delayMs === Infinity) return () => {};
    const index = machine?.index ?? -1;
    this.touches.shared(`clock of ${index}`, false);
    // Of those that are due at the same time the first one that was set goes off first.
    this.touches.shared(`timers of ${index} at ${this.timers.timeOf(index) + delayMs}`, true);
    if (index < 0) this.touches.changed(outsideTimers);
    const cancel = this.timers.add(index, delayMs, { madeBy: this.at, about }, callback);
    return () => {
      this.touches.shared(`clock of ${index}`, false);
      cancel();
    };
  }

  timing(cell: Cell, id: number, request: TimerRequest): void {
    this.#timer = new ActorTimerSet(cell, id, request);
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
        text: packet.text,
        act: () => {
          if (packet.about?.cell === undefined) this.touches.machine(packet.target.index);
          else this.touchCell(packet.about.cell);
          packet.act();
        },
      });
    }
  }

  *inFlight(): ReturnType<Medium["inFlight"]> & Generator {
    for (const queue of this.waiting.values()) {
      for (const { what } of queue) {
        if (what.kind === "packet" && what.packet instanceof Packet)
          yield { ...partsOf(what.packet), to: what.packet.to };
        else if (what.kind === "message") yield { ...partsOf(what.envelope), to: what.cell.self };
      }
    }
  }

  /** Has something wait that is no message. */
  later(process: string, act: () => void): void {
    this.#wait(process, { kind: "act", act, text: "" });
  }

  /** A life of a machine has ended: what waits within it comes to nobody. */
  drop(node: ExploredNode): void {
    for (const [process, queue] of this.waiting) {
      const left = queue.filter(({ what }) => !isWithin(what, node));
      if (left.length === 0) this.waiting.delete(process);
      else if (left.length < queue.length) this.waiting.set(process, left);
    }
  }

  /** A question was answered within its machine. */
  answered(resumption: Resumption): void {
    this.#wait(`answer>${keyOf(resumption.asker)}`, { kind: "answer", resumption });
  }

  again(process: string, waiting: Waiting): void {
    this.waiting.set(`${process} again ${++this.#count}`, [waiting]);
  }

  /**
   * Looks at something from outside of actors.
   *
   * @returns what of the world was looked at, by name
   */
  lookingAt(look: () => void): ReadonlySet<string> {
    const names = new Set(["machines"]);
    this.#looking = names;
    try {
      look();
    } finally {
      this.#looking = undefined;
    }
    return names;
  }

  looked(at: Reference | string): void {
    const looking = this.#looking;
    if (at === "time" || at === "step") {
      // The world's own code asks for them, too.
      if (looking === undefined && !this.isOutside) return;
      this.asked.add(at);
    }
    const names = typeof at === "string" ? [at] : this.#namesOf(at);
    if (looking === undefined) this.touches.lookedAt(names);
    else for (const name of names) looking.add(name);
  }

  touchCell(cell: Cell): void {
    this.touches.cell(keyOf(cell), (cell.node as ExploredNode).machine.index, cell.definition.kind);
  }

  touchedActor(cell: Cell): void {
    this.touchCell(cell);
  }

  touchCellOf(cell: Cell | undefined): void {
    if (cell === undefined) this.touches.shared("outside", true);
    else this.touchCell(cell);
  }

  touched(what: string, isChanged = true): void {
    if (what === "random") this.drawn++;
    if (this.#looking === undefined) this.touches.shared(what, isChanged);
    else this.#looking.add(what);
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

  /** Answers that were given within a machine, and haven't come. */
  answers(): readonly Resumption[] {
    return [...this.waiting.values()].flat().flatMap(({ what }) => (what.kind === "answer" ? [what.resumption] : []));
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

  #namesOf(reference: Reference): readonly string[] {
    return [`actor ${keyOfReference(reference, this.#world)}`, `machine ${this.#world.machineOf(reference).index}`];
  }

  #wait(pair: string, what: Waiting["what"]): void {
    const waiting = { what, madeBy: this.at, pair };
    if (this.overtakes && what.kind !== "act") {
      this.waiting.set(`${pair}#${++this.#count}`, [waiting]);
      return;
    }
    // What was sent first comes first, whoever sent it.
    this.touches.shared(`sent by ${pair}`, true);
    const queue = this.waiting.get(pair);
    if (queue === undefined) this.waiting.set(pair, [waiting]);
    else queue.push(waiting);
  }
}

function partsOf({ name, payload, sender }: Envelope): Pick<Envelope, "name" | "payload" | "sender"> {
  return { name, payload, sender };
}

function isWithin(what: Waiting["what"], node: ExploredNode): boolean {
  if (what.kind === "message") return what.cell.node === node;
  return what.kind === "answer" && what.resumption.asker?.node === node;
}
