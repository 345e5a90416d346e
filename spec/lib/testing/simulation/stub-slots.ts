// Slots that answer the scheduler and do nothing else: for heads and drivers at a scale at which channels can't all be run.
import { emptyMetrics } from "../../../../actors/channel/channel-metrics.ts";
import type { SlotHandle } from "../../../../actors/scheduler/execution-request.ts";
import type { ChannelOrder, LinkSurvey, Order, Report } from "../../../../actors/slot/protocol.ts";
import type { LaunchedSlots, LaunchOptions } from "../../../../actors/slots/slot-launcher.ts";
import type { Clock } from "../../../../lib/core/seam/clock.ts";
import type { Random } from "../../../../lib/core/seam/random.ts";

/** What stubs count. */
export interface StubCounts {
  prepared: number;
  started: number;
  /** Times at which a slot was asked where its links to lost lives stand. */
  surveyed: number;
  recovered: number;
  channels: number;
  orders: number;
}

interface Place {
  readonly step: number;
  readonly channel: number;
}

const progressEveryMs = 100;

/** The slots of one machine. */
export class StubSlots implements LaunchedSlots {
  readonly slots: readonly SlotHandle[];
  readonly client: SlotHandle;

  constructor(
    options: LaunchOptions,
    world: {
      readonly clock: Clock;
      readonly random: Random;
      readonly counts: StubCounts;
      /** Channels were given to a slot of the machine. */
      readonly prepared: (channels: number) => void;
    },
  ) {
    const machine = options.machine ?? "";
    const handle = (id: string): SlotHandle => {
      const slot = new StubSlot(id, world, options.onReport);
      return { id, machine, tags: [], order: (order) => slot.order(order), lose: () => {} };
    };
    this.slots = options.ids.map((id) => handle(id));
    this.client = handle(options.client);
  }

  replace(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

class StubSlot {
  readonly #id: string;
  readonly #world: ConstructorParameters<typeof StubSlots>[1];
  readonly #report: (report: Report) => void;
  #steps: readonly number[] = [];
  #edges: readonly { readonly from: number; readonly to: number }[] = [];
  #own: ChannelOrder[] = [];
  /** Channels of lives that aren't the first. */
  readonly #moved = new Map<number, Place>();
  #tasks = 0;
  #stopReports = (): void => {};

  constructor(id: string, world: ConstructorParameters<typeof StubSlots>[1], report: (report: Report) => void) {
    this.#id = id;
    this.#world = world;
    this.#report = report;
  }

  order(order: Order): void {
    const { counts } = this.#world;
    counts.orders++;
    if (!("execution" in order)) return;
    const own = { execution: order.execution, slot: this.#id };
    switch (order.kind) {
      case "prepare":
        this.#steps = order.plan.steps.map(({ channels }) => channels);
        this.#edges = order.plan.edges.map(({ from, to }) => ({ from, to }));
        this.#own.push(...order.channels);
        counts.prepared++;
        counts.channels += order.channels.length;
        this.#world.prepared(order.channels.length);
        this.#answer({ kind: "prepared", ...own });
        return;
      case "start":
        counts.started++;
        this.#keepReporting(order.execution);
        return;
      case "survey":
        counts.surveyed++;
        this.#answer({ kind: "surveyed", ...own, round: order.round, ...this.#survey(order.lost) });
        return;
      case "recover":
        for (const { life, step, channel } of order.placed) this.#moved.set(life, { step, channel });
        this.#own.push(...order.channels);
        counts.recovered += order.channels.length;
        this.#answer({ kind: "recovered", ...own, round: order.round });
        return;
      case "stop":
        this.#stopReports();
        this.#answer({ kind: "stopped", ...own });
        return;
      default:
    }
  }

  /** Where the links of lost lives stand: nothing was taken yet, and all can still be sent. */
  #survey(lost: readonly number[]): { readonly consumers: readonly LinkSurvey[]; readonly producers: LinkSurvey[] } {
    const consumers: LinkSurvey[] = [];
    const producers: LinkSurvey[] = [];
    for (const place of lost.map((life) => this.#placeOf(life))) {
      this.#edges.forEach(({ from, to }, edge) => {
        for (const { step, channel, life } of this.#own) {
          const seq = -1;
          if (from === place.step && to === step) {
            consumers.push({ life, edge, from: place.channel, to: channel, seq });
          } else if (to === place.step && from === step) {
            producers.push({ life, edge, from: channel, to: place.channel, seq });
          }
        }
      });
    }
    return { consumers, producers };
  }

  #placeOf(life: number): Place {
    const moved = this.#moved.get(life);
    if (moved !== undefined) return moved;
    let before = 0;
    for (const [step, channels] of this.#steps.entries()) {
      if (life < before + channels) return { step, channel: life - before };
      before += channels;
    }
    return { step: -1, channel: -1 };
  }

  #keepReporting(execution: string): void {
    const { clock, random } = this.#world;
    const report = (): void => {
      this.#tasks++;
      const channels = this.#own.map(({ step, channel }) => ({
        step,
        channel,
        state: "running" as const,
        metrics: { ...emptyMetrics(), tasks: this.#tasks },
      }));
      const replays = { lives: 0, busy: 0, pulse: 0 };
      const told = { execution, slot: this.#id, channels, replays, memoryBytes: 1, lateMessages: 0, onItsWay: false };
      this.#report({ kind: "progress", ...told });
      this.#stopReports = clock.after(progressEveryMs, report);
    };
    this.#stopReports = clock.after(random() * progressEveryMs, report);
  }

  #answer(report: Report): void {
    const { clock, random } = this.#world;
    clock.after(random(), () => this.#report(report));
  }
}
