import { errorToData, QStreamError } from "../../../lib/core/errors.ts";
import type { Payload } from "../../../lib/core/payload.ts";
import type { Clock } from "../../../lib/core/seam/clock.ts";
import type { Cell } from "../cell.ts";
import { Envelope } from "../envelope.ts";
import type { ActorNode } from "../node.ts";
import type { AwaitedActors } from "./awaited-actors.ts";
import { decodeBatch, type ArrivedRow } from "./decode-batch.ts";
import type { DistantAsks } from "./distant-asks.ts";
import { heldMs, type FullMailboxes } from "./full-mailboxes.ts";
import type { Hosts } from "./hosts.ts";
import { isQuestion, rowKind } from "./message-rows.ts";
import { bindingTo, type Binder } from "./reference-codec.ts";
import type { Routes } from "./routes.ts";

interface ArrivalParts extends Binder {
  readonly node: ActorNode;
  readonly asks: DistantAsks;
  readonly full: FullMailboxes;
  readonly families: { readonly awaited: AwaitedActors };
  /** Does what another node asks of this one. */
  readonly serve: (name: string, payload: unknown, from: number) => unknown;
}

/** What comes from other nodes: each message to its actor, each answer to who asked. */
export class Arrivals {
  readonly #to: ArrivalParts;
  readonly #routes: Routes;
  readonly #hosts: Hosts;
  readonly #clock: Clock;
  /** Batches of nodes that are lost. */
  staleMessages = 0;
  #last: Cell | undefined;

  constructor(to: ArrivalParts, routes: Routes, hosts: Hosts, clock: Clock) {
    this.#to = to;
    this.#routes = routes;
    this.#hosts = hosts;
    this.#clock = clock;
  }

  /** A batch came from another node. What can't be read, or done, does no harm to the rest. */
  receive(from: number, { bytes, rows }: Payload, isBulk: boolean): void {
    if (this.#routes.isLost(from)) {
      this.staleMessages++;
      return;
    }
    try {
      bindingTo(this.#to, () => {
        const actors = decodeBatch(bytes, this.#to, (row) => this.#take(row, from));
        this.#hosts.counted(from, actors);
      });
    } catch (error) {
      this.#report(error);
    }
    this.#last = undefined;
    if (!isBulk) return;
    const took = (): void => this.#routes.took(from, rows, bytes.byteLength);
    // Until the news of a full mailbox are there, more would come for it.
    if (this.#to.full.isFullFor(from)) this.#clock.after(heldMs, took);
    else took();
  }

  /** Hands a message to an actor of this node, by its number. */
  deliver(id: number, envelope: Envelope, from: number): void {
    // Most often several for one follow each other. One that has ended meanwhile makes dead letters of them.
    const last = this.#last;
    const cell = last?.id === id ? last : this.#to.node.known(id);
    this.#last = cell;
    if (cell !== undefined) this.#deliverTo(cell, envelope, from);
    else this.#to.families.awaited.whenMade(id, () => this.#deliverMade(id, envelope, from));
  }

  #take(row: ArrivedRow, from: number): void {
    try {
      this.#arrived(row, from);
    } catch (error) {
      this.#report(error);
    }
  }

  #arrived(row: ArrivedRow, from: number): void {
    const { kind, name, payload, sender } = row;
    const { asks } = this.#to;
    switch (kind) {
      case rowKind.tell:
      case rowKind.ask:
        this.deliver(row.id, new Envelope(name, payload, sender, this.#replyTo(row, from)), from);
        return;
      case rowKind.entityTell:
      case rowKind.entityAsk:
        this.#deliverToEntity(row, new Envelope(name, payload, sender, this.#replyTo(row, from)), from);
        return;
      case rowKind.nodeTell:
        void this.#to.serve(name, payload, from);
        return;
      case rowKind.nodeAsk:
        void this.#answer(name, payload, row.ask, from);
        return;
      case rowKind.answer:
        asks.answered(row.id, payload);
        return;
      case rowKind.refusal:
        asks.refused(row.id, payload);
        return;
      case rowKind.nothing:
    }
  }

  #replyTo({ kind, name, ask }: ArrivedRow, from: number): Envelope["reply"] {
    return isQuestion(kind) ? this.#to.asks.serve(from, name, ask) : undefined;
  }

  #deliverMade(id: number, envelope: Envelope, from: number): void {
    const { node } = this.#to;
    const cell = node.known(id);
    if (cell === undefined) {
      const { label, error } = node.endedActors.get(id);
      node.deadLetter(label, envelope, "stopped", error);
    } else this.#deliverTo(cell, envelope, from);
  }

  #deliverTo(cell: Cell, envelope: Envelope, from: number): void {
    this.#to.node.offer(cell, envelope, undefined);
    if (cell.waiting >= cell.limit) this.#to.full.look(cell, from);
  }

  #deliverToEntity({ entityKind, entityKey }: ArrivedRow, envelope: Envelope, from: number): void {
    const { node, full } = this.#to;
    const to = this.#to.entity(entityKind, entityKey);
    try {
      if (!node.entities.deliver(to, envelope, undefined)) node.deadLetter(to.label, envelope, "unknown-actor");
    } catch (error) {
      if (!(error instanceof QStreamError) || error.code !== "MAILBOX_FULL") throw error;
      node.deadLetter(to.label, envelope, "mailbox-full");
    }
    full.look(node.entities.get(to.key), from);
  }

  async #answer(name: string, payload: unknown, ask: number, from: number): Promise<void> {
    try {
      const value = await this.#to.serve(name, payload, from);
      this.#routes.control(from, rowKind.answer, name, ask, value);
    } catch (error) {
      this.#routes.control(from, rowKind.refusal, name, ask, errorToData(error));
    }
  }

  #report(thrown: unknown): void {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    this.#to.node.event({ kind: "actor-failed", actor: "node", message: undefined, error, action: "resume" });
  }
}
