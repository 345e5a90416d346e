import { cellFlag, type Cell } from "../../../actors/system/cell.ts";
import { EntityReference } from "../../../actors/system/entities.ts";
import type { ActorEvent } from "../../../actors/system/node-parts.ts";
import type { Reference } from "../../../actors/system/reference.ts";
import type { LocalTopics } from "../../../actors/system/topics.ts";
import { turn } from "../../../actors/system/turn.ts";
import { definedActor, type DefinedActor } from "../../core/actor-definition.ts";
import type { ActorDefinition, ActorReference, AnyReference } from "../../core/contracts/actor.ts";
import { deepFreeze } from "../../core/deep-freeze.ts";
import { QStreamError } from "../../core/errors.ts";
import { hashString } from "../../core/hash.ts";
import { keyedRandom, type Random } from "../../core/seam/random.ts";
import type { ExploredSpawnOptions, ExploredSpawnRest, ExploredWorld, MessageInFlight } from "./exploration.ts";
import { ExploredNode } from "./explored-node.ts";
import { WorldLinks } from "./links.ts";
import { WorldMachine, MachineClock, type Resident } from "./machine.ts";
import type { Medium } from "./medium.ts";
import { ownCode } from "./own-code.ts";
import { Packet, type AnswerPacket } from "./packet.ts";
import { watching } from "./step-notes.ts";
import type { TraceRecorder } from "./trace-recorder.ts";
import { ResidentReference } from "./resident.ts";
import { WorldWatches } from "./world-watches.ts";
import { WorldNames, WorldTopics, type Subscribers } from "./world-names.ts";

/** A question that was settled: its asker's code goes on. */
export interface Resumption {
  readonly asker: Cell | undefined;
  readonly settle: () => void;
  readonly what: string;
  readonly value: unknown;
}

export interface WorldOptions {
  readonly seed: number;
  readonly machines: number | readonly string[] | undefined;
  readonly isStrict: boolean;
  readonly recorder: TraceRecorder | undefined;
}

/** Machines with their actors, in this thread. What comes when is the medium's. */
export class World implements ExploredWorld {
  readonly seed: number;
  readonly isStrict: boolean;
  readonly recorder: TraceRecorder | undefined;
  readonly machines: WorldMachine[] = [];
  readonly names: WorldNames;
  readonly medium: Medium;
  readonly watches = new WorldWatches(this);
  isHealed = false;
  /** An actor's failure, until somebody has looked. */
  failure: Extract<ActorEvent, { kind: "actor-failed" }> | undefined = undefined;
  deadLetters = 0;
  messages = 0;
  handled = 0;
  /** Promises may have to be gone on with. */
  isUnsettled = false;
  /** Whose code goes on with them. */
  continuing: Cell | undefined = undefined;
  readonly resumptions: Resumption[] = [];
  readonly #subscribers: Subscribers = new Map();
  readonly #ownMachines: boolean;
  readonly #random: Random;
  /** What has come to its asker; by which packet, where that is on another machine. */
  readonly #arrived = new WeakMap<Resumption, AnswerPacket | undefined>();
  readonly #kinds = new Map<string, number>();
  readonly #notes = watching.notes;
  #lives = 0;
  #nowMs = 0;
  #step = 0;

  constructor(options: WorldOptions, makeMedium: (world: World) => Medium) {
    const { seed, machines } = options;
    this.seed = seed;
    this.isStrict = options.isStrict;
    this.recorder = options.recorder;
    this.names = new WorldNames((isLookedUp) => {
      this.medium.touched?.("names");
      if (isLookedUp) this.isUnsettled = true;
    });
    this.#random = keyedRandom(seed, 2);
    this.medium = makeMedium(this);
    this.#ownMachines = machines === undefined;
    const names =
      typeof machines === "number" ? Array.from({ length: machines }, (_, index) => `machine-${index}`) : machines;
    for (const name of names ?? []) this.addMachine(name);
  }

  get nowMs(): number {
    this.medium.looked?.("time");
    return this.#nowMs;
  }

  set nowMs(nowMs: number) {
    this.#nowMs = nowMs;
  }

  get step(): number {
    this.medium.looked?.("step");
    return this.#step;
  }

  set step(step: number) {
    this.#step = step;
  }

  addMachine(name: string): WorldMachine {
    this.medium.touched?.("machines");
    const machine = new WorldMachine(this, this.machines.length, name);
    this.machines.push(machine);
    return machine;
  }

  /** A life of a machine. */
  makeNode(machine: WorldMachine): ExploredNode {
    const life = ++this.#lives;
    const isDead = (): boolean => node.isDead;
    const node: ExploredNode = new ExploredNode(this, machine, {
      life,
      clock: new MachineClock(this, machine, isDead),
      seed: this.seed,
      schedule: () => {},
      event: (event) => this.#noted(event),
      ready: this.medium.ready,
      distant: new WorldLinks(this, machine, isDead),
      names: this.names,
      topics: (local) => this.#topicsOf(local, machine, () => node),
      isHome: (entity) => {
        if (this.machineOf(entity) !== machine) return false;
        this.medium.looked?.(entity);
        return true;
      },
      observer: { timer: (cell, id, request) => this.medium.timing?.(cell, id, request) },
    });
    return node;
  }

  spawn<P, Args>(definition: ActorDefinition<P, Args>, ...rest: ExploredSpawnRest<Args>): ActorReference<P> {
    const [args, options = {}] = rest as [unknown, ExploredSpawnOptions?];
    const { name, mailbox, supervise } = options;
    refuseDurable(definedActor(definition));
    this.medium.touched?.("actors that were started");
    const label = name ?? this.#labelOf(definition.kind);
    const machine = (options.machine as WorldMachine | undefined) ?? this.#machineFor(label);
    const reference = new ResidentReference(machine.node, definition.kind, label);
    const resident = { reference, definition: definedActor(definition), args, name, mailbox, supervise };
    machine.residents.push(resident);
    if (machine.isUp) this.startResident(machine, resident);
    return reference as unknown as ActorReference<P>;
  }

  startResident(machine: WorldMachine, { reference, definition, args, name, mailbox, supervise }: Resident): void {
    const options = {
      ...(mailbox === undefined ? {} : { mailbox }),
      ...(supervise === undefined ? {} : { supervise }),
    };
    const cell = machine.node.make(definition, args, options);
    cell.addressAs(reference);
    reference.leadTo(cell);
    if (name !== undefined) this.names.claim(name, reference);
    cell.more().name = reference.label;
  }

  state<State>(actor: AnyReference): State | undefined {
    this.medium.looked?.(actor as unknown as Reference);
    const { cell } = actor as unknown as Reference;
    if (cell === undefined) return this.cellOf(actor as unknown as Reference)?.state as State | undefined;
    return (cell.node as ExploredNode).isDead ? undefined : (cell.state as State | undefined);
  }

  *states<State>(definition: ActorDefinition<unknown, never>): IterableIterator<State> {
    this.medium.looked?.(`kind ${definition.kind}`);
    for (const machine of this.machines) {
      if (!machine.isUp) continue;
      for (const cell of machine.node.living()) {
        if (cell.definition === definedActor(definition) && cell.state !== undefined) yield cell.state as State;
      }
    }
  }

  isAlive(actor: AnyReference): boolean {
    this.medium.looked?.(actor as unknown as Reference);
    const cell = this.cellOf(actor as unknown as Reference);
    return cell !== undefined && (cell.flags & cellFlag.ended) === 0;
  }

  inFlight(): readonly MessageInFlight[] {
    this.medium.looked?.("messages");
    const found: MessageInFlight[] = [];
    for (const { sender, to, name, payload } of this.medium.inFlight()) found.push({ from: sender, to, name, payload });
    for (const machine of this.machines) {
      if (!machine.isUp) continue;
      for (const cell of machine.node.living()) {
        for (let each = cell.head; each !== undefined; each = each.next) {
          found.push({ from: each.sender, to: cell.self, name: each.name, payload: each.payload });
        }
      }
    }
    return found;
  }

  after(delayMs: number, action: () => void): void {
    this.medium.after(undefined, delayMs, () => {
      this.#step++;
      this.recorder?.outside(this.#step, this.#nowMs);
      ownCode("what world.after does", action);
      this.recorder?.ended();
    });
  }

  random(): number {
    this.medium.touched?.("random");
    return this.#random();
  }

  note(text: string): void {
    this.recorder?.note(text);
  }

  /** What is sent is read-only from then on. */
  freeze(payload: unknown): void {
    if (this.isStrict && typeof payload === "object" && payload !== null && !Object.isFrozen(payload))
      deepFreeze(payload);
  }

  /** Hands a cell its next message, or the end of somebody that it watches, or has it make its state. */
  handle(cell: Cell): void {
    const node = cell.node as ExploredNode;
    const { machine } = node;
    const isMessage = (cell.flags & (cellFlag.starting | cellFlag.control)) === 0;
    const envelope = isMessage ? cell.head : undefined;
    if (envelope !== undefined) this.handled++;
    if (envelope instanceof Packet && envelope.depth > machine.depth) machine.depth = envelope.depth;
    this.#step++;
    this.#notes?.write(this.seed, this.#step, `${cell.label} handles ${envelope?.name ?? "its start, or an end"}`);
    this.recorder?.began(cell, envelope, this.#step, this.#nowMs);
    node.step(cell);
    if ((cell.flags & cellFlag.suspended) !== 0) this.isUnsettled = true;
    this.continuing = cell;
  }

  /** Lets a question's asker go on. */
  continue(resumption: Resumption): void {
    const { asker, settle, what } = resumption;
    this.#step++;
    this.handled++;
    this.#notes?.write(this.seed, this.#step, `${asker?.label ?? "somebody outside"} goes on with ${what}`);
    this.recorder?.resumed(resumption, this.#arrived.get(resumption), this.#step, this.#nowMs);
    this.continuing = asker;
    this.isUnsettled = true;
    turn.cell = asker;
    settle();
    turn.cell = undefined;
  }

  resume(resumption: Resumption): void {
    this.resumptions.push(resumption);
  }

  /** Whose code goes on next: nobody's whose machine has crashed; whose machine stands still goes on afterwards. */
  nextResumption(): Resumption | undefined {
    for (;;) {
      const resumption = this.resumptions.shift();
      const node = resumption?.asker?.node as ExploredNode | undefined;
      if (resumption === undefined || node === undefined) return resumption;
      if (node.isDead) continue;
      if (node.machine.pausedUntil === 0) return resumption;
      node.machine.held.push(resumption);
    }
  }

  /** An answer has come to its machine. */
  answered(packet: AnswerPacket): void {
    if (packet.depth > packet.target.depth) packet.target.depth = packet.depth;
    const before = this.resumptions.length;
    packet.settle();
    if (this.resumptions.length === before) this.recorder?.lost(packet, "nobody waits for it");
    for (const each of this.resumptions.slice(before)) this.#arrived.set(each, packet);
  }

  /** What settles a question has come: its asker goes on next. */
  come(resumption: Resumption): void {
    this.#arrived.set(resumption, undefined);
    this.resumptions.push(resumption);
  }

  /** True if what settles a question has come to its asker. */
  isArrived(resumption: Resumption): boolean {
    return this.#arrived.has(resumption);
  }

  /** Who gets a message that has come to its machine; undefined where nobody is there. */
  arrivalOf({ to, target }: Packet): Cell | undefined {
    return to instanceof EntityReference ? target.node.entities.here(to) : this.cellOf(to);
  }

  crash(machine: WorldMachine, how: { readonly keptWrites: number; readonly losesDisk: boolean }): void {
    const { node, disk } = machine;
    machine.down();
    node.isDead = true;
    for (const cell of node.living()) if ((cell.extras?.topics?.size ?? 0) > 0) this.medium.touched?.("topics");
    machine.asks.clear();
    machine.waiting.length = 0;
    machine.held.length = 0;
    machine.pausedUntil = 0;
    this.names.lost(node);
    disk.crash(how.keptWrites);
    if (how.losesDisk) disk.wipe();
  }

  restart(machine: WorldMachine): void {
    // Which life it has is told to nobody, but its random numbers and its loss are those of that life.
    this.medium.touched?.("lives");
    this.medium.touched?.(`life ${machine.node.life}`);
    machine.again(this.makeNode(machine));
    this.medium.touched?.(`life ${machine.node.life}`);
    for (const resident of machine.residents) this.startResident(machine, resident);
  }

  /** The loss of a life is known now: to those who watch its actors, and who wait for their answers. */
  detected(life: number): void {
    this.watches.lost(life);
    for (const machine of this.machines) {
      for (const ask of machine.asks) {
        if (ask.targetLife === life)
          ask.refuse(new QStreamError("ACTOR_STOPPED", `${ask.what} went down with its machine`));
      }
    }
  }

  /** What no machine has alone, as a text: names, topics, watches, and which lives there were. */
  sharedText(): string {
    const keyOf = (actor: AnyReference): string => (actor as Reference).key;
    return JSON.stringify([
      this.#lives,
      [...this.#kinds],
      [...this.names.list()].map(([name, actor]) => [name, keyOf(actor)]),
      [...this.#subscribers].map(([topic, cells]) => [
        topic,
        [...cells].map(([{ self, node }, name]) => [keyOf(self), node.life, name]),
      ]),
      this.watches.text(),
    ]);
  }

  machineOf(reference: Reference): WorldMachine {
    if (reference.cell !== undefined) return (reference.cell.node as ExploredNode).machine;
    return this.machines[hashString(reference.key) % this.machines.length] as WorldMachine;
  }

  /** The cell that a reference leads to; undefined where there is none any more. */
  cellOf(reference: Reference): Cell | undefined {
    const cell =
      reference instanceof EntityReference
        ? this.machineOf(reference).node.entities.get(reference.key)
        : reference.cell;
    return cell === undefined || (cell.node as ExploredNode).isDead ? undefined : cell;
  }

  #topicsOf(local: LocalTopics, machine: WorldMachine, nodeOf: () => ExploredNode): WorldTopics {
    const touched = (): void => this.medium.touched?.("topics");
    return new WorldTopics(this.#subscribers, local, touched, (cell, name, payload, from) => {
      const target = cell.node as ExploredNode;
      if (target === nodeOf() || target.isDead) return;
      const content = { name, payload, reply: undefined };
      this.medium.send(new Packet(cell.self as Reference, content, from, machine, target.machine));
    });
  }

  #machineFor(label: string): WorldMachine {
    return this.#ownMachines ? this.addMachine(label) : (this.machines[0] as WorldMachine);
  }

  #labelOf(kind: string): string {
    const count = (this.#kinds.get(kind) ?? 0) + 1;
    this.#kinds.set(kind, count);
    return `${kind}-${count}`;
  }

  #noted(event: ActorEvent): void {
    if (event.kind === "actor-failed") this.failure ??= event;
    if (event.kind !== "dead-letter") return;
    this.deadLetters++;
    // A name that is misspelt: what is tried isn't what was meant.
    if (event.why === "no-handler") this.failure ??= unhandled(event.to, event.message);
  }
}

function unhandled(actor: string, message: string): Extract<ActorEvent, { kind: "actor-failed" }> {
  const error = new QStreamError("MESSAGE_UNHANDLED", `${actor} has no handler for "${message}"`);
  return { kind: "actor-failed", actor, message, error, action: "resume" };
}

/** Simulated machines have disks, and no store of durable actors. */
function refuseDurable({ kind, durable }: DefinedActor): void {
  if (durable === undefined) return;
  throw new QStreamError("ACTOR_INVALID", `the actor "${kind}" is durable, and an exploration has no store for it`, {
    advice: "Explore it without `durable`, and keep what has to outlive a crash on `machine.disk`",
  });
}
