import { cellFlag, type Cell } from "./cell.ts";
import { DeferredReply } from "./asks.ts";
import { lastMailName, type Envelope, type ReplyTo } from "./envelope.ts";
import { releaseSenders } from "./mailbox-room.ts";
import type { ActorNode } from "./node.ts";
import type { Observer, ReadyCells } from "./node-parts.ts";
import { turn } from "./turn.ts";

/** Messages that one actor handles before the next one has its turn. */
const mostInRow = 128;

/** Takes turns between the actors of a node, one message after the other. */
export class TurnLoop {
  readonly #node: ActorNode;
  readonly #ready: ReadyCells;
  readonly #observer: Observer | undefined;
  #isAwaited = false;
  /** What the actor whose handler runs has been given. */
  envelope: Envelope | undefined = undefined;

  constructor(node: ActorNode, ready: ReadyCells) {
    this.#node = node;
    this.#ready = ready;
    this.#observer = node.parts.observer;
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
      if ((cell.flags & (cellFlag.starting | cellFlag.control)) === 0) this.#takeMessage(cell);
      else if ((cell.flags & cellFlag.starting) !== 0) this.#start(cell);
      else this.#tellEnd(cell);
    }
    return taken;
  }

  #takeMessage(cell: Cell): void {
    const envelope = cell.take();
    if (envelope === undefined) return;
    if (cell.extras?.waiters !== undefined && cell.waiting <= cell.limit >> 1) releaseSenders(cell);
    if (envelope.reply?.isOver === true) return;
    const handler = cell.table[envelope.name];
    if (handler === undefined) {
      if (envelope.name === lastMailName) this.#node.lifecycle.stop(cell);
      else this.#node.deadLetter(cell.label, envelope, "no-handler");
      return;
    }
    const before = this.#begin(cell, envelope);
    try {
      const result = handler(cell.state, envelope.payload, cell);
      if (result instanceof Promise) this.#suspend(cell, envelope, result);
      else if (envelope.reply !== undefined) answer(cell, envelope.reply, result);
    } catch (error) {
      this.#failed(cell, envelope, error);
    } finally {
      this.#end(cell, envelope, before);
    }
  }

  #start(cell: Cell): void {
    const before = this.#begin(cell, undefined);
    try {
      const state = cell.definition.init(cell.args, cell);
      if (state instanceof Promise)
        this.#suspend(
          cell,
          undefined,
          state.then((made) => begun(cell, made)),
        );
      else begun(cell, state);
    } catch (error) {
      this.#failed(cell, undefined, error);
    } finally {
      this.#end(cell, undefined, before);
    }
  }

  #tellEnd(cell: Cell): void {
    const ends = cell.extras?.ends;
    const ended = ends?.shift();
    if (ends === undefined || ends.length === 0) cell.flags &= ~cellFlag.control;
    const { watched } = cell.definition;
    if (ended === undefined || watched === undefined) return;
    const before = this.#begin(cell, undefined);
    try {
      const result = watched(cell.state, ended, cell);
      if (result instanceof Promise) this.#suspend(cell, undefined, result);
    } catch (error) {
      this.#failed(cell, undefined, error);
    } finally {
      this.#end(cell, undefined, before);
    }
  }

  /** Code of an actor is going to run. Gives whose code ran so far, for `#end`. */
  #begin(cell: Cell, envelope: Envelope | undefined): Cell | undefined {
    const before = turn.cell;
    this.#node.metrics.handled++;
    cell.handled++;
    turn.cell = cell;
    this.envelope = envelope;
    cell.flags |= cellFlag.running;
    this.#observer?.before?.(cell, envelope);
    return before;
  }

  #failed(cell: Cell, envelope: Envelope | undefined, error: unknown): void {
    cell.flags &= ~cellFlag.running;
    this.#node.lifecycle.failed(cell, error, envelope);
  }

  #end(cell: Cell, envelope: Envelope | undefined, before: Cell | undefined): void {
    cell.flags &= ~cellFlag.running;
    turn.cell = before;
    this.envelope = undefined;
    this.#observer?.after?.(cell, envelope);
    if ((cell.flags & cellFlag.stopping) !== 0) this.#node.lifecycle.finish(cell);
  }

  /** The actor takes no other message until the promise is settled. */
  #suspend(cell: Cell, envelope: Envelope | undefined, promise: Promise<unknown>): void {
    cell.flags |= cellFlag.suspended;
    if (envelope !== undefined) cell.more().handling = envelope;
    const goOn = (): void => {
      cell.flags &= ~cellFlag.suspended;
      if (cell.extras !== undefined) cell.extras.handling = undefined;
    };
    promise.then(
      (result) => {
        goOn();
        if (envelope?.reply !== undefined) answer(cell, envelope.reply, result);
        this.#node.lifecycle.settled(cell);
      },
      (error: unknown) => {
        goOn();
        this.#node.lifecycle.failed(cell, error, envelope);
        this.#node.lifecycle.settled(cell);
      },
    );
  }
}

/** An actor has its state. */
function begun(cell: Cell, state: unknown): void {
  cell.state = state;
  cell.flags &= ~cellFlag.starting;
}

/** What a handler returned is the answer, unless it put the message aside, handed it on, or answers later. */
function answer(cell: Cell, reply: ReplyTo, result: unknown): void {
  if (cell.extras?.asideAt !== cell.handled && !(result instanceof DeferredReply)) reply.answer(result);
}
