import type { AnyReference } from "../../../lib/core/contracts/actor.ts";
import type { AnyHandler } from "../../../lib/core/actor-definition.ts";
import { hashString } from "../../../lib/core/hash.ts";
import { DeferredReply } from "../asks.ts";
import { cellFlag } from "../cell.ts";
import { Envelope, type ReplyTo } from "../envelope.ts";
import { Refusal, ruleFor } from "../supervising.ts";
import { turn } from "../turn.ts";
import { CellEntry } from "./cell-entry.ts";
import { AgainEnvelope, NumberedEnvelope, TimerEnvelope } from "./durable-envelopes.ts";
import type { DurableActors } from "./durable-actors.ts";
import type { DurableCell } from "./durable-cell.ts";
import { Acknowledge, Answer, errorOf, Send } from "./effects.ts";
import { asyncHandler, replayDiffers, snapshotTooLarge } from "./refusals.ts";
import { writeSnapshot } from "./snapshot-bytes.ts";
import { RecordWriter, type Input, type TransitionRecord } from "./transition-record.ts";
import { Transition } from "./transition.ts";

/** Transitions of one actor that may wait for the store. */
const aheadMax = 1000;
const snapshotEveryDefault = 1000;
/** A step of a store does nothing else while it writes one. */
const snapshotBytesMax = 64 << 20;
/** Answers leave when the transition is durable, and not when the handler returns. */
const later = new DeferredReply<never>(undefined);

/** What came of a handler: what it returned, or what it threw. */
interface Ran {
  readonly result: unknown;
  readonly thrown: unknown;
  readonly hasThrown: boolean;
}

const nothingRan: Ran = { result: undefined, thrown: undefined, hasThrown: false };

/** Takes durable actors from one state to the next: by what comes, which is logged, and by what was logged. */
export class Transitions {
  readonly #keeper: DurableActors;
  readonly #writer = new RecordWriter();
  /** The message whose handler runs. */
  readonly #handling: { name: string; payload: unknown } = { name: "", payload: undefined };

  constructor(keeper: DurableActors) {
    this.#keeper = keeper;
  }

  /** Handles a message of a cell's mailbox. */
  handle(cell: DurableCell): unknown {
    const envelope = cell.node.handling(cell);
    if (envelope === undefined) return later;
    const input = this.#inputOf(cell, envelope);
    if (input !== undefined) this.#take(cell, input, envelope);
    else this.queueAgain(cell);
    return later;
  }

  /** Makes the state of an actor that hasn't been. */
  begin(cell: DurableCell, seed: number): void {
    // Actors that began together would all have their snapshots taken at once.
    cell.sinceSnapshot = (hashString(cell.keptName) >>> 0) % snapshotEveryOf(cell);
    this.#take(cell, { kind: "born", args: cell.args, seed }, undefined);
  }

  /**
   * Takes the step again that a record tells of.
   *
   * @throws QStreamError NOT_RECOVERABLE where it goes another way
   */
  repeat(cell: DurableCell, record: TransitionRecord): void {
    const seq = cell.kept.seq + 1;
    const { input, hasFailed, sent } = record;
    const transition = new Transition(seq, senderOf(cell, input), undefined, record);
    const handler = this.#consume(cell, input, transition);
    // What came from outside and had no handler wasn't logged.
    if (!hasFailed && handler === undefined && (input.kind === "message" || sent > 0)) {
      const { name } = this.#handling;
      throw replayDiffers(cell.label, seq, `it has no handler for "${name.slice(0, 80)}", which it handled before`);
    }
    if (!hasFailed && handler !== undefined) {
      const { thrown, hasThrown } = this.#run(cell, transition, input, handler);
      if (hasThrown && !(thrown instanceof Refusal) && !this.#resumes(cell, thrown)) {
        throw replayDiffers(cell.label, seq, `its handler threw: ${errorOf(thrown).message}`, thrown);
      }
      if (transition.sent !== sent) {
        throw replayDiffers(cell.label, seq, `its handler sent ${transition.sent} messages, and ${sent} before`);
      }
    }
    cell.kept.seq = seq;
    cell.sinceSnapshot++;
    if (!hasFailed) this.#keeper.mail.repeat(cell, transition.effects);
  }

  putAside(cell: DurableCell, transition: Transition): void {
    const { name, payload } = this.#handling;
    cell.kept.stash.push({ seq: transition.seq, name, payload, sender: transition.sender });
    transition.isAside = true;
    if (transition.reply !== undefined) (cell.replies ??= new Map()).set(transition.seq, transition.reply);
  }

  /** Keeps the state as it is now, behind what is written already. */
  snapshot(cell: DurableCell): void {
    cell.sinceSnapshot = 0;
    const { kept, state, source } = cell;
    const version = source.durable?.version ?? 1;
    const mail = this.#keeper.mail.of(cell.keptName)?.mail.values() ?? [];
    let bytes: Uint8Array;
    try {
      bytes = this.#keeper.journaled(() => writeSnapshot({ version, state, kept, mail }));
      if (bytes.byteLength > snapshotBytesMax) throw snapshotTooLarge(cell.label, bytes.byteLength);
    } catch (error) {
      // The log has it all: the actor goes on without, and tries again later.
      this.#report(cell, undefined, errorOf(error));
      return;
    }
    const entry = this.#entryOf(cell, kept.seq + 1);
    entry.snapshot = { seq: kept.seq, bytes };
    this.rest(cell);
  }

  /** An actor that has nothing to do by itself any more needn't come back by itself. */
  rest(cell: DurableCell): void {
    if (!cell.isAwake || !cell.isLoaded || this.#isAwake(cell)) return;
    cell.isAwake = false;
    this.#entryOf(cell, cell.kept.seq + 1).isAwake = false;
  }

  /** What was taken back from the stash comes before what waits in the mailbox, one after the other. */
  queueAgain(cell: DurableCell): void {
    const [first] = cell.kept.again;
    if (first === undefined || cell.queuedAgain !== undefined) return;
    cell.queuedAgain = new AgainEnvelope(first.name, first.payload, first.sender);
    cell.prepend([cell.queuedAgain]);
  }

  /** What a message is to the actor; undefined for one that was handled already, or isn't any more. */
  #inputOf(cell: DurableCell, envelope: Envelope): Input | undefined {
    const { kept } = cell;
    const { name, payload, sender } = envelope;
    if (envelope instanceof NumberedEnvelope) {
      const { from, number, message } = envelope;
      const heard = kept.heard.get(from) ?? 0;
      if (cell.accepted.get(from) === number || number > heard + 1) cell.accepted.delete(from);
      if (number === heard + 1) return { kind: "numbered", name: message, payload, from, number };
      // One that comes too early is sent again after those before it.
      if (number <= heard && cell.pending === 0) this.#keeper.mail.handled(envelope);
      return undefined;
    }
    if (envelope instanceof TimerEnvelope) {
      return kept.timers.has(envelope.timer) ? { kind: "timer", timer: envelope.timer } : undefined;
    }
    if (envelope instanceof AgainEnvelope) {
      if (envelope !== cell.queuedAgain) return undefined;
      cell.queuedAgain = undefined;
      return { kind: "again" };
    }
    return { kind: "message", name, payload, sender };
  }

  #take(cell: DurableCell, input: Input, envelope: Envelope | undefined): void {
    const { kept, source } = cell;
    this.#begin(cell, input, source.durable?.version ?? 1);
    const transition = new Transition(kept.seq + 1, senderOf(cell, input), replyOf(cell, input, envelope));
    const handler = this.#consume(cell, input, transition);
    if (handler === undefined && envelope !== undefined) {
      const { name } = this.#handling;
      cell.node.deadLetter(cell.label, new Envelope(name, undefined, undefined, transition.reply), "no-handler");
      // Nothing has changed: it needn't be known after a loss.
      if (input.kind === "message") return;
    }
    const ran = handler === undefined ? nothingRan : this.#run(cell, transition, input, handler);
    const hasFailed = ran.hasThrown && !(ran.thrown instanceof Refusal) && !this.#resumes(cell, ran.thrown);
    // Without a state there is nothing that could be logged.
    if (ran.hasThrown && input.kind === "born") throw ran.thrown;
    kept.seq = transition.seq;
    const record = this.#writer.end({ now: transition.now, sent: hasFailed ? 0 : transition.sent, hasFailed });
    const entry = this.#entryOf(cell, kept.seq);
    entry.add(record);
    if (envelope instanceof NumberedEnvelope) entry.hold(new Acknowledge(envelope));
    if (cell.pending >= aheadMax) cell.flags |= cellFlag.ahead;
    if (hasFailed) {
      // What the handler has left behind is no state that ever was.
      cell.isLoaded = false;
      transition.reply?.refuse(errorOf(ran.thrown));
    } else {
      this.#hold(cell, entry, transition, ran);
      this.#after(cell, entry);
    }
    if (ran.hasThrown && !(ran.thrown instanceof Refusal)) throw ran.thrown;
  }

  #begin(cell: DurableCell, input: Input, version: number): void {
    try {
      this.#keeper.journaled(() => this.#writer.begin(input, version));
    } catch (error) {
      // What can't be logged can't be handled; the actor is none the worse for it.
      this.#report(cell, "name" in input ? input.name : undefined, errorOf(error));
      throw new Refusal(errorOf(error));
    }
  }

  /** Takes from what is kept what the step uses up. Gives its handler, if there is one. */
  #consume(cell: DurableCell, input: Input, transition: Transition): AnyHandler | undefined {
    const { kept } = cell;
    const message = this.#handling;
    message.payload = undefined;
    switch (input.kind) {
      case "born":
        kept.args = input.args;
        kept.seed = input.seed;
        return (_state, args, ctx) => cell.source.init(args, ctx);
      case "numbered":
        kept.heard.set(input.from, input.number);
        message.name = input.name;
        message.payload = input.payload;
        break;
      case "message":
        message.name = input.name;
        message.payload = input.payload;
        break;
      case "again": {
        const again = kept.again.shift();
        message.name = again?.name ?? "";
        message.payload = again?.payload;
        break;
      }
      case "timer": {
        const timer = kept.timers.get(input.timer);
        message.name = timer?.name ?? "";
        message.payload = timer?.payload;
        this.#keeper.timers.consumed(cell, input.timer, transition);
      }
    }
    return handlerOf(cell, message.name);
  }

  #run(cell: DurableCell, transition: Transition, input: Input, handler: AnyHandler): Ran {
    const before = turn.cell;
    turn.cell = cell;
    cell.transition = transition;
    const { name, payload } = this.#handling;
    try {
      const result = handler(cell.state, input.kind === "born" ? input.args : payload, cell);
      if (result instanceof Promise) {
        result.catch(() => {});
        throw asyncHandler(cell.label, input.kind === "born" ? "init" : name);
      }
      if (input.kind === "born") cell.state = result;
      return { result, thrown: undefined, hasThrown: false };
    } catch (thrown) {
      return { result: undefined, thrown, hasThrown: true };
    } finally {
      cell.transition = undefined;
      turn.cell = before;
    }
  }

  /** Has the effects of a transition wait for its record, and the answer behind them. */
  #hold(cell: DurableCell, entry: CellEntry, transition: Transition, { result, thrown }: Ran): void {
    for (const effect of transition.effects) {
      if ("leave" in effect) entry.hold(effect);
      else entry.hold(new Send(this.#keeper.mail.add(cell, effect)));
    }
    const { reply } = transition;
    if (reply === undefined || transition.isAside) return;
    if (thrown === undefined) entry.hold(new Answer(reply, result));
    else entry.hold(new Answer(reply, undefined, thrown instanceof Refusal ? thrown.reason : errorOf(thrown)));
  }

  #after(cell: DurableCell, entry: CellEntry): void {
    const isAwake = this.#isAwake(cell);
    if (isAwake && !cell.isAwake) {
      cell.isAwake = true;
      entry.isAwake = true;
    } else if (!isAwake && cell.isAwake) this.#keeper.quiet.add(cell);
    this.queueAgain(cell);
    if (++cell.sinceSnapshot >= snapshotEveryOf(cell)) this.snapshot(cell);
  }

  #isAwake({ kept, keptName }: DurableCell): boolean {
    return kept.timers.size > 0 || kept.again.length > 0 || this.#keeper.mail.sizeOf(keptName) > 0;
  }

  #entryOf(cell: DurableCell, firstSeq: number): CellEntry {
    if (cell.entry !== undefined) return cell.entry;
    const entry = new CellEntry(cell, firstSeq);
    cell.entry = entry;
    this.#keeper.writer.add(entry);
    return entry;
  }

  #report(cell: DurableCell, message: string | undefined, error: Error): void {
    cell.node.event({ kind: "actor-failed", actor: cell.label, message, error, action: "resume" });
  }

  #resumes(cell: DurableCell, thrown: unknown): boolean {
    try {
      return ruleFor(errorOf(thrown), cell.extras?.supervise ?? cell.definition.supervise).do === "resume";
    } catch {
      return false;
    }
  }
}

function snapshotEveryOf({ source }: DurableCell): number {
  return source.durable?.snapshotEvery ?? snapshotEveryDefault;
}

function handlerOf({ source, kept }: DurableCell, name: string): AnyHandler | undefined {
  const mode = kept.mode === undefined ? undefined : source.modes.get(kept.mode);
  return (mode ?? source.receive)[name];
}

function senderOf(cell: DurableCell, input: Input): AnyReference | undefined {
  if (input.kind === "message") return input.sender as AnyReference | undefined;
  if (input.kind === "numbered") return cell.keeper.definitions.referenceTo(input.from);
  if (input.kind === "again") return cell.kept.again[0]?.sender;
  return input.kind === "timer" ? cell.self : undefined;
}

function replyOf(cell: DurableCell, input: Input, envelope: Envelope | undefined): ReplyTo | undefined {
  if (input.kind !== "again") return envelope?.reply;
  const seq = cell.kept.again[0]?.seq ?? -1;
  const reply = cell.replies?.get(seq);
  cell.replies?.delete(seq);
  return reply;
}
