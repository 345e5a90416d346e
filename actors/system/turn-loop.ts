import { cellFlag, type Cell } from "./cell.ts";
import { DeferredReply } from "./asks.ts";
import type { Envelope } from "./envelope.ts";
import { releaseSenders } from "./mailbox-room.ts";
import type { ActorNode } from "./node.ts";
import type { ReadyCells } from "./node-parts.ts";
import { turn } from "./turn.ts";

/** Messages that one actor handles before the next one has its turn. */
const mostInRow = 128;

/** Takes turns between the actors of a node, one message after the other. */
export class TurnLoop {
  readonly #node: ActorNode;
  readonly #ready: ReadyCells;
  #isAwaited = false;
  /** What the actor whose handler runs has been given. */
  envelope: Envelope | undefined = undefined;
  isUnanswered = false;

  constructor(node: ActorNode, ready: ReadyCells) {
    this.#node = node;
    this.#ready = ready;
  }

  get isEmpty(): boolean {
    return this.#ready.isEmpty;
  }

  push(cell: Cell): void {
    cell.flags |= cellFlag.ready;
    this.#ready.push(cell);
    if (this.#isAwaited) return;
    this.#isAwaited = true;
    this.#node.parts.schedule();
  }

  take(most = Infinity): boolean {
    // Whoever becomes ready from here on is taken within these turns, or asked for after them.
    this.#isAwaited = true;
    let left = most;
    while (left > 0) {
      const cell = this.#ready.take();
      if (cell === undefined) break;
      cell.flags &= ~cellFlag.ready;
      left -= this.#takeSome(cell, Math.min(left, mostInRow));
      if ((cell.flags & cellFlag.ready) === 0 && cell.hasWork) this.push(cell);
    }
    this.#isAwaited = !this.#ready.isEmpty;
    return this.#isAwaited;
  }

  /** For whoever chooses who is next: one message, or the first state. */
  step(cell: Cell): void {
    cell.flags &= ~cellFlag.ready;
    this.#isAwaited = true;
    this.#takeSome(cell, 1);
    if ((cell.flags & cellFlag.ready) === 0 && cell.hasWork) this.push(cell);
    this.#isAwaited = !this.#ready.isEmpty;
  }

  #takeSome(cell: Cell, most: number): number {
    let taken = 0;
    while (taken < most && cell.hasWork) {
      taken++;
      if ((cell.flags & (cellFlag.starting | cellFlag.control)) !== 0) {
        if ((cell.flags & cellFlag.starting) !== 0) this.#start(cell);
        else this.#tellEnd(cell);
        continue;
      }
      const envelope = cell.take();
      if (envelope === undefined) break;
      if (cell.extras?.waiters !== undefined && cell.waiting <= cell.limit >> 1) releaseSenders(cell);
      this.#handle(cell, envelope);
    }
    return taken;
  }

  #handle(cell: Cell, envelope: Envelope): void {
    const { name, reply } = envelope;
    if (reply?.isOver === true) return;
    const handler = cell.table[name];
    if (handler === undefined) {
      this.#node.deadLetter(cell.label, envelope, "no-handler");
      return;
    }
    this.#run(cell, envelope, () => handler(cell.state, envelope.payload, cell));
  }

  #start(cell: Cell): void {
    cell.flags &= ~cellFlag.starting;
    this.#run(cell, undefined, () => {
      const made = cell.definition.init(cell.args, cell);
      if (!(made instanceof Promise)) cell.state = made;
      else return made.then((state) => void (cell.state = state));
      return undefined;
    });
  }

  #tellEnd(cell: Cell): void {
    const ended = cell.extras?.ends?.shift();
    if ((cell.extras?.ends?.length ?? 0) === 0) cell.flags &= ~cellFlag.control;
    const { watched } = cell.definition;
    if (ended === undefined || watched === undefined) return;
    this.#run(cell, undefined, () => watched(cell.state, ended, cell));
  }

  /** Runs code of an actor, and sees to its answer, its failure and its end. */
  #run(cell: Cell, envelope: Envelope | undefined, code: () => unknown): void {
    const before = turn.cell;
    const { observer } = this.#node.parts;
    this.#node.metrics.handled++;
    cell.handled++;
    turn.cell = cell;
    this.envelope = envelope;
    this.isUnanswered = false;
    cell.flags |= cellFlag.running;
    observer?.before?.(cell, envelope);
    try {
      const result = code();
      if (result instanceof Promise) this.#suspend(cell, envelope, result);
      else this.#answer(envelope, result);
    } catch (error) {
      cell.flags &= ~cellFlag.running;
      this.#node.lifecycle.failed(cell, error, envelope);
    } finally {
      cell.flags &= ~cellFlag.running;
      turn.cell = before;
      this.envelope = undefined;
      observer?.after?.(cell, envelope);
    }
    if ((cell.flags & cellFlag.stopping) !== 0) this.#node.lifecycle.finish(cell);
  }

  #answer(envelope: Envelope | undefined, result: unknown): void {
    if (envelope?.reply === undefined || this.isUnanswered || result instanceof DeferredReply) return;
    envelope.reply.answer(result);
  }

  /** The actor takes no other message until the promise is settled. */
  #suspend(cell: Cell, envelope: Envelope | undefined, promise: Promise<unknown>): void {
    cell.flags |= cellFlag.suspended;
    if (envelope !== undefined) cell.more().handling = envelope;
    const isUnanswered = this.isUnanswered;
    const goOn = (): void => {
      cell.flags &= ~cellFlag.suspended;
      if (cell.extras !== undefined) delete cell.extras.handling;
    };
    const after = (): void => {
      if ((cell.flags & cellFlag.stopping) !== 0) this.#node.lifecycle.finish(cell);
      else this.#node.wake(cell);
    };
    promise.then(
      (result) => {
        goOn();
        if (!isUnanswered && !(result instanceof DeferredReply)) envelope?.reply?.answer(result);
        after();
      },
      (error: unknown) => {
        goOn();
        this.#node.lifecycle.failed(cell, error, envelope);
        after();
      },
    );
  }
}
