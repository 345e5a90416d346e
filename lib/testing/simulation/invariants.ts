import { unpackCheckpoint } from "../../../actors/lineage/checkpoint-bytes.ts";
import type { Order, Report } from "../../../actors/slot/protocol.ts";
import type { ChannelCommit, CommitAnswer, FencedChannel } from "../../core/contracts/lineage-store.ts";
import type { CommittedEntry, LineageAnswer, LineageCall } from "../../../actors/lineage/protocol.ts";
import type { Limits } from "../../core/limits.ts";
import type { LinkMessage } from "../../core/contracts/transport.ts";
import { decodeRecord } from "../../core/lineage/record-codec.ts";
import type { Plan } from "../../core/plan.ts";
import { ChannelNumbers, HeardLives, KnownLives, type KnownLife } from "./channel-numbers.ts";
import type { StoreObserver } from "./faulty-store.ts";
import { FreedHistory } from "./freed-history.ts";
import { wrongEnds } from "./checkpoint-ends.ts";
import { LinkCredits } from "./link-credits.ts";
import { LogHistory, type ChannelHistory } from "./log-history.ts";
import { SpoolHistory, type SpoolDrive } from "./spool-history.ts";

/** What of a world can't be seen in what passes between its parts. */
export interface Surroundings {
  /** Slots with their drives. */
  readonly drives?: () => readonly SpoolDrive[];
  /** A checkpoint of which the store keeps a pointer; undefined where it is gone. */
  readonly wholeOf?: (kept: Uint8Array) => Uint8Array | undefined;
  /** False where what a checkpoint leads to goes on after the store has answered: there is more than a store. */
  readonly storeOnly?: boolean;
}

/**
 * Looks at everything that passes between slots, scheduler and store of a simulated world, and says where something isn't as
 * recovery needs it. It keeps the whole history, also what the engine has freed.
 *
 * - What is pushed is durable: the record of the task that made a parcel is in the store before the parcel leaves its slot,
 *   and each time it is sent it has what the record says. A consumer cancels once the log has it that it stopped.
 * - A committed record never changes, and none follows the end of a channel.
 * - A generation that was shut out commits nothing.
 * - Each parcel is consumed once, in order, and none that its producer's log doesn't have; a channel that is done has
 *   consumed all of them. Pieces of a split follow each other.
 * - A consumer talks to one life of a producer at a time.
 * - A checkpoint stands exactly where the log was when it was taken, also with the ends of inputs. One that holds changes stands
 *   on the one that its life saved before it, and that is kept as long as it is.
 * - A checkpoint that was to be saved is saved, and its channel hears that.
 * - What is freed isn't needed: every consumer can start from its oldest checkpoint, or where it has none from its beginning.
 * - What isn't needed is freed: behind a checkpoint that everybody could start from, one is kept to spare, and nothing older,
 *   once what a checkpoint leads to is over.
 * - No present life finds that what it needs is gone, and nothing is made again for a life that is over.
 * - Links hold no more than their windows, and spools no more in memory than they may; nor do they write what fits there.
 */
export class Invariants implements StoreObserver {
  readonly #violated: (what: string) => void;
  #plan: Plan | undefined;
  #numbers = new ChannelNumbers({ flow: "", fingerprint: "", steps: [], edges: [] });
  #lives = new KnownLives(0);
  #heard = new HeardLives();
  readonly #log = new LogHistory();
  #forgot = false;
  readonly #surroundings: Surroundings;
  #limits: Limits | undefined;
  #credits: LinkCredits | undefined;
  #spools: SpoolHistory | undefined;
  /** Checkpoints that slots want to be saved, by slot and call. */
  readonly #saves = new Map<string, Extract<LineageCall, { kind: "save" }>>();
  /** The newest round of a recovery. */
  #round = -1;
  readonly #freeing: FreedHistory;

  /** @param violated - told of everything that isn't as it should be */
  constructor(violated: (what: string) => void, surroundings: Surroundings = {}) {
    this.#violated = violated;
    this.#surroundings = surroundings;
    this.#freeing = new FreedHistory(violated, this.#log, surroundings.storeOnly !== false);
  }

  /** A slot, or the client, is about to get an order. */
  ordered(order: Order, slot: string = ""): void {
    switch (order.kind) {
      case "prepare":
        if (this.#plan === undefined) this.#learn(order.plan, order.limits);
        for (const { step, channel, life } of order.channels) this.#lives.place(life, this.#numbers.of(step, channel));
        return;
      case "recover":
        this.#recovers(order);
        return;
      case "connect":
        // One that comes late may be for lives that are over since.
        if (order.round < this.#round) return;
        for (const { consumer } of order.links) this.#refuseOver(consumer, "a link is opened");
        return;
      case "stop":
        // Of an execution that is given up, nobody has to free anything more.
        this.#freeing.asked.add("to stop");
        return;
      case "lineage-answer":
        this.#refuseUnsaved(`${slot} ${order.call}`, order.answer);
        return;
      case "lineage-committed":
        if (this.#spools?.follows === true) for (const entry of order.entries) this.#durable(entry, slot);
        return;
      default:
    }
  }

  /** All was killed or has stopped, and is gone on with: lives are counted anew. Who `stays` is still answered by the store. */
  restarted(stays = false): void {
    this.#lives = new KnownLives(this.#numbers.count);
    this.#heard = new HeardLives();
    this.#freeing.restarted(stays);
    this.#saves.clear();
    this.#round = -1;
    // None is its channel's first life any more, of which alone it is known what it holds.
    if (this.#plan !== undefined && this.#limits !== undefined) {
      this.#credits = new LinkCredits(this.#plan, this.#limits, () => false);
    }
    this.#spools = undefined;
  }

  /** A slot reports something. */
  reported(report: Report): void {
    if (report.kind === "lineage-call" && report.request.kind === "save") {
      this.#saves.set(`${report.slot} ${report.call}`, report.request);
      return;
    }
    if (report.kind !== "channel-failed" || report.error.code !== "NOT_RECOVERABLE") return;
    const life = this.#lives.find(report.life);
    if (life === undefined || this.#freeing.damaged.has(life.number) || this.#forgot) return;
    if (this.#lives.presentOf(life.number) !== report.life) return;
    this.#violated(`${this.#numbers.nameOf(life.number)} can't be recovered: ${report.error.message}`);
  }

  /** A message leaves a slot for another one. */
  sent(message: LinkMessage): void {
    if (this.#forgot || this.#plan === undefined) return;
    const producer = this.#lives.find(message.producer)?.number;
    const consumer = this.#lives.find(message.consumer);
    if (producer === undefined || consumer === undefined) return;
    const wrong = this.#credits?.sent(message);
    if (wrong !== undefined) {
      const link = `link ${message.edge}, ${message.from}>${message.to}, of lives ${message.producer}>${message.consumer}`;
      this.#violated(`${message.kind} on ${link}: ${wrong}`);
    }
    if (message.kind === "parcel") this.#pushed(message, producer);
    else if (message.kind === "cancel") this.#cancelled(message, consumer);
    const other = this.#heard.sent(message);
    if (other === undefined) return;
    const both = `lives ${other} and ${message.producer} of one producer`;
    this.#violated(`${this.#numbers.nameOf(consumer.number)} hears ${both} at a time`);
  }

  committed(commits: readonly ChannelCommit[], answers: readonly CommitAnswer[]): void {
    // Nothing else happens in the store now, and whoever was answered has done what follows.
    this.#freeing.refuseUnfreed();
    commits.forEach(({ channel, generation, firstSeq, records }, index) => {
      const history = this.#log.channel(channel);
      if (answers[index] !== "committed") return;
      if (generation < history.generation) {
        this.#violated(
          `${this.#numbers.nameOf(channel)} committed as generation ${generation}, after ${history.generation} began`,
        );
      }
      records.forEach((record, at) => this.#record(channel, history, firstSeq + at, record));
    });
  }

  read(channel: number, records: readonly { readonly seq: number; readonly record: Uint8Array }[]): void {
    const history = this.#log.channel(channel);
    for (const { seq, record } of records) {
      if (!history.has(seq, record))
        this.#violated(`record ${seq} of ${this.#numbers.nameOf(channel)} isn't what was committed`);
    }
  }

  saved(channel: number, seq: number, bytes: Uint8Array, answer: CommitAnswer): void {
    const history = this.#log.channel(channel);
    if (answer !== "committed" || this.#forgot) return;
    const whole = this.#surroundings.wholeOf === undefined ? bytes : this.#surroundings.wholeOf(bytes);
    // What a late call names may have been freed long since.
    if (whole === undefined) return;
    const { head, state } = unpackCheckpoint(whole);
    const problem =
      history.saved(seq, head, this.#numbers.capturedBy(channel)) ??
      wrongEnds(state, seq, this.#numbers.stepOf(channel), history);
    if (problem !== undefined) this.#violated(`checkpoint ${seq} of ${this.#numbers.nameOf(channel)} ${problem}`);
    this.#freeing.saved(channel);
  }

  fenced(channels: readonly FencedChannel[]): void {
    for (const { channel, generation } of channels) {
      this.#log.channel(channel).generation = generation;
      this.#freeing.fenced(channel);
    }
  }

  freed(channel: number, recordsThrough: number, checkpointsBefore: number): void {
    this.#freeing.freed(channel, recordsThrough, checkpointsBefore);
  }

  damaged(channel: number): void {
    this.#freeing.damaged.add(channel);
  }

  asked(what: string): void {
    this.#freeing.asked.add(what);
  }

  answered(what: string): void {
    this.#freeing.asked.delete(what);
  }

  forgotten(): void {
    this.#forgot = true;
    this.#freeing.forgotten();
    this.#log.clear();
  }

  /** The execution is done: nobody is without an end, and nothing is left unread. */
  ended(): void {
    const plan = this.#plan;
    if (plan === undefined || this.#forgot) return;
    const spooled = this.#spools?.ended();
    if (spooled !== undefined) this.#violated(spooled);
    plan.steps.forEach((step, index) => {
      for (let channel = 0; channel < step.channels; channel++) {
        const number = this.#numbers.of(index, channel);
        const { ending } = this.#log.channel(number);
        if (step.kind !== "reader" && ending === undefined)
          this.#violated(`${this.#numbers.nameOf(number)} never ended`);
        if (ending !== "done") continue;
        for (const { edge } of step.inputs) this.#refuseUnread(plan, edge, channel);
      }
    });
  }

  #recovers(order: Extract<Order, { kind: "recover" }>): void {
    for (const { step, channel, life } of order.placed) this.#lives.place(life, this.#numbers.of(step, channel));
    for (const { step, channel, life, recovery } of order.channels) {
      const outputsOnly = recovery?.outputsOnly === true;
      this.#lives.add(life, { number: this.#numbers.of(step, channel), outputsOnly });
    }
    if (order.round < this.#round) return;
    this.#round = order.round;
    for (const { consumers = [] } of order.channels) {
      for (const { life } of consumers) this.#refuseOver(life, "outputs are made again");
    }
  }

  /** Something is done for a life, which another one of its channel may have followed. */
  #refuseOver(life: number, what: string): void {
    const known = this.#lives.find(life);
    if (known === undefined || !this.#lives.isOver(life)) return;
    this.#violated(`${what} for life ${life} of ${this.#numbers.nameOf(known.number)}, which is over`);
  }

  /** A slot is about to hear that a checkpoint was saved: one that stands on nothing, of who may write, is there. */
  #refuseUnsaved(call: string, answer: LineageAnswer): void {
    const save = this.#saves.get(call);
    this.#saves.delete(call);
    if (save === undefined || answer.kind !== "saved" || this.#forgot || save.head.changes !== undefined) return;
    const { number, generation, seq } = save;
    const history = this.#log.channel(number);
    if (generation < history.generation || this.#freeing.damaged.has(number)) return;
    const name = `checkpoint ${seq} of ${this.#numbers.nameOf(number)}`;
    if (!history.wasSaved(seq)) this.#violated(`${name} was to be saved, and nobody did`);
    else if (!answer.usable) this.#violated(`${name} was saved, and its channel hears that it wasn't`);
  }

  /** A slot is about to hear that tasks are durable: parcels for which there is no credit wait in a spool from now on. */
  #durable({ number, generation, through }: CommittedEntry, slot: string): void {
    const plan = this.#plan;
    if (plan === undefined || generation > 0) return;
    const { step, index } = this.#numbers.placeOf(number);
    plan.edges.forEach(({ from, to, spools }, edge) => {
      if (from !== step || !spools) return;
      for (let other = 0; other < (plan.steps[to]?.channels ?? 0); other++) {
        if (this.#credits?.usedUp(edge, number, this.#numbers.of(to, other)) !== true) continue;
        for (const seq of this.#log.link(edge, index, other).unsent(through)) {
          this.#spools?.waits(slot, edge, index, other, seq);
        }
      }
    });
  }

  #refuseUnread(plan: Plan, edge: number, to: number): void {
    const producers = plan.steps[plan.edges[edge]?.from ?? -1]?.channels ?? 0;
    for (let from = 0; from < producers; from++) {
      const unread = this.#log.link(edge, from, to).unread;
      if (unread > 0) this.#violated(`${unread} parcels of link ${edge}, ${from}>${to} were never consumed`);
    }
  }

  #record(channel: number, history: ChannelHistory, seq: number, bytes: Uint8Array): void {
    if (seq < history.length) {
      if (!history.has(seq, bytes)) this.#violated(`record ${seq} of ${this.#numbers.nameOf(channel)} was changed`);
      return;
    }
    const record = decodeRecord(bytes);
    const problem = history.append(seq, bytes, record);
    if (problem !== undefined) this.#violated(`record ${seq} of ${this.#numbers.nameOf(channel)}: ${problem}`);
    if (this.#plan === undefined) return;
    const { step, index } = this.#numbers.placeOf(channel);
    for (const { edge, to, objects, checksum } of record.produced) {
      this.#log.link(edge, index, to).produced({ seq, objects, checksum });
    }
    for (const { edge, from, firstSeq, lastSeq } of record.consumed) {
      const wrong = this.#log.link(edge, from, index).consume(firstSeq, lastSeq);
      const at = `task ${seq} of channel ${index} of ${this.#plan.steps[step]?.id ?? ""}`;
      if (wrong !== undefined && !this.#forgot) {
        this.#violated(`${at} consumed ${firstSeq} to ${lastSeq} of channel ${from} on edge ${edge}, ${wrong}`);
      }
    }
  }

  #pushed(message: Extract<LinkMessage, { kind: "parcel" }>, producer: number): void {
    const { edge, from, to, seq, previous, payload } = message;
    if (seq >= this.#log.channel(producer).length) {
      this.#violated(`parcel ${seq} of ${this.#numbers.nameOf(producer)} was sent before its task was durable`);
      return;
    }
    const link = this.#log.link(edge, from, to);
    link.sent(seq);
    const isFirst = message.producer < this.#numbers.count && message.consumer < this.#numbers.count;
    const waited = isFirst ? this.#spools?.sent(message) : undefined;
    if (waited !== undefined) this.#violated(`parcel ${seq} of ${this.#numbers.nameOf(producer)}: ${waited}`);
    const made = link.parcel(seq);
    if (made?.objects !== payload.rows || made.previous !== previous) {
      const found = `${payload.rows} objects after ${previous}`;
      const logged = made === undefined ? "nothing" : `${made.objects} objects after ${made.previous}`;
      this.#violated(`parcel ${seq} of ${this.#numbers.nameOf(producer)} has ${found}, where the log has ${logged}`);
    }
  }

  #cancelled(message: LinkMessage, consumer: KnownLife): void {
    if (this.#lives.find(message.producer)?.outputsOnly !== false || consumer.outputsOnly) return;
    if (this.#log.channel(consumer.number).ending === "stop") return;
    this.#violated(`${this.#numbers.nameOf(consumer.number)} cancelled an input before its log had it that it stopped`);
  }

  #learn(plan: Plan, limits: Limits): void {
    this.#plan = plan;
    this.#limits = limits;
    this.#numbers = new ChannelNumbers(plan);
    this.#freeing.learn(plan, this.#numbers);
    const { count } = this.#numbers;
    const { drives } = this.#surroundings;
    this.#lives = new KnownLives(count);
    if (drives === undefined) return;
    this.#credits = new LinkCredits(plan, limits, (...lives) => lives.every((life) => life < count));
    this.#spools = new SpoolHistory(limits.spoolMemoryBytes, drives);
  }
}
