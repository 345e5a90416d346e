import type { Plan } from "../../core/plan.ts";
import { ChannelNumbers } from "./channel-numbers.ts";
import { canStartTogether, loopEdgeOf, spareTogether } from "./loop-lines.ts";
import { positionIn, type LogHistory } from "./log-history.ts";

/** Says where more was freed than may be, or less than can be. */
export class FreedHistory {
  /** Channels with a checkpoint that was damaged on purpose. */
  readonly damaged = new Set<number>();
  /** Calls of the store whose answers lead to something. */
  readonly asked = new Set<string>();
  /** Channels of which more may be freed than was. */
  readonly #unfreed = new Set<number>();
  readonly #violated: (what: string) => void;
  readonly #log: LogHistory;
  readonly #storeOnly: boolean;
  #plan: Plan | undefined;
  #numbers = new ChannelNumbers({ flow: "", fingerprint: "", steps: [], edges: [] });
  #forgot = false;
  #resumed = false;

  /** @param storeOnly - false where what a checkpoint leads to goes on after the store has answered */
  constructor(violated: (what: string) => void, log: LogHistory, storeOnly: boolean) {
    this.#violated = violated;
    this.#log = log;
    this.#storeOnly = storeOnly;
  }

  learn(plan: Plan, numbers: ChannelNumbers): void {
    this.#plan = plan;
    this.#numbers = numbers;
  }

  /** All was killed or has stopped, and is gone on with. Who `stays` is still answered by the store. */
  restarted(stays: boolean): void {
    for (const what of this.asked) if (!stays || what.startsWith("to ")) this.asked.delete(what);
    this.#unfreed.clear();
    this.#resumed = true;
  }

  forgotten(): void {
    this.#forgot = true;
  }

  saved(channel: number): void {
    this.#unfreed.add(channel);
  }

  fenced(channel: number): void {
    // Of checkpoints that came in late, who goes on with an execution frees the older ones with the next that it saves.
    if (this.#resumed) this.#unfreed.delete(channel);
  }

  freed(channel: number, recordsThrough: number, checkpointsBefore: number): void {
    const history = this.#log.channel(channel);
    const isLoop = this.#loopOf(channel) !== undefined;
    const needed = isLoop ? recordsThrough : (this.#neededFrom(channel, true) ?? recordsThrough);
    const problem = history.freed(recordsThrough, checkpointsBefore);
    // While others are on their way, what they free isn't known to be free yet.
    // A damaged checkpoint of it, or of one that it makes for, is taken for one to spare until it is read.
    const damaged = [...this.damaged].some((it) => it === channel || this.#numbers.producersOf(it).includes(channel));
    if (needed < recordsThrough && this.asked.size <= 1 && !this.#forgot && !damaged) {
      this.#violated(`of ${this.#numbers.nameOf(channel)} the checkpoint to spare is freed, ${needed}`);
    }
    if (problem !== undefined && !this.#forgot)
      this.#violated(`of ${this.#numbers.nameOf(channel)} too much is freed: ${problem}`);
    if (this.#forgot || this.#plan === undefined) return;
    for (const producer of this.#numbers.producersOf(channel)) this.#unfreed.add(producer);
    this.#refuseOverfreed(this.#plan, channel, recordsThrough);
  }

  /** Of channels whose checkpoints were saved, or whose consumers' were: all is freed that can be. */
  refuseUnfreed(): void {
    if (this.#plan === undefined || this.#forgot || !this.#storeOnly || this.asked.size > 0) return;
    for (const channel of this.#unfreed) {
      // Channels of a loop keep what fits together, which needn't be the newest of each.
      if (this.damaged.has(channel) || this.#loopOf(channel) !== undefined) continue;
      const history = this.#log.channel(channel);
      const needed = this.#neededFrom(channel);
      const kept = history.startFrom()?.seq ?? Infinity;
      if (needed !== undefined && kept < needed) {
        const which = this.#numbers.nameOf(channel);
        this.#violated(`of ${which} too little is freed: ${kept} is kept, though ${needed} would do`);
      }
    }
    this.#unfreed.clear();
  }

  /** A channel still has where to start from, and that makes all that its consumers may ask for. */
  #refuseOverfreed(plan: Plan, channel: number, recordsThrough: number): void {
    const name = this.#numbers.nameOf(channel);
    const start = this.#log.channel(channel).startFrom();
    if (start === undefined || start.seq < recordsThrough) {
      this.#violated(`${name} has no checkpoint to start from, with records freed through ${recordsThrough}`);
      return;
    }
    const loop = this.#loopOf(channel);
    if (loop !== undefined) this.#refuseUnfitting(plan, loop);
    for (const { edge, other, seq } of start.made) {
      if (plan.edges[edge]?.kind === "feedback") continue;
      const consumer = this.#numbers.of(plan.edges[edge]?.to ?? -1, other);
      // Once it is read, nobody starts from it, and what follows it isn't kept for that.
      if (this.damaged.has(consumer)) continue;
      const from = this.#numbers.placeOf(channel).index;
      // What a consumer can free is freed in its turn, which needn't have come yet.
      const { consumed: inputs = [] } = this.#log.channel(consumer).startFrom(this.#neededFrom(consumer)) ?? {};
      const consumed = positionIn(inputs, edge, from);
      if (seq <= consumed) continue;
      const needs = `${this.#numbers.nameOf(consumer)} may need what follows ${consumed}`;
      this.#violated(`of ${name} too much is freed: it starts behind ${seq} of a link, and ${needs}`);
    }
  }

  /** The channels of a loop still have checkpoints that fit together. */
  #refuseUnfitting(plan: Plan, step: number): void {
    const channels = Array.from({ length: plan.steps[step]?.channels ?? 0 }, (_, index) =>
      this.#numbers.of(step, index),
    );
    if (channels.some((channel) => this.damaged.has(channel))) return;
    if (canStartTogether(plan, this.#numbers, this.#log, step)) return;
    this.#violated(`the channels of ${plan.steps[step]?.id} have no checkpoints left that fit together`);
  }

  /** The step of a channel, if that is a loop. */
  #loopOf(channel: number): number | undefined {
    const { step } = this.#numbers.placeOf(channel);
    return this.#plan !== undefined && loopEdgeOf(this.#plan, step) !== undefined ? step : undefined;
  }

  /**
   * The oldest checkpoint of a channel that somebody may need, by what its consumers may start from.
   *
   * @param inTurn - what the channels of a loop keep only until they have freed it doesn't count: they free one after the other, and
   * what comes before the loop may be freed meanwhile
   */
  #neededFrom(channel: number, inTurn = false): number | undefined {
    const { index, step } = this.#numbers.placeOf(channel);
    if (this.#plan !== undefined && this.#loopOf(channel) !== undefined) {
      return spareTogether(this.#plan, this.#numbers, this.#log, step)?.[index];
    }
    return this.#log.channel(channel).neededFrom(({ edge, other }) => {
      const consumer = this.#numbers.of(this.#plan?.edges[edge]?.to ?? -1, other);
      const freed = inTurn && this.#loopOf(consumer) !== undefined ? this.#neededFrom(consumer) : undefined;
      return positionIn(this.#log.channel(consumer).startFrom(freed)?.consumed ?? [], edge, index);
    });
  }
}
