import type { EdgeSizes } from "../../lib/core/placement-strategy.ts";
import type { Plan } from "../../lib/core/plan.ts";
import { edgeSizes } from "../../lib/placement/index.ts";
import { addMetrics, emptyMetrics, type ChannelMetrics, type ObjectCounts } from "../channel/channel-metrics.ts";
import { waitsForOthers, type ChannelState } from "../channel/channel-parts.ts";
import type { LineageMetrics } from "../lineage/lineage-metrics.ts";
import type { ChannelReport, DoneChannel } from "../slot/protocol.ts";
import type { ChannelPlacement, ChannelSummary, ExecutionMetrics, StepSummary } from "./execution-events.ts";
import type { ExecutionRequest } from "./execution-request.ts";

interface KnownChannel {
  state: ChannelState;
  metrics: ChannelMetrics;
  waits: ChannelReport["waits"];
  /** The task whose code it waits for. */
  task: number | undefined;
  part: unknown;
  /** What its lives had counted in another process, before this one went on with the execution; known once it has reported. */
  origin?: ObjectCounts;
  /** What users have seen of a life that was lost: the next one repeats a part of it, and isn't shown to go back. */
  shown?: Shown;
}

/** A task whose code a channel waits for; -1 for `open`. */
export interface AwaitedTask extends ChannelPlacement {
  readonly task: number;
}

/** Counts that users see grow. */
const shownNames = ["objectsRead", "objectsIn", "objectsOut", "splitsDone", "bytesExchanged"] as const;
type Shown = Readonly<Record<(typeof shownNames)[number], number>>;

const nothing: ObjectCounts = { objectsRead: 0, objectsIn: 0, objectsOut: 0 };

/** What the scheduler knows of the channels of an execution. */
export class ExecutionRecord {
  readonly #execution: string;
  readonly #plan: Plan;
  /** Slot of each channel, by step. */
  readonly #placement: string[][];
  readonly #channels: KnownChannel[][];
  readonly #memory = new Map<string, number>();
  readonly #lateMessages = new Map<string, number>();
  readonly #lineage: () => LineageMetrics | undefined;
  readonly #resumed: boolean;
  #left: number;
  /** What all channels did, as one number. */
  #gotOn = 0;

  constructor(
    { execution, plan, resumed = false }: Pick<ExecutionRequest, "execution" | "plan" | "resumed">,
    slots: readonly string[],
    placement: readonly (readonly number[])[],
    lineage: () => LineageMetrics | undefined,
  ) {
    this.#resumed = resumed;
    this.#execution = execution;
    this.#lineage = lineage;
    this.#plan = plan;
    this.#placement = placement.map((channels) => channels.map((slot) => slots[slot] ?? ""));
    this.#channels = plan.steps.map((step) =>
      Array.from({ length: step.channels }, () => ({
        state: "starting" as const,
        metrics: emptyMetrics(),
        waits: undefined,
        task: undefined,
        part: undefined,
      })),
    );
    this.#left = plan.steps.reduce((sum, step) => sum + step.channels, 0);
  }

  get allDone(): boolean {
    return this.#left === 0;
  }

  progress(reports: readonly ChannelReport[], slot: string, memoryBytes: number, lateMessages = 0): void {
    this.#lateMessages.set(slot, lateMessages);
    this.#memory.set(slot, Math.max(this.#memory.get(slot) ?? 0, memoryBytes));
    for (const report of reports) {
      const known = this.#channels[report.step]?.[report.channel];
      if (known === undefined || known.state === "done") continue;
      // What it waited for, a store perhaps, is over: what that sets off may be on its way.
      if (known.state !== report.state && !waitsForOthers(known.state)) this.#gotOn++;
      known.state = report.state === "done" ? "running" : report.state;
      if (report.metrics !== undefined) this.#measured(known, report.metrics);
      known.waits = report.waits;
      known.task = report.task;
    }
  }

  done(channels: readonly DoneChannel[]): void {
    for (const channel of channels) {
      const known = this.#channels[channel.step]?.[channel.channel];
      if (known === undefined || known.state === "done") continue;
      known.state = "done";
      known.task = undefined;
      this.#measured(known, channel.metrics);
      known.part = channel.part;
      this.#left--;
    }
  }

  /** A channel's life is over, whatever it had done: another one is awaited. */
  lost(step: number, channel: number): void {
    const known = this.#channels[step]?.[channel];
    if (known === undefined) return;
    if (known.state === "done") this.#left++;
    known.shown = shownOf(known);
    known.state = "starting";
    known.task = undefined;
    known.part = undefined;
  }

  /** A channel's next life runs on another slot. */
  moved(step: number, channel: number, slot: string): void {
    const places = this.#placement[step];
    if (places !== undefined) places[channel] = slot;
  }

  /** Parts of the result of each sink, in channel order, by step. */
  parts(): Map<string, readonly unknown[]> {
    const parts = new Map<string, readonly unknown[]>();
    this.#plan.steps.forEach((step, index) => {
      if (step.kind === "sink")
        parts.set(
          step.id,
          (this.#channels[index] ?? []).map((channel) => channel.part),
        );
    });
    return parts;
  }

  placement(): ChannelPlacement[] {
    return this.#plan.steps.flatMap((step, index) =>
      (this.#placement[index] ?? []).map((slot, channel) => ({
        step: step.id,
        channel,
        slot,
      })),
    );
  }

  metrics(elapsedMs: number): ExecutionMetrics {
    const channels: ChannelSummary[] = [];
    const total = emptyMetrics();
    const steps = this.#plan.steps.map((step, index): StepSummary => {
      const sum = emptyMetrics();
      const known = this.#channels[index] ?? [];
      known.forEach((channel, at) => {
        const metrics = shownOf(channel);
        addMetrics(sum, metrics);
        const slot = this.#placement[index]?.[at] ?? "";
        channels.push({ step: step.id, channel: at, slot, state: channel.state, metrics });
      });
      addMetrics(total, sum);
      const channelsDone = known.filter((channel) => channel.state === "done").length;
      return { step: step.id, kind: step.kind, what: step.what, channels: step.channels, channelsDone, metrics: sum };
    });
    const memoryBytes = sumOf(this.#memory);
    const { bytesExchanged, spooledBytes: bytesSpooled, objectsRead: rowsRead } = total;
    return {
      execution: this.#execution,
      ...(this.#resumed ? { resumed: true as const } : {}),
      elapsedMs,
      steps,
      channels,
      rowsRead,
      bytesExchanged,
      bytesSpooled,
      memoryBytes,
      lateMessages: sumOf(this.#lateMessages),
      lineage: this.#lineage(),
    };
  }

  /** What was measured of the edges so far; undefined before anything was. */
  edgeSizes(): EdgeSizes | undefined {
    const steps = this.#channels.map((channels) => {
      let [bytesIn, bytesOut] = [0, 0];
      for (const { metrics } of channels) {
        bytesIn += metrics.bytesIn;
        bytesOut += metrics.bytesOut;
      }
      return { bytesIn, bytesOut };
    });
    return edgeSizes(this.#plan, steps);
  }

  /** Milliseconds that each channel was in tasks, by number. */
  busy(): number[] {
    return this.#channels.flatMap((channels) => channels.map(({ metrics }) => metrics.busyMs));
  }

  /** The tasks whose code channels wait for. Readers of sources without an end aren't among them: they may have nothing to give. */
  awaited(): AwaitedTask[] {
    const { steps } = this.#plan;
    return this.#channels.flatMap((channels, index) => {
      const { id = "", endless = false } = steps[index] ?? {};
      return channels.flatMap(({ task }, channel) => {
        if (task === undefined || endless) return [];
        return [{ step: id, channel, slot: this.#placement[index]?.[channel] ?? "", task }];
      });
    });
  }

  isDone(step: number, channel: number): boolean {
    return this.#channels[step]?.[channel]?.state === "done";
  }

  /** A number that changes whenever any channel got on. */
  pulse(): number {
    return this.#left + this.#gotOn;
  }

  #measured(known: KnownChannel, metrics: ChannelMetrics): void {
    // Of a life that was lost one more report may have come.
    if (known.shown !== undefined) known.shown = shownOf(known);
    this.#gotOn += pulseOf(metrics) - pulseOf(known.metrics);
    known.metrics = metrics;
    known.origin ??= (this.#resumed ? metrics.before : undefined) ?? nothing;
  }

  /**
   * Where everything waits for everything: the channels and edges, or undefined where something may still go on, as a channel may
   * that waits for a timer.
   */
  stuck(): { readonly edges: readonly number[]; readonly lines: readonly string[] } | undefined {
    const edges = new Set<number>();
    const lines: string[] = [];
    for (const [index, channels] of this.#channels.entries()) {
      for (const [at, channel] of channels.entries()) {
        if (channel.state === "done") continue;
        if (!waitsForOthers(channel.state)) return undefined;
        const id = this.#plan.steps[index]?.id ?? "";
        if (channel.state === "waiting-credit") {
          for (const edge of channel.waits?.edges ?? []) edges.add(edge);
          lines.push(`"${id}" channel ${at} waits for credit`);
        } else {
          lines.push(
            `"${id}" channel ${at} waits for ${(channel.waits?.inputs ?? []).map((name) => `input "${name}"`).join(", ")}`,
          );
        }
      }
    }
    return lines.length === 0 ? undefined : { edges: [...edges], lines };
  }
}

function sumOf(bySlot: ReadonlyMap<string, number>): number {
  return [...bySlot.values()].reduce((sum, value) => sum + value, 0);
}

function pulseOf({ tasks, spooledBytes, parcelsIn }: ChannelMetrics): number {
  return tasks + spooledBytes + parcelsIn;
}

/** What users see of a channel: all that it did since this process has it, whichever of its lives did it. */
function shownOf({ metrics, origin = nothing, shown }: KnownChannel): ChannelMetrics {
  const { before } = metrics;
  if (before === undefined && shown === undefined) return metrics;
  const { before: _before, ...whole } = metrics;
  if (before !== undefined) {
    whole.objectsRead += before.objectsRead - origin.objectsRead;
    whole.objectsIn += before.objectsIn - origin.objectsIn;
    whole.objectsOut += before.objectsOut - origin.objectsOut;
  }
  if (shown !== undefined) for (const name of shownNames) whole[name] = Math.max(whole[name], shown[name]);
  return whole;
}
