import type { SupervisionAction, SupervisionRule } from "../../lib/core/contracts/actor-options.ts";
import { errorToData, QStreamError } from "../../lib/core/errors.ts";
import { cellFlag, type Cell } from "./cell.ts";
import type { Envelope } from "./envelope.ts";
import { releaseSenders } from "./mailbox-room.ts";
import type { ActorNode } from "./node.ts";
import { refusePromised } from "./promised-answers.ts";
import { Refusal, RestartHistory, ruleFor } from "./supervising.ts";
import { detach, familyOf } from "./tree.ts";
import { turn } from "./turn.ts";

const unable = cellFlag.running | cellFlag.suspended;

/** How actors fail, are made anew, and end. */
export class Lifecycle {
  readonly #node: ActorNode;

  constructor(node: ActorNode) {
    this.#node = node;
  }

  /** A handler threw. Who asked is told, and the actor's supervision says what is done. */
  failed(cell: Cell, thrown: unknown, envelope: Envelope | undefined): void {
    const isRefusal = thrown instanceof Refusal;
    const error = isRefusal ? thrown.reason : errorOf(thrown);
    refuseAnswer(cell, envelope, error);
    if (isRefusal && envelope !== undefined) return;
    // A loop and no recursion: a failure may be escalated through a tree that is deep.
    let failing: Cell | undefined = cell;
    let cause = error;
    while (failing !== undefined) {
      const parent: Cell | undefined = this.#follow(failing, cause, failing === cell ? envelope?.name : undefined);
      if (parent === undefined) return;
      cause = escalated(failing, parent, cause);
      if (isPutOff(parent, cause)) return;
      failing = parent;
    }
  }

  /** A child elsewhere has failed, and an actor is to fail for it. */
  failedBelow(cell: Cell, cause: Error): void {
    if (!isPutOff(cell, cause)) this.failed(cell, cause, undefined);
  }

  /** What a handler waited for is settled: the actor goes on, or ends if it is to stop. */
  settled(cell: Cell): void {
    const failure = cell.extras?.escalated;
    if (cell.extras !== undefined) cell.extras.escalated = undefined;
    if (failure !== undefined) this.failed(cell, failure, undefined);
    if ((cell.flags & cellFlag.stopping) !== 0) this.finish(cell);
    else this.#node.wake(cell);
  }

  /** Does what supervision says. Gives the parent, if that has to fail. */
  #follow(cell: Cell, error: Error, message: string | undefined): Cell | undefined {
    this.#node.metrics.failed++;
    const { action, waitMs, why } = this.#decide(cell, error);
    this.#node.event({ kind: "actor-failed", actor: cell.label, message, error: why, action });
    if ((cell.flags & cellFlag.stopping) !== 0 || action === "resume") return undefined;
    if (action === "restart") {
      this.#restart(cell, waitMs, why);
      return undefined;
    }
    const { parent } = cell;
    cell.more().error = why;
    this.stop(cell);
    if (action !== "escalate" || parent !== this.#node.root) return action === "escalate" ? parent : undefined;
    this.#node.distant?.escalated?.(cell, why);
    return undefined;
  }

  #decide(cell: Cell, error: Error): { action: SupervisionAction; waitMs: number; why: Error } {
    let rule: SupervisionRule;
    try {
      rule = ruleFor(error, cell.extras?.supervise ?? cell.definition.supervise);
    } catch (thrown) {
      const what = `a supervision rule of ${cell.label} threw: ${errorOf(thrown).message}`;
      return { action: "stop", waitMs: 0, why: new QStreamError("ACTOR_FAILED", what, { cause: error }) };
    }
    // There is no state to go on with where it couldn't be made.
    const isStateless = (cell.flags & cellFlag.starting) !== 0;
    const action = rule.do === "resume" && isStateless ? "restart" : rule.do;
    if (action !== "restart") return { action, waitMs: 0, why: error };
    const history = (cell.more().restarted ??= new RestartHistory());
    const waitMs = history.next(rule, this.#node.clock.monotonic());
    return waitMs === undefined ? { action: "stop", waitMs: 0, why: error } : { action, waitMs, why: error };
  }

  #restart(cell: Cell, waitMs: number, why: Error): void {
    this.#node.metrics.restarted++;
    cell.restarts++;
    this.#clear(cell);
    if (waitMs > 0) {
      cell.flags |= cellFlag.backingOff;
      cell.more().cancelBackoff = this.#node.clock.after(waitMs, () => {
        cell.flags &= ~cellFlag.backingOff;
        this.#node.wake(cell);
      });
    }
    cell.flags |= cellFlag.clearing;
    cell.more().restartedFor = why;
    this.#giveUpState(cell);
  }

  /**
   * What belongs to the state that is gone goes with it: children, timers, watches, subscriptions, the mode. What was put aside is
   * mail again.
   */
  #clear(cell: Cell): void {
    this.#node.distant?.restarted?.(cell);
    for (let child = cell.firstChild; child !== undefined;) {
      const next: Cell | undefined = child.nextSibling;
      this.stop(child);
      child = next;
    }
    this.#node.timers.cancelAll(cell);
    this.#node.topics.leave(cell);
    this.#node.watches.unwatchAll(cell);
    cell.table = cell.definition.receive;
    const { extras } = cell;
    if (extras === undefined) return;
    extras.mode = undefined;
    extras.escalated = undefined;
    if (extras.stash !== undefined) cell.prepend(extras.stash.splice(0));
  }

  /** Once its children have ended, what a state held is freed, and another one is made. */
  #giveUpState(cell: Cell): void {
    if (cell.firstChild !== undefined) return;
    cell.flags &= ~cellFlag.clearing;
    if (this.#free(cell)) return;
    cell.state = undefined;
    this.#node.wake(cell);
  }

  /** Ends a cell and all below it, each after what it handles now. */
  stop(cell: Cell): void {
    if ((cell.flags & (cellFlag.stopping | cellFlag.ended)) !== 0) return;
    const family = familyOf(cell);
    for (const each of family) {
      each.flags |= cellFlag.stopping;
      each.extras?.cancelBackoff?.();
    }
    for (let index = family.length - 1; index >= 0; index--) {
      const each = family[index];
      if (each !== undefined) this.finish(each);
    }
  }

  /** Ends a cell that is to stop, if nothing of it runs any more; and then its parent, if that waited for it only. */
  finish(cell: Cell): void {
    for (let each: Cell | undefined = cell; each !== undefined; each = each.parent) {
      if ((each.flags & (unable | cellFlag.ended)) !== 0 || each.firstChild !== undefined) return;
      if ((each.flags & cellFlag.stopping) === 0) {
        if ((each.flags & cellFlag.clearing) !== 0) this.#giveUpState(each);
        return;
      }
      if (this.#free(each)) return;
      this.#ended(each);
    }
  }

  #ended(cell: Cell): void {
    const node = this.#node;
    node.timers.cancelAll(cell);
    cell.flags |= cellFlag.ended;
    if ((cell.flags & cellFlag.durable) !== 0) node.durable?.ended(cell);
    releaseSenders(cell);
    cell.extras?.waitsFor?.extras?.waiters?.delete(cell);
    const mail = cell.extras?.stash?.splice(0) ?? [];
    for (let envelope = cell.take(); envelope !== undefined; envelope = cell.take()) mail.push(envelope);
    if (!node.entities.inherits(cell, mail)) {
      for (const envelope of mail) node.deadLetter(cell.label, envelope, "stopped", cell.extras?.error);
    }
    const name = cell.extras?.name;
    if (name !== undefined) node.names.release(name, cell.self);
    if (cell.extras !== undefined) node.topics.leave(cell);
    detach(cell);
    node.distant?.ended?.(cell);
    node.watches.ended(cell);
    cell.state = undefined;
    node.forget(cell);
    node.entities.ended(cell);
  }

  /**
   * Calls `stopped` for a state that there is. There is none afterwards.
   *
   * @returns true if that takes a while: `settled` or `finish` is called again then
   */
  #free(cell: Cell): boolean {
    if ((cell.flags & cellFlag.starting) !== 0) return false;
    cell.flags |= cellFlag.starting;
    const isLate = this.#callStopped(cell);
    if (!isLate) this.#refusePromised(cell);
    return isLate;
  }

  /** Who is promised an answer can't have it any more. Of a system that is closed, who asked is told that. */
  #refusePromised(cell: Cell): void {
    if (!this.#node.isClosed) refusePromised(cell, (cell.flags & cellFlag.stopping) !== 0);
  }

  #callStopped(cell: Cell): boolean {
    const { stopped } = cell.definition;
    if (stopped === undefined) return false;
    const before = turn.cell;
    turn.cell = cell;
    try {
      const result = stopped(cell.state, cell);
      if (!(result instanceof Promise)) return false;
      cell.flags |= cellFlag.suspended;
      const settle = (): void => {
        cell.flags &= ~cellFlag.suspended;
        cell.state = undefined;
        this.#refusePromised(cell);
        this.settled(cell);
      };
      result.then(settle, (error: unknown) => {
        this.#reportStopped(cell, error);
        settle();
      });
      return true;
    } catch (error) {
      this.#reportStopped(cell, error);
      return false;
    } finally {
      turn.cell = before;
    }
  }

  #reportStopped(cell: Cell, thrown: unknown): void {
    this.#node.metrics.failed++;
    const action = (cell.flags & cellFlag.stopping) === 0 ? "restart" : "stop";
    this.#node.event({
      kind: "actor-failed",
      actor: cell.label,
      message: undefined,
      error: errorOf(thrown),
      action,
    });
  }
}

/** A child's failure is its parent's once that is done with what it handles now. False if it handles nothing. */
function isPutOff(parent: Cell, cause: Error): boolean {
  if ((parent.flags & unable) === 0) return false;
  parent.more().escalated ??= cause;
  return true;
}

/** Who asked is told, unless the message was handed on: then another one answers. What was put aside isn't handled again. */
function refuseAnswer(cell: Cell, envelope: Envelope | undefined, error: Error): void {
  if (envelope === undefined) return;
  const isAside = cell.extras?.asideAt === cell.handled;
  const stash = cell.extras?.stash;
  if (isAside && stash?.at(-1) === envelope) stash.pop();
  else if (isAside) return;
  envelope.reply?.refuse(error);
}

/** The failure of a parent. However far it comes up a tree, its cause is the error that began it: a chain of causes might be too long to show. */
function escalated(cell: Cell, parent: Cell, error: Error): QStreamError {
  const cause = error instanceof QStreamError && error.code === "ACTOR_FAILED" ? (error.cause ?? error) : error;
  const what = `${cell.label}, a child of ${parent.label}, failed: ${errorOf(cause).message}`;
  return new QStreamError("ACTOR_FAILED", what, { cause });
}

function errorOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(errorToData(thrown).message);
}
