import type { Cell } from "../../../actors/system/cell.ts";
import type { DistantActors } from "../../../actors/system/node-parts.ts";
import type { ReplyTo } from "../../../actors/system/envelope.ts";
import { Reference } from "../../../actors/system/reference.ts";
import type { DefinedActor } from "../../core/actor-definition.ts";
import type { AnyReference, Ended, SpawnOptions, StopOptions } from "../../core/contracts/actor.ts";
import type { ExploredNode } from "./explored-node.ts";
import type { WorldMachine } from "./machine.ts";
import { ControlPacket, Packet } from "./packet.ts";
import { RemoteReply } from "./remote-reply.ts";
import type { World } from "./world.ts";

/** How the actors of one machine reach those of the others: by the simulated network. */
export class WorldLinks implements DistantActors {
  readonly #world: World;
  readonly #machine: WorldMachine;
  readonly #isDead: () => boolean;

  constructor(world: World, machine: WorldMachine, isDead: () => boolean) {
    this.#world = world;
    this.#machine = machine;
    this.#isDead = isDead;
  }

  tell(to: Reference, name: string, payload: unknown, from: Cell | undefined, sender?: AnyReference): void {
    this.#send(to, { name, payload, reply: undefined }, from, sender);
  }

  ask(
    to: Reference,
    name: string,
    payload: unknown,
    from: Cell | undefined,
    reply: ReplyTo,
    sender?: AnyReference,
  ): void {
    const world = this.#world;
    const target = world.machineOf(to);
    if (reply instanceof RemoteReply) {
      this.#send(to, { name, payload, reply: reply.handedTo(target) }, from, sender);
      return;
    }
    // What is handed on is answered to who asked first.
    const asker = sender instanceof Reference ? sender.cell : from;
    const machine = (asker?.node as ExploredNode | undefined)?.machine ?? this.#machine;
    const asking = { machine, asker, what: `"${name}" of ${to.label}`, reply };
    this.#send(to, { name, payload, reply: new RemoteReply(world, asking, target) }, from, sender);
  }

  /** The actor's children on other machines end. */
  ended(cell: Cell): void {
    for (const child of cell.extras?.distant?.values() ?? []) if (child instanceof Reference) this.stop(child);
  }

  restarted(cell: Cell): void {
    this.ended(cell);
    cell.extras?.distant?.clear();
  }

  stop(actor: Reference, options?: StopOptions): void {
    const target = this.#world.machineOf(actor);
    this.#world.medium.send(
      new ControlPacket(this.#to(target), undefined, `stop ${actor.key} ${options?.afterMail === true}`, () => {
        const cell = this.#world.cellOf(actor);
        if (cell !== undefined) cell.node.stop(cell.self, options);
      }),
    );
  }

  spawn(
    definition: DefinedActor,
    args: unknown,
    options: SpawnOptions,
    parent: Cell | undefined,
  ): AnyReference | undefined {
    const { place } = options;
    if (place?.kind !== "near" || !(place.actor instanceof Reference)) return undefined;
    const target = this.#world.machineOf(place.actor);
    if (target === this.#machine || !target.isUp) return undefined;
    const made = target.node.make(definition, args, options).self;
    if (parent !== undefined) (parent.more().distant ??= new Map()).set((made as Reference).key, made);
    return made;
  }

  watch(watcher: Reference, actor: Reference): void {
    const world = this.#world;
    const target = world.machineOf(actor);
    const cell = world.cellOf(actor);
    if (!world.watches.begin(watcher, actor)) return;
    world.medium.send(
      new ControlPacket(this.#to(target), actor, `watch ${textOf(actor, cell)} ${watcher.key}`, () => {
        if (cell !== undefined && !(cell.node as ExploredNode).isDead) cell.node.watches.addWatcher(cell, watcher);
      }),
    );
  }

  unwatch(watcher: Reference, actor: Reference): void {
    const target = this.#world.machineOf(actor);
    const cell = this.#world.cellOf(actor);
    this.#world.watches.end(watcher, actor);
    this.#world.medium.send(
      new ControlPacket(this.#to(target), actor, `unwatch ${textOf(actor, cell)} ${watcher.key}`, () => {
        cell?.extras?.watchers?.delete(watcher.key);
      }),
    );
  }

  tellEnd(watcher: Reference, ended: Ended): void {
    const target = this.#world.machineOf(watcher);
    const { actor, reason, error } = ended;
    const text = `end ${(actor as Reference).key} ${reason} ${error?.message ?? ""} ${watcher.key}`;
    this.#world.medium.send(
      new ControlPacket(this.#to(target), watcher, text, () => {
        if (watcher.cell !== undefined) watcher.cell.node.watches.told(watcher.cell, ended);
      }),
    );
  }

  #to(target: WorldMachine): { readonly from: WorldMachine; readonly target: WorldMachine } {
    return { from: this.#machine, target };
  }

  #send(
    to: Reference,
    content: { readonly name: string; readonly payload: unknown; readonly reply: ReplyTo | undefined },
    from: Cell | undefined,
    sender: AnyReference | undefined,
  ): void {
    if (this.#isDead()) return;
    const target = this.#world.machineOf(to);
    this.#world.medium.send(new Packet(to, content, from, this.#machine, target, sender));
  }
}

/** An actor, and which life of it. */
function textOf({ key }: Reference, cell: Cell | undefined): string {
  return `${key} ${cell?.node.life ?? ""}`;
}
