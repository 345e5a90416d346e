import type { LinkMessage } from "../../core/contracts/transport.ts";
import type { Plan, PlannedStep } from "../../core/plan.ts";

/** A life of a channel, as the scheduler's orders tell of it. */
export interface KnownLife {
  /** Number of its channel. */
  readonly number: number;
  /** It makes outputs again, and nothing else. */
  readonly outputsOnly: boolean;
}

/** The channels of a plan by number, as stores and lives have them. */
export class ChannelNumbers {
  readonly plan: Plan;
  readonly #offsets: number[] = [];
  /** How many channels there are. */
  readonly count: number;

  constructor(plan: Plan) {
    this.plan = plan;
    let offset = 0;
    for (const step of plan.steps) {
      this.#offsets.push(offset);
      offset += step.channels;
    }
    this.count = offset;
  }

  of(step: number, channel: number): number {
    return (this.#offsets[step] ?? 0) + channel;
  }

  placeOf(number: number): { readonly step: number; readonly index: number } {
    const step = this.#offsets.findLastIndex((offset) => offset <= number);
    return { step, index: number - (this.#offsets[step] ?? 0) };
  }

  stepOf(number: number): PlannedStep | undefined {
    return this.plan.steps[this.placeOf(number).step];
  }

  nameOf(number: number): string {
    const { step, index } = this.placeOf(number);
    return `channel ${index} of ${this.plan.steps[step]?.id ?? "a step"}`;
  }

  /** The edge whose parcels checkpoints of a channel may hold: what a loop without rounds feeds back. */
  capturedBy(number: number): number | undefined {
    return this.stepOf(number)?.inputs.find(({ feedback }) => feedback === "asynchronous")?.edge;
  }

  /** Channels of other steps that send something to a channel. */
  producersOf(number: number): number[] {
    const { step } = this.placeOf(number);
    return this.plan.edges.flatMap(({ from, to, kind }) => {
      const channels = to === step && kind === "forward" ? (this.plan.steps[from]?.channels ?? 0) : 0;
      return Array.from({ length: channels }, (_, index) => this.of(from, index));
    });
  }
}

/** Which lives there are, and which of them each channel has now. */
export class KnownLives {
  readonly #lives = new Map<number, KnownLife>();
  /** By channel: the life that was placed last. */
  readonly #present = new Map<number, number>();

  /** @param channels - a channel's first life has its number */
  constructor(channels: number) {
    for (let number = 0; number < channels; number++) this.add(number, { number, outputsOnly: false });
  }

  find(life: number): KnownLife | undefined {
    return this.#lives.get(life);
  }

  add(life: number, known: KnownLife): void {
    this.#lives.set(life, known);
  }

  /** A life is its channel's present one from now on, unless a later one is known. */
  place(life: number, number: number): void {
    this.add(life, { number, outputsOnly: false });
    this.#present.set(number, Math.max(life, this.#present.get(number) ?? -1));
  }

  presentOf(number: number): number | undefined {
    return this.#present.get(number);
  }

  /** True for a life that another one of its channel has followed. */
  isOver(life: number): boolean {
    const known = this.#lives.get(life);
    return known?.outputsOnly === false && (this.#present.get(known.number) ?? life) !== life;
  }
}

/** Which life of a producer each consumer talks to. */
export class HeardLives {
  readonly #heard = new Map<string, number>();

  /** A message leaves its slot. Returns the life that its consumer talks to if that is another one. */
  sent({ kind, consumer, edge, from, producer }: LinkMessage): number | undefined {
    if (kind !== "open" && kind !== "credit") return undefined;
    const key = `${consumer}:${edge}:${from}`;
    const heard = kind === "open" ? undefined : this.#heard.get(key);
    if (heard === undefined) this.#heard.set(key, producer);
    return heard === producer ? undefined : heard;
  }
}
