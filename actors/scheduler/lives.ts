import type { Plan } from "../../lib/core/plan.ts";

/** The present life of a channel. */
export interface ChannelLife {
  /** Number of the channel within its execution. */
  readonly number: number;
  readonly step: number;
  readonly channel: number;
  readonly life: number;
  readonly generation: number;
  readonly slot: string;
}

/** Which life of each channel of an execution is live, and where. A channel's first life has the channel's number. */
export class Lives {
  readonly #channels: ChannelLife[] = [];
  readonly #offsets: number[] = [];
  #next: number;
  /** Changes whenever a channel goes elsewhere. */
  version = 0;

  /** @param firstLife - the number of the first life after those that channels have at first, if another process had used some */
  constructor(plan: Plan, slotOf: (step: number, channel: number) => string, firstLife = 0) {
    plan.steps.forEach((step, index) => {
      this.#offsets.push(this.#channels.length);
      for (let channel = 0; channel < step.channels; channel++) {
        const number = this.#channels.length;
        this.#channels.push({
          number,
          step: index,
          channel,
          life: number,
          generation: 0,
          slot: slotOf(index, channel),
        });
      }
    });
    this.#next = this.#channels.length + firstLife;
  }

  get all(): readonly ChannelLife[] {
    return this.#channels;
  }

  /** A number that no life had. */
  nextLife(): number {
    return this.#next++;
  }

  at(step: number, channel: number): ChannelLife | undefined {
    return this.#channels[(this.#offsets[step] ?? 0) + channel];
  }

  ofLife(life: number): ChannelLife | undefined {
    return life < this.#channels.length && this.#channels[life]?.life === life
      ? this.#channels[life]
      : this.#channels.find((channel) => channel.life === life);
  }

  on(slots: readonly string[]): ChannelLife[] {
    return this.#channels.filter((channel) => slots.includes(channel.slot));
  }

  replace(number: number, by: { readonly life: number; readonly generation: number; readonly slot: string }): void {
    const channel = this.#channels[number];
    if (channel === undefined) return;
    this.#channels[number] = { ...channel, ...by };
    this.version++;
  }
}
