import type { Cell } from "../../../actors/system/cell.ts";
import { EntityReference } from "../../../actors/system/entities.ts";
import { Envelope } from "../../../actors/system/envelope.ts";
import { ActorNode } from "../../../actors/system/node.ts";
import type { Reference } from "../../../actors/system/reference.ts";
import { defaultAskMs } from "../../core/contracts/actor-options.ts";
import type { DefinedActor } from "../../core/actor-definition.ts";
import type { AskOptions, SpawnOptions } from "../../core/contracts/actor.ts";
import { QStreamError } from "../../core/errors.ts";
import type { NodeParts } from "../../../actors/system/node-parts.ts";
import type { WorldMachine } from "./machine.ts";
import { PendingAsk } from "./pending-ask.ts";
import type { World } from "./world.ts";

/** The actors of one life of a simulated machine. */
export class ExploredNode extends ActorNode {
  readonly machine: WorldMachine;
  readonly #world: World;
  /** True once its machine has crashed: what is left of it does nothing any more. */
  isDead = false;

  constructor(world: World, machine: WorldMachine, parts: NodeParts) {
    super(parts);
    this.#world = world;
    this.machine = machine;
  }

  override deliver(cell: Cell, envelope: Envelope, from?: Cell): void {
    if (this.isDead) return;
    this.#world.freeze(envelope.payload);
    this.#world.medium.deliver(this, cell, envelope, from);
  }

  override make(definition: DefinedActor, args: unknown, options: SpawnOptions, parent?: Cell, id?: number): Cell {
    this.#world.medium.touched?.(`actors of ${this.machine.index}`);
    return super.make(definition, args, options, parent, id);
  }

  /** Puts a message into a mailbox. */
  put(cell: Cell, envelope: Envelope, from?: Cell): void {
    super.deliver(cell, envelope, from);
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
      const pending = new PendingAsk(world, this, { asker: from, what, targetLife: to.life }, { resolve, reject });
      this.#limit(pending, options);
      if (!pending.isOver) this.#send(to, new Envelope(name, payload, from?.self, pending), from, pending);
    });
  }

  #limit(pending: PendingAsk, options: AskOptions | undefined): void {
    const { timeoutMs = defaultAskMs, signal } = options ?? {};
    if (timeoutMs !== Infinity) {
      pending.cancelTimeout = this.clock.after(timeoutMs, () => {
        pending.refuse(
          new QStreamError("ASK_TIMEOUT", `${pending.what} had no answer within ${timeoutMs} ms`, {
            advice: "It may be busy, gone, or behind a machine that is: ask again, or with a longer `timeoutMs`",
          }),
        );
      });
    }
    if (signal === undefined) return;
    const abort = (): void => {
      pending.refuse(new QStreamError("ABORTED", `${pending.what} was given up`, { cause: signal.reason }));
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
