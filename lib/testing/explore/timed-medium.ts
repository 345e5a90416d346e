import type { Cell } from "../../../actors/system/cell.ts";
import type { Envelope } from "../../../actors/system/envelope.ts";
import { seededRandom, seedOf, type Random } from "../../core/seam/random.ts";
import { Cuts } from "./cuts.ts";
import { DrawnReady } from "./drawn-ready.ts";
import { EventHeap } from "./event-heap.ts";
import type { ExploredNode } from "./explored-node.ts";
import type { FaultPlan } from "./faults.ts";
import type { WorldMachine } from "./machine.ts";
import type { Medium } from "./medium.ts";
import { AnswerPacket, Packet, type AnyPacket } from "./packet.ts";
import type { World } from "./world.ts";

/** What of a seed's draws is kept when it is run again; all unless told. */
export interface Kept {
  /** Faults by their ids; others don't strike. */
  readonly faults?: ReadonlySet<string>;
  /** Messages by their numbers that take as long as was drawn; others take the least time. Cells take turns in order, too. */
  readonly delays?: ReadonlySet<number>;
}

/** Something that a machine's clock, or the world's, has to do. */
export class TimedEvent {
  readonly machine: WorldMachine | undefined;
  callback: (() => void) | undefined;

  constructor(machine: WorldMachine | undefined, callback: () => void) {
    this.machine = machine;
    this.callback = callback;
  }
}

// Messages that may not overtake are this far apart, in milliseconds; and timers of one time go off within as little.
const gapMs = 1e-6;
const jitterMs = 1e-3;
// What may not get lost tries again while machines don't reach each other.
const retryMs = 10;

/** Messages that take their time, timers that go off at theirs, and a network that loses, repeats and reorders. */
export class TimedMedium implements Medium {
  readonly ready: DrawnReady;
  readonly cuts = new Cuts();
  /** True while a timer goes off. */
  isTimer = false;
  readonly #world: World;
  readonly #kept: Kept;
  readonly #heap = new EventHeap<TimedEvent | AnyPacket>(
    (event) => event instanceof TimedEvent && event.callback === undefined,
  );
  readonly #random: Random;
  readonly #fates: Random;
  readonly #struck: string[] = [];
  #plan: FaultPlan | undefined;

  constructor(world: World, kept: Kept) {
    this.#world = world;
    this.#kept = kept;
    this.#random = seededRandom(seedOf(world.seed, 4));
    this.#fates = seededRandom(seedOf(world.seed, 5));
    this.ready = new DrawnReady(kept.delays === undefined ? seededRandom(seedOf(world.seed, 6)) : undefined);
  }

  /** Ids of faults that struck. */
  get struck(): readonly string[] {
    return this.#struck;
  }

  get hasEvents(): boolean {
    return this.#heap.nextAt < Infinity;
  }

  begin(plan: FaultPlan): void {
    this.#plan = plan;
  }

  strike(id: string): void {
    this.#struck.push(id);
  }

  timeOf(): number {
    return this.#world.nowMs;
  }

  after(machine: WorldMachine | undefined, delayMs: number, callback: () => void): () => void {
    const event = new TimedEvent(machine, callback);
    if (delayMs === Infinity) return () => {};
    this.#heap.add(this.#world.nowMs + delayMs + this.#random() * jitterMs, event);
    return () => {
      if (event.callback === undefined) return;
      event.callback = undefined;
      this.#heap.cancelled();
    };
  }

  deliver(node: ExploredNode, cell: Cell, envelope: Envelope, from: Cell | undefined): void {
    this.#world.recorder?.sentHere(cell, envelope, from, this.isTimer);
    node.put(cell, envelope, from);
  }

  send(packet: AnyPacket): void {
    const world = this.#world;
    const plan = this.#plan;
    const delayDraw = this.#fates();
    const fateDraw = this.#fates();
    const isOrdered = plan?.reorder !== true;
    if (!(packet instanceof Packet || packet instanceof AnswerPacket)) {
      this.#put(packet, this.#due(packet, this.#drawnDelay(delayDraw), isOrdered));
      return;
    }
    const number = ++world.messages;
    world.freeze(packet instanceof Packet ? packet.payload : packet.value);
    world.recorder?.sentAway(packet);
    if (plan === undefined) {
      this.#put(packet, this.#due(packet, this.#delayOf(number, delayDraw), isOrdered));
      return;
    }
    const fault = this.#fateOf(fateDraw, plan, number);
    if (fault === "loss") {
      world.recorder?.lost(packet, "lost on its way");
      return;
    }
    if (this.cuts.size > 0 && this.cuts.separate(packet.from, packet.target)) {
      world.recorder?.lost(packet, "partition");
      return;
    }
    this.#put(packet, this.#due(packet, this.#delayOf(number, delayDraw), isOrdered));
    if (fault !== "duplicate") return;
    const copy = packet instanceof Packet ? packet.copy() : packet;
    world.recorder?.copied(packet, copy);
    const again = (fateDraw * 7919) % 1;
    this.#put(copy, this.#due(copy, this.#delayOf(number, again), isOrdered));
  }

  *inFlight(): Iterable<Packet> {
    for (const event of this.#heap.all()) if (event instanceof Packet) yield event;
  }

  /** Lets time pass until something has been done. False if there is nothing to do any more. */
  pass(): boolean {
    const heap = this.#heap;
    const world = this.#world;
    const at = heap.nextAt;
    const event = heap.take();
    if (event === undefined) return false;
    if (!(event instanceof TimedEvent)) {
      if (at > world.nowMs) world.nowMs = at;
      this.#arrived(event);
      return true;
    }
    const { callback, machine } = event;
    if (callback === undefined) return true;
    if (at > world.nowMs) world.nowMs = at;
    if (machine !== undefined && machine.pausedUntil > world.nowMs) {
      heap.add(machine.pausedUntil, event);
      return true;
    }
    event.callback = undefined;
    this.isTimer = machine !== undefined;
    callback();
    this.isTimer = false;
    return true;
  }

  #fateOf(draw: number, plan: FaultPlan, number: number): "loss" | "duplicate" | undefined {
    if (draw >= plan.loss + plan.duplicate || this.#world.isHealed) return undefined;
    const id = `m${number}`;
    const { faults } = this.#kept;
    if (faults !== undefined && !faults.has(id)) return undefined;
    this.#struck.push(id);
    return draw < plan.loss ? "loss" : "duplicate";
  }

  #delayOf(number: number, draw: number): number {
    const { delays } = this.#kept;
    return delays === undefined || delays.has(number) ? this.#drawnDelay(draw) : (this.#plan?.delayMs[0] ?? 0);
  }

  #drawnDelay(draw: number): number {
    const [least, most] = this.#plan?.delayMs ?? [0, 0];
    switch (this.#plan?.delayShape) {
      case 2:
        return least + (most - least) * draw * draw;
      case 4:
        return least + (most - least) * draw ** 4;
      default:
        return least + (most - least) * draw;
    }
  }

  #due({ from, target }: AnyPacket, delayMs: number, isOrdered: boolean): number {
    const at = this.#world.nowMs + delayMs;
    if (!isOrdered) return at;
    const last = from.lastDue[target.index] ?? 0;
    return (from.lastDue[target.index] = at > last ? at : last + gapMs);
  }

  #put(packet: AnyPacket, at: number): void {
    this.#heap.add(at, packet);
  }

  #arrived(packet: AnyPacket): void {
    const world = this.#world;
    const { target } = packet;
    const isCut = this.cuts.size > 0 && this.cuts.separate(packet.from, target);
    if (!(packet instanceof Packet || packet instanceof AnswerPacket)) {
      if (isCut) this.#put(packet, world.nowMs + retryMs);
      else packet.act();
      return;
    }
    if (isCut || !target.isUp) {
      world.recorder?.lost(packet, isCut ? "partition" : `${target.name} is down`);
      return;
    }
    if (packet instanceof AnswerPacket) {
      world.answered(packet);
      return;
    }
    const { to } = packet;
    const cell = world.arrivalOf(packet);
    if (cell === undefined) {
      world.recorder?.lost(packet, "its receiver is gone");
      target.node.deadLetter(to.label, packet, "lost");
    } else if (!target.node.arrive(cell, packet)) world.recorder?.lost(packet, "its mailbox is full");
  }
}
