import { unpackCheckpoint } from "../../../actors/lineage/checkpoint-bytes.ts";
import type { Order, Report } from "../../../actors/slot/protocol.ts";
import type { ChannelCommit, CommitAnswer, FencedChannel } from "../../core/contracts/lineage-store.ts";
import type { LinkPosition } from "../../core/contracts/lineage.ts";
import type { LinkMessage } from "../../core/contracts/transport.ts";
import { decodeRecord } from "../../core/lineage/record-codec.ts";
import type { Plan } from "../../core/plan.ts";
import type { StoreObserver } from "./faulty-store.ts";
import { ChannelHistory, LinkHistory } from "./log-history.ts";

/** A life of a channel, as the scheduler's orders tell of it. */
interface KnownLife {
  readonly number: number;
  /** It makes outputs again, and nothing else. */
  readonly outputsOnly: boolean;
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
 * - A checkpoint stands exactly where the log was when it was taken. One that holds changes stands on the one that its life
 *   saved before it, and that is kept as long as it is.
 * - What is freed isn't needed: every consumer can start from its oldest checkpoint, or where it has none from its beginning.
 * - No present life finds that what it needs is gone.
 */
export class Invariants implements StoreObserver {
  readonly #violated: (what: string) => void;
  #plan: Plan | undefined;
  readonly #offsets: number[] = [];
  readonly #lives = new Map<number, KnownLife>();
  /** By channel: the life that was placed last. */
  readonly #present = new Map<number, number>();
  readonly #heard = new Map<string, number>();
  #channels = new Map<number, ChannelHistory>();
  #links = new Map<string, LinkHistory>();
  #forgot = false;
  /** Channels with a checkpoint that was damaged on purpose. */
  readonly #damaged = new Set<number>();

  /** @param violated - told of everything that isn't as it should be */
  constructor(violated: (what: string) => void) {
    this.#violated = violated;
  }

  /** A slot, or the client, is about to get an order. */
  ordered(order: Order): void {
    if (order.kind === "prepare" && this.#plan === undefined) this.#learn(order.plan);
    if (order.kind === "prepare")
      for (const { step, channel, life } of order.channels) this.#place(step, channel, life);
    if (order.kind !== "recover") return;
    for (const { step, channel, life } of order.placed) this.#place(step, channel, life);
    for (const { step, channel, life, recovery } of order.channels) {
      this.#lives.set(life, { number: this.#numberOf(step, channel), outputsOnly: recovery?.outputsOnly === true });
    }
  }

  /** A slot reports something. */
  reported(report: Report): void {
    if (report.kind !== "channel-failed" || report.error.code !== "NOT_RECOVERABLE") return;
    const life = this.#lives.get(report.life);
    if (life === undefined || this.#damaged.has(life.number) || this.#forgot) return;
    if (this.#present.get(life.number) !== report.life) return;
    this.#violated(`${this.#nameOf(life.number)} can't be recovered: ${report.error.message}`);
  }

  /** A message leaves a slot for another one. */
  sent(message: LinkMessage): void {
    if (this.#forgot || this.#plan === undefined) return;
    const producer = this.#lives.get(message.producer)?.number;
    const consumer = this.#lives.get(message.consumer);
    if (producer === undefined || consumer === undefined) return;
    if (message.kind === "parcel") this.#pushed(message, producer);
    else if (message.kind === "cancel") this.#cancelled(message, consumer);
    if (message.kind === "open") this.#heard.set(heardKey(message), message.producer);
    else if (message.kind === "credit") this.#credited(message, consumer.number);
  }

  committed(commits: readonly ChannelCommit[], answers: readonly CommitAnswer[]): void {
    commits.forEach(({ channel, generation, firstSeq, records }, index) => {
      const history = this.#history(channel);
      if (answers[index] !== "committed") return;
      if (generation < history.generation) {
        this.#violated(
          `${this.#nameOf(channel)} committed as generation ${generation}, after ${history.generation} began`,
        );
      }
      records.forEach((record, at) => this.#record(channel, history, firstSeq + at, record));
    });
  }

  read(channel: number, records: readonly { readonly seq: number; readonly record: Uint8Array }[]): void {
    const history = this.#history(channel);
    for (const { seq, record } of records) {
      if (!history.has(seq, record))
        this.#violated(`record ${seq} of ${this.#nameOf(channel)} isn't what was committed`);
    }
  }

  saved(channel: number, seq: number, bytes: Uint8Array, answer: CommitAnswer): void {
    const history = this.#history(channel);
    if (answer !== "committed" || this.#forgot) return;
    const { head } = unpackCheckpoint(bytes);
    const { consumed, made } = history.positionsAt(seq);
    if (!samePositions(head.consumed, consumed) || !samePositions(head.made, made)) {
      const shown = JSON.stringify({ checkpoint: head, log: { consumed, made } });
      this.#violated(`checkpoint ${seq} of ${this.#nameOf(channel)} doesn't stand on its log: ${shown}`);
    }
    const problem = history.saved(seq, head);
    if (problem !== undefined) this.#violated(`checkpoint ${seq} of ${this.#nameOf(channel)} ${problem}`);
  }

  fenced(channels: readonly FencedChannel[]): void {
    for (const { channel, generation } of channels) this.#history(channel).generation = generation;
  }

  freed(channel: number, recordsThrough: number, checkpointsBefore: number): void {
    const history = this.#history(channel);
    const problem = history.freed(recordsThrough, checkpointsBefore);
    if (problem !== undefined && !this.#forgot)
      this.#violated(`of ${this.#nameOf(channel)} too much is freed: ${problem}`);
    if (this.#forgot || this.#plan === undefined) return;
    const { start } = history;
    if (start === undefined || start.seq < recordsThrough) {
      this.#violated(
        `${this.#nameOf(channel)} has no checkpoint to start from, with records freed through ${recordsThrough}`,
      );
      return;
    }
    for (const { edge, other, seq } of start.made) {
      const consumer = this.#numberOf(this.#plan.edges[edge]?.to ?? -1, other);
      const from = channel - (this.#offsets[this.#plan.edges[edge]?.from ?? -1] ?? 0);
      const consumed = positionIn(this.#history(consumer).start?.consumed ?? [], edge, from);
      if (seq > consumed) {
        const needs = `${this.#nameOf(consumer)} may need what follows ${consumed}`;
        this.#violated(
          `of ${this.#nameOf(channel)} too much is freed: it starts behind ${seq} of a link, and ${needs}`,
        );
      }
    }
  }

  damaged(channel: number): void {
    this.#damaged.add(channel);
  }

  forgotten(): void {
    this.#forgot = true;
    this.#channels = new Map();
    this.#links = new Map();
  }

  /** The execution is done: nobody is without an end, and nothing is left unread. */
  ended(): void {
    const plan = this.#plan;
    if (plan === undefined || this.#forgot) return;
    plan.steps.forEach((step, index) => {
      for (let channel = 0; channel < step.channels; channel++) {
        const number = this.#numberOf(index, channel);
        const { ending } = this.#history(number);
        if (step.kind !== "reader" && ending === undefined) this.#violated(`${this.#nameOf(number)} never ended`);
        if (ending !== "done") continue;
        for (const { edge } of step.inputs) this.#refuseUnread(plan, edge, channel);
      }
    });
  }

  #refuseUnread(plan: Plan, edge: number, to: number): void {
    const producers = plan.steps[plan.edges[edge]?.from ?? -1]?.channels ?? 0;
    for (let from = 0; from < producers; from++) {
      const unread = this.#link(edge, from, to).unread;
      if (unread > 0) this.#violated(`${unread} parcels of link ${edge}, ${from}>${to} were never consumed`);
    }
  }

  #record(channel: number, history: ChannelHistory, seq: number, bytes: Uint8Array): void {
    if (seq < history.length) {
      if (!history.has(seq, bytes)) this.#violated(`record ${seq} of ${this.#nameOf(channel)} was changed`);
      return;
    }
    const record = decodeRecord(bytes);
    const problem = history.append(seq, bytes, record);
    if (problem !== undefined) this.#violated(`record ${seq} of ${this.#nameOf(channel)}: ${problem}`);
    if (this.#plan === undefined) return;
    const { step, index } = this.#placeOf(channel);
    for (const { edge, to, objects, checksum } of record.produced) {
      this.#link(edge, index, to).produced({ seq, objects, checksum });
    }
    for (const { edge, from, firstSeq, lastSeq } of record.consumed) {
      const wrong = this.#link(edge, from, index).consume(firstSeq, lastSeq);
      const at = `task ${seq} of channel ${index} of ${this.#plan.steps[step]?.id ?? ""}`;
      if (wrong !== undefined && !this.#forgot) {
        this.#violated(`${at} consumed ${firstSeq} to ${lastSeq} of channel ${from} on edge ${edge}, ${wrong}`);
      }
    }
  }

  #pushed(message: Extract<LinkMessage, { kind: "parcel" }>, producer: number): void {
    const { edge, from, to, seq, previous, payload } = message;
    if (seq >= this.#history(producer).length) {
      this.#violated(`parcel ${seq} of ${this.#nameOf(producer)} was sent before its task was durable`);
      return;
    }
    const made = this.#link(edge, from, to).parcel(seq);
    if (made?.objects !== payload.rows || made.previous !== previous) {
      const found = `${payload.rows} objects after ${previous}`;
      const logged = made === undefined ? "nothing" : `${made.objects} objects after ${made.previous}`;
      this.#violated(`parcel ${seq} of ${this.#nameOf(producer)} has ${found}, where the log has ${logged}`);
    }
  }

  #cancelled(message: LinkMessage, consumer: KnownLife): void {
    const producer = this.#lives.get(message.producer);
    if (producer?.outputsOnly !== false || consumer.outputsOnly) return;
    if (this.#history(consumer.number).ending === "stop") return;
    this.#violated(`${this.#nameOf(consumer.number)} cancelled an input before its log had it that it stopped`);
  }

  #credited(message: LinkMessage, consumer: number): void {
    const key = heardKey(message);
    const heard = this.#heard.get(key);
    if (heard === undefined) this.#heard.set(key, message.producer);
    else if (heard !== message.producer) {
      this.#violated(
        `${this.#nameOf(consumer)} hears lives ${heard} and ${message.producer} of one producer at a time`,
      );
    }
  }

  #learn(plan: Plan): void {
    this.#plan = plan;
    let offset = 0;
    for (const step of plan.steps) {
      this.#offsets.push(offset);
      offset += step.channels;
    }
    // A channel's first life has its number.
    for (let number = 0; number < offset; number++) this.#lives.set(number, { number, outputsOnly: false });
  }

  #place(step: number, channel: number, life: number): void {
    const number = this.#numberOf(step, channel);
    this.#lives.set(life, { number, outputsOnly: false });
    this.#present.set(number, Math.max(life, this.#present.get(number) ?? -1));
  }

  #history(channel: number): ChannelHistory {
    let history = this.#channels.get(channel);
    if (history === undefined) this.#channels.set(channel, (history = new ChannelHistory()));
    return history;
  }

  #link(edge: number, from: number, to: number): LinkHistory {
    const key = `${edge}:${from}:${to}`;
    let link = this.#links.get(key);
    if (link === undefined) this.#links.set(key, (link = new LinkHistory()));
    return link;
  }

  #numberOf(step: number, channel: number): number {
    return (this.#offsets[step] ?? 0) + channel;
  }

  #placeOf(number: number): { readonly step: number; readonly index: number } {
    const step = this.#offsets.findLastIndex((offset) => offset <= number);
    return { step, index: number - (this.#offsets[step] ?? 0) };
  }

  #nameOf(number: number): string {
    const { step, index } = this.#placeOf(number);
    return `channel ${index} of ${this.#plan?.steps[step]?.id ?? "a step"}`;
  }
}

function heardKey({ edge, from, consumer }: LinkMessage): string {
  return `${consumer}:${edge}:${from}`;
}

function positionIn(positions: readonly LinkPosition[], edge: number, other: number): number {
  return positions.find((position) => position.edge === edge && position.other === other)?.seq ?? -1;
}

function samePositions(left: readonly LinkPosition[], right: readonly LinkPosition[]): boolean {
  const texts = (positions: readonly LinkPosition[]): string =>
    positions
      .map(({ edge, other, seq }) => `${edge}:${other}:${seq}`)
      .toSorted()
      .join(" ");
  return texts(left) === texts(right);
}
