import { QStreamError } from "../../lib/core/errors.ts";
import { cellFlag, type Cell } from "./cell.ts";
import type { Envelope } from "./envelope.ts";

/** How far senders that wait may have gone beyond a mailbox's limit within their turn. */
const beyondMax = 100_000;

/**
 * What comes while a mailbox is full: the sender waits after its turn, or it is dropped, or refused.
 *
 * @returns true if the message is to be put in nevertheless
 * @throws QStreamError MAILBOX_FULL
 */
export function holdSender(cell: Cell, envelope: Envelope, from: Cell | undefined): boolean {
  switch (cell.extras?.full ?? cell.definition.mailbox.full ?? "wait") {
    case "drop":
      cell.node.deadLetter(cell.label, envelope, "mailbox-full");
      return false;
    case "fail":
      throw mailboxFull(cell);
    case "wait":
      if (cell.waiting >= cell.limit + beyondMax) throw mailboxFull(cell);
      // Who waits for itself, or for one that waits for it, would wait forever.
      if (from !== undefined && from.node === cell.node && !waitsFor(cell, from)) {
        (cell.more().waiters ??= new Set()).add(from);
        from.more().waitsFor = cell;
        from.flags |= cellFlag.held;
      }
      return true;
  }
}

/** A mailbox has room again: those that waited for it go on. */
export function releaseSenders(cell: Cell): void {
  const { extras } = cell;
  const waiters = extras?.waiters;
  if (extras?.room !== undefined) {
    extras.room();
    extras.room = undefined;
  }
  if (waiters === undefined || waiters.size === 0) return;
  const released = [...waiters];
  waiters.clear();
  for (const waiter of released) {
    if (waiter.extras !== undefined) waiter.extras.waitsFor = undefined;
    waiter.flags &= ~cellFlag.held;
    waiter.node.wake(waiter);
  }
}

function waitsFor(cell: Cell | undefined, other: Cell): boolean {
  for (let each = cell; each !== undefined; each = each.extras?.waitsFor) if (each === other) return true;
  return false;
}

function mailboxFull(cell: Cell): QStreamError {
  return new QStreamError(
    "MAILBOX_FULL",
    `${cell.waiting} messages wait for ${cell.label}, whose limit is ${cell.limit}`,
    {
      advice: "Send slower, ask so that answers pace you, or spread the work over more actors",
    },
  );
}
