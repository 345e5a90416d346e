import { invariant, QStreamError } from "../../lib/core/errors.ts";
import { feedbackEdgeOf, topologicalOrder, type Plan } from "../../lib/core/plan.ts";
import { positionOf } from "../lineage/checkpoint-positions.ts";
import { fittingCheckpoints } from "../lineage/fitting-checkpoints.ts";
import type { KnownCheckpoint } from "../lineage/retention.ts";
import type { ChannelOrder, LifePlace, LinkOrder, PlacedLife } from "../slot/protocol.ts";
import type { ChannelLife, Lives } from "./lives.ts";

/** A lost channel, fenced: what its next life starts with. */
export interface LostChannel {
  readonly number: number;
  readonly generation: number;
  /** Seq of the last committed task, or -1. */
  readonly lastSeq: number;
  readonly slot: string;
  readonly checkpoints: readonly KnownCheckpoint[];
}

export interface RecoveryInput {
  readonly plan: Plan;
  readonly lives: Lives;
  readonly lost: ReadonlyMap<number, LostChannel>;
  /** Seq of the last parcel that came, at surviving consumers whose producer must be replaced, by `linkKey`. */
  readonly received: ReadonlyMap<string, number>;
  /** At surviving producers whose links wait to be opened: what follows this seq can still be sent, by `linkKey`. */
  readonly held: ReadonlyMap<string, number>;
  /** Where a channel that lost nothing could start, to make outputs again. */
  readonly checkpointsOf: (number: number) => readonly KnownCheckpoint[];
}

/** What is to be done, by slot; and where the lost channels live from now on. */
export interface RecoveryPlan {
  readonly placed: readonly PlacedLife[];
  readonly channels: ReadonlyMap<string, readonly ChannelOrder[]>;
  readonly links: ReadonlyMap<string, readonly LinkOrder[]>;
  /** Lives that only make outputs again. */
  readonly replays: readonly (LifePlace & { readonly number: number; readonly checkpoint: number })[];
  readonly recovered: readonly { readonly number: number; readonly life: number; readonly checkpoint: number }[];
}

/** A consumer that wants what a channel sent it after a seq. */
interface Need {
  readonly edge: number;
  readonly to: number;
  readonly consumer: LifePlace;
  readonly after: number;
  /** True for the present life of its channel: only such a one is served by the present life of the producer. */
  readonly live: boolean;
}

export function linkKey(edge: number, from: number, to: number): string {
  return `${edge}:${from}:${to}`;
}

/**
 * Decides from where each lost channel starts again, and which channels have to make outputs again that nobody holds any more:
 * from the sinks to the readers, since what a consumer needs decides what its producers start with.
 *
 * The algorithm is the design's (section 6.9), after the write-ahead lineage of Wang and Aiken (ICDE 2024), with checkpoints of
 * channels that lost nothing as starting points for what has to be made again.
 */
export function planRecovery(input: RecoveryInput): RecoveryPlan {
  return new Planner(input).plan();
}

class Planner {
  readonly #input: RecoveryInput;
  readonly #needs = new Map<number, Need[]>();
  readonly #placed: PlacedLife[] = [];
  readonly #channels = new Map<string, ChannelOrder[]>();
  readonly #links = new Map<string, LinkOrder[]>();
  readonly #replays: RecoveryPlan["replays"][number][] = [];
  readonly #recovered: { number: number; life: number; checkpoint: number }[] = [];

  constructor(input: RecoveryInput) {
    this.#input = input;
  }

  plan(): RecoveryPlan {
    const { plan, lives, received } = this.#input;
    for (const [key, after] of received) this.#survivorNeeds(key, after);
    const sorted = topologicalOrder(plan.steps.length, plan.edges);
    const order = "order" in sorted ? sorted.order : [];
    for (const step of [...order].reverse()) {
      const channels = plan.steps[step]?.channels ?? 0;
      const all = Array.from({ length: channels }, (_, channel) => lives.at(step, channel)).filter(isThere);
      const edge = feedbackEdgeOf(plan.steps[step]);
      if (edge === undefined) all.forEach((life) => this.#planChannel(life));
      else this.#planLoop(edge, all);
    }
    return {
      placed: this.#placed,
      channels: this.#channels,
      links: this.#links,
      replays: this.#replays,
      recovered: this.#recovered,
    };
  }

  #survivorNeeds(key: string, after: number): void {
    const { plan, lives, lost } = this.#input;
    const [edge = -1, from = -1, to = -1] = key.split(":").map(Number);
    const consumer = lives.at(plan.edges[edge]?.to ?? -1, to);
    const producer = lives.at(plan.edges[edge]?.from ?? -1, from);
    if (consumer === undefined || producer === undefined || lost.has(consumer.number)) return;
    this.#need(producer.number, { edge, to, consumer, after, live: true });
  }

  #planChannel(channel: ChannelLife): void {
    const needs = this.#needs.get(channel.number) ?? [];
    const lost = this.#input.lost.get(channel.number);
    const again: Need[] = needs.filter(({ live }) => !live);
    const live = needs.filter((need) => need.live);
    if (lost !== undefined) this.#recover(channel, lost, live);
    else {
      for (const need of live) {
        const held = this.#input.held.get(linkKey(need.edge, channel.channel, need.to)) ?? Infinity;
        if (need.after < held) again.push(need);
        else this.#connect(need, channel.channel);
      }
    }
    this.#replay(channel, again);
  }

  /**
   * The channels of a loop, which are lost together: from checkpoints that fit together. What they need of one another they make
   * again themselves.
   */
  #planLoop(edge: number, channels: readonly ChannelLife[]): void {
    const lost = channels.map(({ number }) => this.#input.lost.get(number)).filter(isThere);
    // Of others: what they need of one another is added below.
    const needs = channels.map(({ number }) => [...(this.#needs.get(number) ?? [])]);
    const isWhole = lost.length === channels.length && needs.flat().every(({ live }) => live);
    invariant(
      isWhole || lost.length + needs.flat().length === 0,
      "a loop is to make outputs again, and goes on itself",
    );
    if (lost.length === 0) return;
    const checkpoints = lost.map((each) => each.checkpoints);
    const newest = checkpoints.map((known) => known.length - 1);
    const line = fittingCheckpoints({ edge, channels: checkpoints }, newest, (channel, { made }) =>
      (needs[channel] ?? []).every((need) => positionOf(made, need.edge, need.to) <= need.after),
    );
    channels.forEach((channel, index) => {
      const checkpoint = checkpoints[index]?.[line?.[index] ?? -1];
      if (checkpoint === undefined) throw this.#notMade(channel);
      this.#recover(channel, lost[index] as LostChannel, needs[index] ?? [], checkpoint);
    });
    for (const { number, channel } of channels) {
      for (const need of this.#needs.get(number) ?? []) if (need.edge === edge) this.#connect(need, channel);
    }
  }

  /** Another life of a lost channel, from the newest checkpoint behind which it makes all that is needed. */
  #recover(
    channel: ChannelLife,
    lost: LostChannel,
    needs: readonly Need[],
    checkpoint: KnownCheckpoint = this.#startOf(channel, lost.checkpoints, needs),
  ): void {
    const { number, step } = channel;
    const place = { life: this.#input.lives.nextLife(), slot: lost.slot };
    this.#placed.push({ step, channel: channel.channel, ...place });
    this.#recovered.push({ number, life: place.life, checkpoint: checkpoint.seq });
    add(this.#channels, lost.slot, {
      step,
      channel: channel.channel,
      life: place.life,
      generation: lost.generation,
      recovery: { checkpoint: checkpoint.seq, through: lost.lastSeq, outputsOnly: false },
    });
    for (const need of needs) this.#connect(need, channel.channel);
    this.#needInputs(channel, place, checkpoint, true);
  }

  /** Lives that make outputs again: as few as can be, but each has one consumer a link. */
  #replay(channel: ChannelLife, needs: readonly Need[]): void {
    const groups: Map<string, Need>[] = [];
    for (const need of needs) {
      const link = `${need.edge}:${need.to}`;
      const group = groups.find((candidate) => !candidate.has(link));
      if (group === undefined) groups.push(new Map([[link, need]]));
      else group.set(link, need);
    }
    for (const group of groups) this.#replayFor(channel, [...group.values()]);
  }

  #replayFor(channel: ChannelLife, needs: readonly Need[]): void {
    const { lives, lost, held, checkpointsOf } = this.#input;
    const { number, step } = channel;
    const fenced = lost.get(number);
    const checkpoint = this.#startOf(channel, fenced?.checkpoints ?? checkpointsOf(number), needs);
    const place = { life: lives.nextLife(), slot: fenced?.slot ?? channel.slot };
    this.#replays.push({ ...place, number, checkpoint: checkpoint.seq });
    add(this.#channels, place.slot, {
      step,
      channel: channel.channel,
      life: place.life,
      generation: fenced?.generation ?? channel.generation,
      recovery: { checkpoint: checkpoint.seq, through: Infinity, outputsOnly: true },
      consumers: needs.map(({ edge, to, consumer: { life, slot } }) => ({ edge, to, life, slot })),
    });
    for (const need of needs) {
      // A consumer that itself only makes outputs again has no other producer to go on with.
      const through = need.live ? (held.get(linkKey(need.edge, channel.channel, need.to)) ?? Infinity) : Infinity;
      this.#connect(need, channel.channel, { ...place, through });
    }
    this.#needInputs(channel, place, checkpoint, false);
  }

  #startOf(channel: ChannelLife, checkpoints: readonly KnownCheckpoint[], needs: readonly Need[]): KnownCheckpoint {
    const checkpoint = checkpoints.findLast(({ made }) =>
      needs.every(({ edge, to, after }) => positionOf(made, edge, to) <= after),
    );
    if (checkpoint !== undefined) return checkpoint;
    throw this.#notMade(channel);
  }

  #notMade(channel: ChannelLife): QStreamError {
    const step = this.#input.plan.steps[channel.step]?.id ?? "";
    return new QStreamError("NOT_RECOVERABLE", "what its consumers lack can't be made again", {
      step,
      channel: channel.channel,
      advice: "No whole checkpoint reaches back to it, and neither does the log",
    });
  }

  #needInputs(channel: ChannelLife, consumer: LifePlace, checkpoint: KnownCheckpoint, live: boolean): void {
    const { plan, lives } = this.#input;
    for (const { edge } of plan.steps[channel.step]?.inputs ?? []) {
      const producer = plan.edges[edge]?.from ?? -1;
      const channels = plan.steps[producer]?.channels ?? 0;
      for (let from = 0; from < channels; from++) {
        const number = lives.at(producer, from)?.number ?? -1;
        const after = positionOf(checkpoint.consumed, edge, from);
        this.#need(number, { edge, to: channel.channel, consumer, after, live });
      }
    }
  }

  #connect({ edge, consumer }: Need, from: number, replay?: LinkOrder["replay"]): void {
    const link = { consumer: consumer.life, edge, from };
    add(this.#links, consumer.slot, replay === undefined ? link : { ...link, replay });
  }

  #need(producer: number, need: Need): void {
    const needs = this.#needs.get(producer);
    if (needs === undefined) this.#needs.set(producer, [need]);
    else needs.push(need);
  }
}

function isThere<T>(value: T | undefined): value is T {
  return value !== undefined;
}

function add<T>(lists: Map<string, T[]>, key: string, value: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
