import type { EdgeSizes } from "../../lib/core/placement-strategy.ts";
import type { Plan } from "../../lib/core/plan.ts";
import { edgeSizes } from "../../lib/placement/index.ts";
import { addMetrics, emptyMetrics, type ChannelMetrics } from "../channel/channel-metrics.ts";
import { waitsForOthers, type ChannelState } from "../channel/channel-parts.ts";
import type { LineageMetrics } from "../lineage/lineage-metrics.ts";
import type { ChannelReport, DoneChannel } from "../slot/protocol.ts";
import type { ChannelPlacement, ChannelSummary, ExecutionMetrics, StepSummary } from "./execution-events.ts";
import type { ExecutionRequest } from "./execution-request.ts";

interface KnownChannel {
  state: ChannelState;
  metrics: ChannelMetrics;
  waits: ChannelReport["waits"];
  part: unknown;
}

/** What the scheduler knows of the channels of an execution. */
export class ExecutionRecord {
  readonly #execution: string;
  readonly #plan: Plan;
  /** Slot of each channel, by step. */
  readonly #placement: string[][];
  readonly #channels: KnownChannel[][];
  readonly #memory = new Map<string, number>();
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
        part: undefined,
      })),
    );
    this.#left = plan.steps.reduce((sum, step) => sum + step.channels, 0);
  }

  get allDone(): boolean {
    return this.#left === 0;
  }

  progress(reports: readonly ChannelReport[], slot: string, memoryBytes: number): void {
    this.#memory.set(slot, Math.max(this.#memory.get(slot) ?? 0, memoryBytes));
    for (const report of reports) {
      const known = this.#channels[report.step]?.[report.channel];
      if (known === undefined || known.state === "done") continue;
      // What it waited for, a store perhaps, is over: what that sets off may be on its way.
      if (known.state !== report.state && !waitsForOthers(known.state)) this.#gotOn++;
      known.state = report.state === "done" ? "running" : report.state;
      if (report.metrics !== undefined) this.#measured(known, report.metrics);
      known.waits = report.waits;
    }
  }

  done(channels: readonly DoneChannel[]): void {
    for (const channel of channels) {
      const known = this.#channels[channel.step]?.[channel.channel];
      if (known === undefined || known.state === "done") continue;
      known.state = "done";
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
    known.state = "starting";
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
        addMetrics(sum, channel.metrics);
        const slot = this.#placement[index]?.[at] ?? "";
        channels.push({ step: step.id, channel: at, slot, state: channel.state, metrics: channel.metrics });
      });
      addMetrics(total, sum);
      const channelsDone = known.filter((channel) => channel.state === "done").length;
      return { step: step.id, kind: step.kind, what: step.what, channels: step.channels, channelsDone, metrics: sum };
    });
    const memoryBytes = [...this.#memory.values()].reduce((sum, bytes) => sum + bytes, 0);
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

  isDone(step: number, channel: number): boolean {
    return this.#channels[step]?.[channel]?.state === "done";
  }

  /** A number that changes whenever any channel got on. */
  pulse(): number {
    return this.#left + this.#gotOn;
  }

  #measured(known: KnownChannel, metrics: ChannelMetrics): void {
    this.#gotOn += pulseOf(metrics) - pulseOf(known.metrics);
    known.metrics = metrics;
  }

  /** Where everything waits for everything: the channels and edges, or undefined where something may still go on. */
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

function pulseOf({ tasks, spooledBytes, parcelsIn }: ChannelMetrics): number {
  return tasks + spooledBytes + parcelsIn;
}
