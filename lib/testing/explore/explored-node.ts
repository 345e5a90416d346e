import { givenUp, timedOut } from "../../../actors/system/asks.ts";
import type { Cell } from "../../../actors/system/cell.ts";
import { EntityReference } from "../../../actors/system/entities.ts";
import { Envelope } from "../../../actors/system/envelope.ts";
import { ActorNode } from "../../../actors/system/node.ts";
import type { Reference } from "../../../actors/system/reference.ts";
import { checkAskOptions } from "../../core/check-actor-options.ts";
import { defaultAskMs } from "../../core/contracts/actor-options.ts";
import type { DefinedActor } from "../../core/actor-definition.ts";
import type { AskOptions, SpawnOptions } from "../../core/contracts/actor.ts";
import { QStreamError } from "../../core/errors.ts";
import type { Random } from "../../core/seam/random.ts";
import type { NodeParts } from "../../../actors/system/node-parts.ts";
import type { WorldMachine } from "./machine.ts";
import { PendingAsk } from "./pending-ask.ts";
import type { World } from "./world.ts";

/** The actors of one life of a simulated machine. */
export class ExploredNode extends ActorNode {
  readonly machine: WorldMachine;
  readonly #world: World;
  readonly #drawn = new WeakMap<Cell, number>();
  /** True once its machine has crashed: what is left of it does nothing any more. */
  isDead = false;

  constructor(world: World, machine: WorldMachine, parts: NodeParts) {
    super(parts);
    this.#world = world;
    this.machine = machine;
  }

  override deliver(cell: Cell, envelope: Envelope, from?: Cell): void {
    this.#world.medium.looked?.(`machine ${this.machine.index}`);
    if (this.isDead) return;
    this.#world.freeze(envelope.payload);
    this.#world.medium.deliver(this, cell, envelope, from);
  }

  override randomOf(cell: Cell): Random {
    const random = super.randomOf(cell);
    return () => {
      this.#drawn.set(cell, this.drawnBy(cell) + 1);
      return random();
    };
  }

  /** How many numbers an actor has drawn. */
  drawnBy(cell: Cell): number {
    return this.#drawn.get(cell) ?? 0;
  }

  override locate(reference: Reference): Cell | undefined {
    const cell = super.locate(reference);
    if (cell !== undefined) this.#world.medium.touchedActor?.(cell);
    return cell;
  }

  override wake(cell: Cell): void {
    this.#world.medium.touchedActor?.(cell);
    super.wake(cell);
  }

  override forget(cell: Cell): void {
    const { medium } = this.#world;
    medium.touchedActor?.(cell);
    if (cell.parent !== undefined) medium.touchedActor?.(cell.parent);
    super.forget(cell);
  }

  override make(definition: DefinedActor, args: unknown, options: SpawnOptions, parent?: Cell, id?: number): Cell {
    this.#world.medium.touched?.(`actors of ${this.machine.index}`);
    return super.make(definition, args, options, parent, id);
  }

  /** Puts a message into a mailbox, for who can be refused. */
  put(cell: Cell, envelope: Envelope, from?: Cell): void {
    super.deliver(cell, envelope, from);
  }

  /** The same for what has come, which nobody can be refused: where there is no room it is a dead letter. False if so. */
  arrive(cell: Cell, envelope: Envelope, from?: Cell): boolean {
    try {
      super.deliver(cell, envelope, from);
      return true;
    } catch (error) {
      if (!(error instanceof QStreamError) || error.code !== "MAILBOX_FULL") throw error;
      this.deadLetter(cell.label, envelope, "mailbox-full");
      return false;
    }
  }

  override ask(
    to: Reference,
    name: string,
    payload: unknown,
    options: AskOptions | undefined,
    from: Cell | undefined,
  ): Promise<unknown> {
    const world = this.#world;
    const what = `"${name}" of ${to.label}`;
    return new Promise((resolve, reject) => {
      if (options !== undefined) checkAskOptions(name, to, options);
      const pending = new PendingAsk(world, this, { asker: from, what, targetLife: to.life }, { resolve, reject });
      this.#limit(pending, options);
      if (pending.isOver) return;
      try {
        this.#send(to, new Envelope(name, payload, from?.self, pending), from, pending);
      } catch (error) {
        pending.refuse(error instanceof Error ? error : new Error(String(error)));
      }
    });
  }

  #limit(pending: PendingAsk, options: AskOptions | undefined): void {
    const { timeoutMs = defaultAskMs, signal } = options ?? {};
    if (timeoutMs !== Infinity) {
      pending.cancelTimeout = this.clock.after(timeoutMs, () => {
        pending.refuse(timedOut(pending.what, timeoutMs));
      });
    }
    if (signal === undefined) return;
    const abort = (): void => {
      pending.refuse(givenUp(pending.what, signal));
    };
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
    pending.forgetSignal = () => signal.removeEventListener("abort", abort);
  }

  #send(to: Reference, envelope: Envelope, from: Cell | undefined, reply: PendingAsk): void {
    const { cell } = to;
    if (cell !== undefined && cell.node === this) this.deliver(cell, envelope, from);
    else if (!(to instanceof EntityReference && this.entities.deliver(to, envelope, from))) {
      this.distant?.ask(to, envelope.name, envelope.payload, from, reply);
    }
  }
}
