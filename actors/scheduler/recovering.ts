import { isDeepStrictEqual } from "node:util";
import { QStreamError } from "../../lib/core/errors.ts";
import type { EdgeSizes, SlotPlace } from "../../lib/core/placement-strategy.ts";
import type { Clock } from "../../lib/core/seam/clock.ts";
import { isMissing, placeAgain, type MissingPlace } from "../../lib/placement/index.ts";
import type { FailedParcels } from "../channel/replay.ts";
import type { RecoverableChannel } from "../lineage/lineage-actor.ts";
import type { KnownCheckpoint } from "../lineage/retention.ts";
import type { ChannelOrder, Order, Report } from "../slot/protocol.ts";
import type { Lives } from "./lives.ts";
import { AwaitedSlots } from "./awaited-slots.ts";
import { linkKey, planRecovery, type LostChannel, type RecoveryPlan } from "./plan-recovery.ts";
import { placesFor, type ExecutionRequest } from "./execution-request.ts";

/** What the recovery of an execution needs of the scheduler. */
export interface RecoveringParts {
  readonly request: ExecutionRequest;
  readonly lives: Lives;
  readonly client: string;
  /** Slots that live, without the client's. */
  readonly slots: () => readonly SlotPlace[];
  /** Slots that know the execution, also those that are lost. */
  readonly known: readonly string[];
  /** Orders a slot, after it was made to know the execution. */
  readonly order: (slot: string, order: Order) => void;
  /** For hosts of actors, which wait for the slots that take the place of lost ones. Channels of flows go to others at once. */
  readonly clock?: Clock | undefined;
  /** A round may be planned now: comes back by `fenced`, in a turn of its own. */
  readonly again?: (round: number, channels: readonly RecoverableChannel[]) => void;
  /** Shuts out the present generations of channels; the answer comes by `fenced`. */
  readonly fence: (round: number, numbers: readonly number[]) => void;
  readonly checkpointsOf: (number: number) => readonly KnownCheckpoint[];
  /** What was measured of the edges so far. */
  readonly sizes: () => EdgeSizes | undefined;
  /** There is no place for some channels: when slots are added, another round finds out whether there is. */
  readonly waits: (missing: MissingPlace) => void;
  /** Everything that was lost lives again. */
  readonly done: (plan: RecoveryPlan) => void;
}

interface Round {
  readonly number: number;
  phase: "surveying" | "recovering";
  readonly awaited: Set<string>;
  fenced: readonly RecoverableChannel[] | undefined;
  readonly received: Map<string, number>;
  readonly held: Map<string, number>;
  plan: RecoveryPlan | undefined;
}

/**
 * Brings back what an execution lost, in rounds: survivors say where their links to lost lives stand, the store shuts the lost
 * lives out, other lives start from checkpoints, and then links are opened to them. Another loss meanwhile starts a new round,
 * which takes nothing of the unfinished one for granted.
 */
export class Recovering {
  readonly #parts: RecoveringParts;
  /** Channels that have no live life. */
  readonly #lost = new Set<number>();
  /** Lives that are over, or make outputs again for a round that is over. */
  readonly #deadLives = new Set<number>();
  #replays: RecoveryPlan["replays"] = [];
  readonly #failed = new Map<number, FailedParcels>();
  readonly #startedFrom = new Map<number, number>();
  /** Slots that somebody has chosen for channels that are lost. */
  readonly #chosen = new Map<number, string>();
  readonly #awaited: AwaitedSlots | undefined;
  #round: Round | undefined;
  #rounds = 0;
  /** There was no place for what is lost. */
  #waits = false;
  /** Losses of which it isn't known yet how to go on. */
  #held = 0;

  constructor(parts: RecoveringParts) {
    this.#parts = parts;
    const { clock } = parts;
    if (clock !== undefined) this.#awaited = new AwaitedSlots(clock, () => this.#planAgain());
  }

  get active(): boolean {
    return this.#round !== undefined || this.#waits || this.#held > 0;
  }

  /** Rounds so far. */
  get rounds(): number {
    return this.#rounds;
  }

  /** True for a life that another one takes over from, also where that isn't there yet. */
  isOver(life: number): boolean {
    return this.#deadLives.has(life);
  }

  /** Which channel's outputs a life makes again, and from which checkpoint; undefined for any other life. */
  replayOf(life: number): { readonly number: number; readonly checkpoint: number } | undefined {
    return this.#replays.find((replay) => replay.life === life);
  }

  /** The checkpoint that a channel's present life started from; -1 for its beginning. */
  checkpointOf(number: number): number {
    return this.#startedFrom.get(number) ?? -1;
  }

  /** The next life of a channel is careful with parcels that its operator failed on. */
  noteFailed(number: number, parcels: FailedParcels): void {
    this.#failed.set(number, parcels);
  }

  /** True if the present life of a channel was to pass over these parcels. */
  passesOver(number: number, consumed: FailedParcels["consumed"]): boolean {
    const noted = this.#failed.get(number);
    return noted?.passOver !== undefined && isDeepStrictEqual(noted.consumed, consumed);
  }

  /** The next life of a channel goes to a certain slot, if that is there then. */
  choose(number: number, slot: string): void {
    this.#chosen.set(number, slot);
  }

  /** Lives ended, and how their next ones go about it isn't known yet: no round begins before `goOn`, whatever else is lost. */
  hold(numbers: readonly number[]): void {
    this.#held++;
    this.#end(numbers);
  }

  /** What `hold` waited for is known. */
  goOn(): void {
    this.#held--;
  }

  /** Lives ended: a new round begins. */
  lose(numbers: readonly number[]): void {
    this.#end(numbers);
    const lost = [...this.#lost];
    if (this.#held > 0 || this.#parts.slots().length === 0) return;
    const survivors = this.#survivors();
    const round: Round = {
      number: ++this.#rounds,
      phase: "surveying",
      awaited: new Set(survivors),
      fenced: undefined,
      received: new Map(),
      held: new Map(),
      plan: undefined,
    };
    this.#round = round;
    const { execution } = this.#parts.request;
    const survey = { kind: "survey", execution, round: round.number, lost: [...this.#deadLives] } as const;
    for (const slot of survivors) this.#parts.order(slot, survey);
    this.#parts.fence(round.number, lost);
  }

  /** Slots are lost, and others are being started in their place: `slotAdded` is called for each. */
  expectSlots(count: number): void {
    this.#awaited?.expect(count);
  }

  /** A slot was added, or couldn't be: what waits for one can go on. False where there is none at all, and no other is awaited. */
  slotAdded(isLast: boolean): boolean {
    this.#awaited?.came();
    if (this.#lost.size === 0 || this.#round !== undefined) return true;
    this.lose([]);
    return this.active || !isLast;
  }

  #end(numbers: readonly number[]): void {
    const { lives } = this.#parts;
    for (const number of numbers) this.#lost.add(number);
    // What an unfinished round had to bring back is still among what is lost.
    this.#round = undefined;
    this.#waits = false;
    for (const number of this.#lost) {
      const life = lives.all[number]?.life;
      if (life !== undefined) this.#deadLives.add(life);
    }
  }

  surveyed(report: Extract<Report, { kind: "surveyed" }>): void {
    const round = this.#current(report.round, "surveying");
    if (round === undefined) return;
    for (const { edge, from, to, seq } of report.consumers) round.received.set(linkKey(edge, from, to), seq);
    for (const { edge, from, to, seq } of report.producers) round.held.set(linkKey(edge, from, to), seq);
    round.awaited.delete(report.slot);
    this.#planIfReady(round);
  }

  fenced(number: number, channels: readonly RecoverableChannel[]): void {
    const round = this.#current(number, "surveying");
    if (round === undefined) return;
    round.fenced = channels;
    this.#planIfReady(round);
  }

  recovered(report: Extract<Report, { kind: "recovered" }>): void {
    const round = this.#current(report.round, "recovering");
    if (round === undefined) return;
    round.awaited.delete(report.slot);
    this.#connectIfReady(round);
  }

  #connectIfReady(round: Round): void {
    if (round.awaited.size > 0 || round.plan === undefined) return;
    const { execution } = this.#parts.request;
    for (const [slot, links] of round.plan.links) {
      this.#parts.order(slot, { kind: "connect", execution, round: round.number, links });
    }
    for (const { number } of round.plan.recovered) {
      this.#lost.delete(number);
      this.#chosen.delete(number);
    }
    this.#round = undefined;
    this.#parts.done(round.plan);
  }

  #planAgain(): void {
    const round = this.#round;
    if (round?.phase === "surveying" && round.fenced !== undefined) this.#parts.again?.(round.number, round.fenced);
  }

  #planIfReady(round: Round): void {
    if (round.awaited.size > 0 || round.fenced === undefined || this.#awaited?.isWaiting === true) return;
    const { request, lives, checkpointsOf } = this.#parts;
    const { plan, execution } = request;
    this.#refuseRegress(round, round.fenced);
    const lost = this.#placeOrWait(round.fenced);
    if (lost === undefined) return;
    const { received, held } = round;
    const recovery = planRecovery({ plan, lives, lost, received, held, checkpointsOf });
    round.plan = recovery;
    round.phase = "recovering";
    for (const { life, slot, step, channel } of recovery.placed) {
      const number = lives.at(step, channel)?.number ?? -1;
      lives.replace(number, { life, slot, generation: lost.get(number)?.generation ?? 0 });
    }
    for (const { life } of recovery.replays) this.#deadLives.add(life);
    this.#replays = recovery.replays;
    for (const { number, checkpoint } of recovery.recovered) this.#startedFrom.set(number, checkpoint);
    const placed = lives.all.filter(({ life, number }) => life !== number);
    for (const slot of [...this.#survivors(), ...recovery.channels.keys()]) round.awaited.add(slot);
    const places = placesFor(plan, this.#parts.slots());
    for (const slot of round.awaited) {
      const channels = (recovery.channels.get(slot) ?? []).map((order) => this.#complete(order));
      this.#parts.order(slot, { kind: "recover", execution, round: round.number, placed, channels, ...places });
    }
    this.#connectIfReady(round);
  }

  /** Survivors may have consumed what the store has forgotten: what is made anew would differ from that. */
  #refuseRegress(round: Round, fenced: readonly RecoverableChannel[]): void {
    const { plan } = this.#parts.request;
    const lastSeqs = new Map(fenced.map(({ channel, lastSeq }) => [channel, lastSeq]));
    for (const [key, seq] of round.received) {
      const [edge = -1, from = -1] = key.split(":").map(Number);
      const step = plan.edges[edge]?.from ?? -1;
      const lastSeq = lastSeqs.get(this.#parts.lives.at(step, from)?.number ?? -1);
      if (lastSeq === undefined || seq <= lastSeq) continue;
      throw new QStreamError(
        "LINEAGE_REGRESSED",
        `the log ends at task ${lastSeq}, though task ${seq} had been committed and consumed`,
        {
          step: plan.steps[step]?.id ?? "",
          channel: from,
          advice: "The store lost what it had confirmed: see docs/lineage-stores.md",
        },
      );
    }
  }

  /** Undefined where channels have to wait for a place: the round is over. */
  #placeOrWait(fenced: readonly RecoverableChannel[]): Map<number, LostChannel> | undefined {
    if (this.#parts.slots().length === 0) {
      // The last one was lost before it had heard of the execution: another slot begins a round of its own.
      this.#round = undefined;
      return undefined;
    }
    try {
      return this.#placeLost(fenced);
    } catch (error) {
      if (!isMissing(error) || error.waitMs === undefined) throw error;
      this.#round = undefined;
      this.#waits = true;
      this.#parts.waits(error);
      return undefined;
    }
  }

  #placeLost(fenced: readonly RecoverableChannel[]): Map<number, LostChannel> {
    const { request, lives, client, sizes } = this.#parts;
    const found = placeAgain({
      plan: request.plan,
      slots: this.#parts.slots(),
      client,
      channels: lives.all,
      lost: fenced.map(({ channel }) => channel),
      chosen: this.#chosen,
      sizes: sizes(),
    });
    return new Map(
      fenced.map(({ channel: number, generation, lastSeq, checkpoints }) => {
        const slot = found.get(number) ?? client;
        return [number, { number, generation, lastSeq, checkpoints, slot }];
      }),
    );
  }

  /** Adds to an order what the plan of a recovery doesn't know: splits, and what the operator failed on. */
  #complete(order: ChannelOrder): ChannelOrder {
    const splits = this.#parts.request.splits.get(order.step)?.[order.channel];
    if (splits !== undefined) return { ...order, splits };
    const failed = this.#failed.get(this.#parts.lives.at(order.step, order.channel)?.number ?? -1);
    const { recovery } = order;
    return failed === undefined || recovery?.outputsOnly !== false
      ? order
      : { ...order, recovery: { ...recovery, failed } };
  }

  /** Slots that have links, or may have: others need not hear of it. */
  #survivors(): string[] {
    const known = new Set(this.#parts.known);
    return [...this.#parts.slots().map(({ id }) => id), this.#parts.client].filter((slot) => known.has(slot));
  }

  #current(number: number, phase: Round["phase"]): Round | undefined {
    return this.#round?.number === number && this.#round.phase === phase ? this.#round : undefined;
  }
}
