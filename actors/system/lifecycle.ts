import type { SupervisionAction, SupervisionRule } from "../../lib/core/contracts/actor-options.ts";
import { errorToData, QStreamError } from "../../lib/core/errors.ts";
import { cellFlag, type Cell } from "./cell.ts";
import type { Envelope } from "./envelope.ts";
import { releaseSenders } from "./mailbox-room.ts";
import type { ActorNode } from "./node.ts";
import { Refusal, restartDelay, ruleFor } from "./supervising.ts";
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
    if (thrown instanceof Refusal) {
      envelope?.reply?.refuse(thrown.reason);
      return;
    }
    const error = thrown instanceof Error ? thrown : new Error(errorToData(thrown).message);
    envelope?.reply?.refuse(error);
    this.#node.metrics.failed++;
    const rule = ruleFor(error, cell.extras?.supervise ?? cell.definition.supervise);
    this.#report(cell, envelope, error, rule.do);
    this.#follow(cell, rule, error);
  }

  #follow(cell: Cell, rule: SupervisionRule, error: Error): void {
    if ((cell.flags & cellFlag.stopping) !== 0) return;
    switch (rule.do) {
      case "resume":
        return;
      case "restart":
        this.#restart(cell, rule, error);
        return;
      case "stop":
        this.#end(cell, error);
        return;
      case "escalate":
        this.#escalate(cell, error);
    }
  }

  #restart(cell: Cell, rule: SupervisionRule, error: Error): void {
    const waitMs = restartDelay(rule, (cell.more().restartedAt ??= []), this.#node.clock.monotonic());
    if (waitMs === undefined) {
      this.#end(cell, error);
      return;
    }
    this.#node.metrics.restarted++;
    cell.restarts++;
    this.#clear(cell);
    cell.flags |= cellFlag.starting;
    if (waitMs === 0) return;
    cell.flags |= cellFlag.backingOff;
    cell.more().cancelBackoff = this.#node.clock.after(waitMs, () => {
      cell.flags &= ~cellFlag.backingOff;
      this.#node.wake(cell);
    });
  }

  /** What belongs to the state that is gone goes with it: children, timers, the mode. What was put aside is mail again. */
  #clear(cell: Cell): void {
    for (let child = cell.firstChild; child !== undefined;) {
      const next: Cell | undefined = child.nextSibling;
      this.stop(child);
      child = next;
    }
    this.#node.timers.cancelAll(cell);
    this.#node.topics.leave(cell);
    cell.table = cell.definition.receive;
    cell.state = undefined;
    const { extras } = cell;
    if (extras === undefined) return;
    extras.mode = undefined;
    for (const actor of extras.watching?.values() ?? []) this.#node.watches.unwatch(cell, actor);
    if (extras.stash !== undefined) cell.prepend(extras.stash.splice(0));
  }

  #escalate(cell: Cell, error: Error): void {
    const { parent } = cell;
    this.#end(cell, error);
    if (parent === undefined || parent === this.#node.root) return;
    const cause = new QStreamError(
      "ACTOR_FAILED",
      `${cell.label}, a child of ${parent.label}, failed: ${error.message}`,
      {
        cause: error,
      },
    );
    this.failed(parent, cause, undefined);
    if ((parent.flags & cellFlag.stopping) !== 0) this.finish(parent);
    else this.#node.wake(parent);
  }

  #end(cell: Cell, error: Error): void {
    cell.more().error = error;
    this.stop(cell);
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
      if ((each.flags & cellFlag.stopping) === 0 || (each.flags & (unable | cellFlag.ended)) !== 0) return;
      if (each.firstChild !== undefined) return;
      this.#ended(each);
    }
  }

  #ended(cell: Cell): void {
    const node = this.#node;
    node.timers.cancelAll(cell);
    const { stopped } = cell.definition;
    if (stopped !== undefined && (cell.flags & cellFlag.starting) === 0) this.#runStopped(cell, stopped);
    cell.flags |= cellFlag.ended;
    releaseSenders(cell);
    cell.extras?.waitsFor?.extras?.waiters?.delete(cell);
    for (const envelope of cell.extras?.stash ?? []) node.deadLetter(cell.label, envelope, "stopped");
    for (let envelope = cell.take(); envelope !== undefined; envelope = cell.take()) {
      node.deadLetter(cell.label, envelope, "stopped");
    }
    const name = cell.extras?.name;
    if (name !== undefined) node.names.release(name, cell.self);
    if (cell.extras !== undefined) node.topics.leave(cell);
    detach(cell);
    node.watches.ended(cell);
    node.entities.ended(cell);
    node.forget(cell);
    cell.state = undefined;
  }

  #runStopped(cell: Cell, stopped: NonNullable<Cell["definition"]["stopped"]>): void {
    const before = turn.cell;
    turn.cell = cell;
    try {
      const result = stopped(cell.state, cell);
      if (result instanceof Promise) result.catch((error: unknown) => this.#reportStopped(cell, error));
    } catch (error) {
      this.#reportStopped(cell, error);
    } finally {
      turn.cell = before;
    }
  }

  #reportStopped(cell: Cell, thrown: unknown): void {
    this.#node.metrics.failed++;
    this.#report(cell, undefined, thrown instanceof Error ? thrown : new Error(errorToData(thrown).message), "stop");
  }

  #report(cell: Cell, envelope: Envelope | undefined, error: Error, action: SupervisionAction): void {
    this.#node.parts.event({ kind: "actor-failed", actor: cell.label, message: envelope?.name, error, action });
  }
}
