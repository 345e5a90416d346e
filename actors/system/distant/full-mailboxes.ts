import { QStreamError } from "../../../lib/core/errors.ts";
import type { Clock } from "../../../lib/core/seam/clock.ts";
import { cellFlag, type Cell } from "../cell.ts";
import type { Reference } from "../reference.ts";
import type { NodeMessages, NodeService } from "./node-link.ts";
import { release } from "./outgoing.ts";

interface FullMailbox {
  readonly actor: Reference;
  readonly how: "wait" | "fail";
}

// Two that wait for each other's mailboxes would wait forever: each goes on for a turn after this time.
export const heldMs = 50;

/** Mailboxes of other nodes that are full, which those who send to them are told; and those of this node, of which others are told. */
export class FullMailboxes {
  readonly #messages: NodeMessages;
  readonly #clock: Clock;
  readonly #full = new Map<string, { readonly life: number; readonly how: "wait" | "fail" }>();
  /** Actors that wait for room elsewhere. */
  readonly #held = new Set<Cell>();
  readonly #told = new Map<Cell, Set<number>>();
  #cancel: (() => void) | undefined;

  constructor(messages: NodeMessages, clock: Clock) {
    this.#messages = messages;
    this.#clock = clock;
  }

  /**
   * Somebody is going to send to an actor elsewhere.
   *
   * @throws QStreamError MAILBOX_FULL
   */
  check(to: Reference, from: Cell | undefined): void {
    if (this.#full.size === 0) return;
    const full = this.#full.get(to.key);
    if (full === undefined) return;
    if (full.how === "fail") throw noRoom(to);
    // Others may wait for its own mailbox: it goes on, so that they do.
    if (from === undefined || from.waiting >= from.limit) return;
    from.flags |= cellFlag.held;
    this.#held.add(from);
    this.#cancel ??= this.#clock.after(heldMs, () => this.#goOn());
  }

  /** Something came for an actor of this node: if its mailbox is full now, who sent it is told. */
  look(cell: Cell | undefined, from: number): void {
    if (cell === undefined || cell.waiting < cell.limit) return;
    const how = cell.extras?.full ?? cell.definition.mailbox.full ?? "wait";
    if (how === "drop") return;
    let told = this.#told.get(cell);
    if (told === undefined) {
      this.#told.set(cell, (told = new Set()));
      const extras = cell.more();
      // Who takes from the mailbox looks for those that wait.
      extras.waiters ??= new Set();
      extras.room = () => this.#room(cell);
    }
    if (told.has(from)) return;
    told.add(from);
    this.#messages.tellNode(from, "mailbox-full", { actor: cell.self, how }, false);
  }

  /** True if somebody in a node sends to an actor of this one that has no room. */
  isFullFor(life: number): boolean {
    for (const lives of this.#told.values()) if (lives.has(life)) return true;
    return false;
  }

  lost(life: number): void {
    for (const [key, full] of this.#full) if (full.life === life) this.#full.delete(key);
    for (const told of this.#told.values()) told.delete(life);
  }

  close(): void {
    this.#cancel?.();
    this.#goOn();
  }

  readonly services: Readonly<Record<string, NodeService>> = {
    "mailbox-full": ({ actor, how }: FullMailbox, life) => void this.#full.set(actor.key, { life, how }),
    "mailbox-room": (actor: Reference) => {
      this.#full.delete(actor.key);
      if (this.#full.size === 0) this.#goOn();
    },
  };

  #room(cell: Cell): void {
    const told = this.#told.get(cell);
    this.#told.delete(cell);
    for (const life of told ?? []) this.#messages.tellNode(life, "mailbox-room", cell.self, false);
  }

  #goOn(): void {
    this.#cancel = undefined;
    release(this.#held);
  }
}

function noRoom(to: Reference): QStreamError {
  return new QStreamError("MAILBOX_FULL", `the mailbox of ${to.label} has no room`, {
    advice: "Send slower, ask so that answers pace you, or spread the work over more actors",
  });
}
