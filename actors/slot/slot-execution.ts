import type { ChannelLog } from "../../lib/core/contracts/lineage.ts";
import type { LinkMessage } from "../../lib/core/contracts/transport.ts";
import { errorToData, invariant, QStreamError } from "../../lib/core/errors.ts";
import type { PlannedStep } from "../../lib/core/plan.ts";
import type { Program, StepCode } from "../../lib/core/program.ts";
import { seedOf } from "../../lib/core/seam/random.ts";
import { ChannelContext } from "../channel/channel-context.ts";
import { emptyMetrics, type ChannelMetrics } from "../channel/channel-metrics.ts";
import type { ChannelEvents, ChannelInput } from "../channel/channel-parts.ts";
import { Channel } from "../channel/channel.ts";
import { locate } from "../channel/failure.ts";
import { Inputs, windowOf } from "../channel/inputs.ts";
import { OutgoingLink } from "../channel/outgoing-link.ts";
import { Outputs, type OutgoingEdge } from "../channel/outputs.ts";
import { Spool, SpoolBudget } from "../channel/spool.ts";
import type { ReaderWork } from "../channel/reader-work.ts";
import type { Work } from "../channel/work.ts";
import type { ActorReference } from "../hosts/actor-host.ts";
import { noLineage } from "../lineage/no-lineage.ts";
import { channelReportsOf, replayReportOf, type ReportedChannel } from "./channel-reports.ts";
import { checkpointsOf, drains, offsetsOf, partStays, pausingInputs, verifyingTasks, workOf } from "./channel-work.ts";
import type { HostedExecution } from "./hosted-execution.ts";
import { Links, type Hosted } from "./links.ts";
import type {
  ChannelOrder,
  ChannelReport,
  DoneChannel,
  LinkOrder,
  Order,
  PrepareOrder,
  ReplayReport,
  Report,
} from "./protocol.ts";
import type { SharedParts } from "./slot.ts";
import type { ChannelNotes } from "./turn-notes.ts";

interface RunningChannel extends Hosted, ReportedChannel {
  actor: ActorReference<"turn"> | undefined;
  /** A turn is on its way: one is enough, whatever turned up. */
  scheduled: boolean;
  /** What it is at, for whoever watches the slot. */
  readonly notes: ChannelNotes | undefined;
}

/** One slot's part of an execution: its channels as actors, and the links between them and to other slots. */
export class SlotExecution implements HostedExecution {
  readonly id: string;
  readonly #order: PrepareOrder;
  readonly #parts: SharedParts;
  readonly #program: Program;
  readonly #channels = new Map<number, RunningChannel>();
  readonly #links: Links;
  readonly #spools: SpoolBudget;
  /** Number of the first channel of each step. */
  readonly #offsets: readonly number[];
  #done: DoneChannel[] = [];
  #started = false;

  constructor(order: PrepareOrder, program: Program, parts: SharedParts) {
    this.id = order.execution;
    this.#order = order;
    this.#parts = parts;
    this.#program = program;
    const { limits, plan } = order;
    this.#spools = new SpoolBudget(parts.disk(), limits);
    this.#offsets = offsetsOf(plan.steps);
    this.#links = new Links({
      execution: order.execution,
      slot: parts.id,
      transport: parts.transport,
      plan: {
        edges: plan.edges,
        inputOf: (step, edge) => plan.steps[step]?.inputs.findIndex((input) => input.edge === edge) ?? -1,
      },
      // A channel's first life has its number.
      live: order.placement.map((channels, step) =>
        channels.map((slot, channel) => ({
          life: (this.#offsets[step] ?? 0) + channel,
          slot: order.slots[slot] ?? "",
        })),
      ),
    });
    for (const channel of order.channels) this.#add(channel);
  }

  /** What it counts of messages that it drops. */
  get dropped(): Pick<Links, "staleMessages" | "repeatedParcels"> {
    return this.#links;
  }

  start(): void {
    this.#started = true;
    for (const hosted of this.#channels.values()) this.#wake(hosted);
  }

  receive(message: LinkMessage): void {
    this.#links.receive(message);
  }

  /** Some lives are over. Says where their links stand. */
  survey(order: Extract<Order, { kind: "survey" }>): Extract<Report, { kind: "surveyed" }> {
    const lost = new Set(order.lost);
    const ended = order.lost.flatMap((life) => this.#channels.get(life) ?? []);
    const reason = new QStreamError("ABORTED", "another life of the channel takes over");
    for (const hosted of ended) this.#forget(hosted);
    const { consumers, producers } = this.#links.cut(lost);
    // User code that doesn't end has nothing to say any more, and isn't waited for.
    for (const { channel } of ended) void channel.giveUp(reason);
    return { kind: "surveyed", execution: this.id, slot: this.#parts.id, round: order.round, consumers, producers };
  }

  /** Other lives take over; some start here, from their checkpoints. */
  async recover(order: Extract<Order, { kind: "recover" }>): Promise<void> {
    this.#links.place(order.placed);
    const added = order.channels.map((channel) => this.#add(channel));
    await Promise.all(added.map(({ channel, notes }) => during(notes, () => channel.recover())));
  }

  connect(links: readonly LinkOrder[]): void {
    for (const link of links) this.#links.connect(link);
    if (this.#started) for (const hosted of this.#channels.values()) this.#wake(hosted);
  }

  channelReports(): ChannelReport[] {
    return channelReportsOf(this.#channels.values());
  }

  /** Parcels are on their way to disk or from it. */
  get onItsWay(): boolean {
    return this.#spools.parcelsMoving > 0;
  }

  replayReport(): ReplayReport {
    return replayReportOf(this.#channels.values());
  }

  async commit(): Promise<void> {
    for (const { channel, notes } of this.#channels.values()) await during(notes, () => channel.commitSink());
  }

  async stop(reason: Error): Promise<void> {
    // What sinks have prepared belongs to whoever goes on with the execution.
    const stays = this.#order.resumable || (reason instanceof QStreamError && reason.code === "EXECUTION_TAKEN");
    const channels = [...this.#channels.values()];
    await Promise.all(channels.map(({ channel }) => (stays ? channel.giveUp(reason) : channel.stop(reason))));
    this.#parts.datasets.drop(this.id);
    await this.release();
  }

  async release(): Promise<void> {
    this.#parts.datasets.keep(this.id);
    for (const hosted of this.#channels.values()) hosted.actor?.stop();
    this.#channels.clear();
    this.#started = false;
    this.#parts.turns.leave(this.id);
    this.#parts.lineage.close(this.id);
    await this.#spools.disk.clear();
  }

  #add(order: ChannelOrder): RunningChannel {
    const step = this.#order.plan.steps[order.step];
    const code = this.#program.steps[order.step];
    invariant(step !== undefined && code !== undefined, `the plan has no step ${order.step}`);
    const metrics = emptyMetrics();
    const hosted: { -readonly [K in keyof RunningChannel]: RunningChannel[K] } = {
      life: order.life,
      step: order.step,
      index: order.channel,
      channel: undefined as unknown as Channel,
      links: new Map(),
      sources: new Map(),
      consumers: new Map(
        order.consumers?.map(({ edge, to, life, slot }) => [`${edge}:${to}`, { life, slot }] as const),
      ),
      actor: undefined,
      scheduled: false,
      reported: undefined,
      notes: this.#parts.notes?.channel(this.id, order.life),
    };
    const { notes } = hosted;
    const ctx = this.#contextOf(step, order, metrics);
    const edges = this.#outgoingEdges(step, order, hosted);
    hosted.channel = new Channel({
      step: order.step,
      ctx,
      work: during(notes, () => this.#work(step, code, order)),
      inputs: this.#inputsOf(step, hosted),
      inputEdges: step.inputs.map((input) => this.#channelInput(input.name, input.edge)),
      outputs: new Outputs(edges, metrics, {
        channel: order.channel,
        checksums: this.#order.logged || this.#parts.transport.checked === true,
        strict: this.#order.strict,
      }),
      limits: this.#order.limits,
      strict: this.#order.strict,
      clock: this.#parts.clock,
      lineage: this.#order.logged ? this.#parts.lineage : noLineage,
      log: this.#logOf(order),
      checkpoints: checkpointsOf(this.#order, order.step),
      recovery: order.recovery,
      drains: drains(order, this.#order),
      metrics,
      events: this.#eventsOf(step, hosted),
      notes,
      tasks: verifyingTasks(code, order, this.#order, {
        edges,
        context: (own) => this.#contextOf(step, order, own),
      }),
    });
    hosted.actor = this.#parts.host.spawn<"turn">(`${step.id}.${order.channel}`, {
      receive: () => {
        hosted.scheduled = false;
        return this.#parts.turns.take(this.id, () => during(notes, () => hosted.channel.turn()));
      },
      crashed: (error) => hosted.channel.failFrom(error),
    });
    this.#channels.set(order.life, hosted);
    this.#links.add(hosted);
    return hosted;
  }

  #logOf({ step, channel, generation }: ChannelOrder): ChannelLog {
    const { blobs } = this.#order.checkpoints;
    return { execution: this.id, number: this.#numberOf(step, channel), generation, blobs };
  }

  #contextOf(step: PlannedStep, order: ChannelOrder, metrics: ChannelMetrics): ChannelContext {
    const { limits, seed, openedAt, earlier } = this.#order;
    return new ChannelContext({
      execution: earlier?.startedAs ?? this.id,
      tasksBefore: earlier?.tasks,
      step: step.id,
      channel: order.channel,
      channels: step.channels,
      memoryBytes: step.placement.kind === "client" ? limits.collectBytes : limits.stateBytes,
      timersMax: limits.timers,
      files: this.#parts.files,
      spill: this.#parts.disk(),
      datasets: this.#parts.datasets,
      clock: this.#parts.clock,
      seed: seedOf(seed, order.step),
      openedAt,
      metrics,
    });
  }

  #eventsOf(step: PlannedStep, hosted: RunningChannel): ChannelEvents {
    return {
      wake: () => this.#wake(hosted),
      done: (part) => this.#channelDone(hosted, part),
      failed: (error, task) => {
        const { life } = hosted;
        const failure = { execution: this.id, slot: this.#parts.id, life, ...task, error: errorToData(error) };
        this.#parts.report({ kind: "channel-failed", ...failure });
      },
      replayed: () => this.#forget(hosted),
      cancelInput: (input) => {
        const edge = step.inputs[input]?.edge ?? -1;
        const producers = this.#channelsOf(this.#order.plan.edges[edge]?.from);
        for (let from = 0; from < producers; from++) this.#links.cancelInput(hosted, edge, from);
      },
    };
  }

  #work(step: PlannedStep, code: StepCode, order: ChannelOrder): Work | ReaderWork {
    try {
      return workOf(code, order, this.#order);
    } catch (error) {
      throw locate(error, { step: step.id, channel: order.channel });
    }
  }

  #channelInput(name: string, edge: number): ChannelInput {
    return { name, edge, after: this.#program.edges[edge]?.after ?? [] };
  }

  #inputsOf(step: PlannedStep, hosted: RunningChannel): Inputs {
    const { plan, limits } = this.#order;
    const inputs = step.inputs.map((planned) => {
      const links = this.#channelsOf(plan.edges[planned.edge]?.from);
      return { planned, links, window: windowOf(limits, links) };
    });
    const grant: ConstructorParameters<typeof Inputs>[1] = (input, from, objects, bytes) => {
      const edge = step.inputs[input]?.edge ?? -1;
      this.#links.tellProducer(hosted, edge, from, { kind: "credit", objects, bytes });
    };
    return new Inputs(inputs, grant, hosted.consumers.size > 0 ? [] : pausingInputs(step, this.#order));
  }

  #outgoingEdges(step: PlannedStep, order: ChannelOrder, hosted: RunningChannel): OutgoingEdge[] {
    return step.outputs.map((index) => {
      const edge = this.#order.plan.edges[index];
      const code = this.#program.edges[index];
      invariant(edge !== undefined && code !== undefined, `the plan has no edge ${index}`);
      const channels = this.#channelsOf(edge.to);
      const window = windowOf(this.#order.limits, step.channels);
      const links = Array.from({ length: channels }, (_, to) => {
        const spool = edge.spools ? this.#spoolOf(hosted) : undefined;
        const consumer = hosted.consumers.get(`${index}:${to}`);
        const target = this.#links.target(order.life, index, order.channel, to, consumer);
        const link = new OutgoingLink(index, to, window, target, spool, order.recovery === undefined);
        // A life that makes outputs again makes them for some consumers only.
        if (order.consumers !== undefined && consumer === undefined) link.close();
        return link;
      });
      hosted.links.set(index, links);
      const router = code.partition.router({ from: order.channel, producers: step.channels, channels });
      return { index, port: edge.port, before: code.before, router, links };
    });
  }

  #spoolOf(hosted: RunningChannel): Spool {
    return new Spool(this.#spools, {
      spilled: (bytes) => {
        hosted.channel.metrics.spooledBytes += bytes;
      },
      failed: (error) => hosted.channel.failFrom(error),
      settled: () => hosted.channel.spoolSettled(),
    });
  }

  #wake(hosted: RunningChannel): void {
    if (hosted.scheduled || !this.#started) return;
    hosted.scheduled = true;
    this.#parts.turns.want(this.id, hosted.actor);
  }

  #forget(hosted: RunningChannel): void {
    hosted.actor?.stop();
    this.#channels.delete(hosted.life);
    this.#links.remove(hosted.life);
    // A life that makes outputs again writes nothing, and has the name of the one that does.
    if (hosted.consumers.size > 0) {
      this.#links.cancelInputs(hosted);
      return;
    }
    const number = this.#numberOf(hosted.step, hosted.index);
    this.#parts.lineage.closeLog({ execution: this.id, number, generation: hosted.channel.generation });
  }

  #channelDone({ channel, life, step, index }: RunningChannel, part: unknown): void {
    this.#done.push({ step, channel: index, life, metrics: channel.metrics, part });
    if (this.#done.length > 1) return;
    // Channels that end in the same turn of the loop are reported together: there may be thousands.
    this.#parts.clock.soon(() => {
      const channels = this.#done;
      this.#done = [];
      try {
        this.#parts.report({ kind: "channels-done", execution: this.id, slot: this.#parts.id, channels });
      } catch (error) {
        // The part of a sink that isn't plain data can't be sent to the client.
        this.#failed(partStays(this.#order.plan, channels, error));
      }
    });
  }

  #failed(error: Error): void {
    this.#parts.report({ kind: "failed", execution: this.id, slot: this.#parts.id, error: errorToData(error) });
  }

  #channelsOf(step: number | undefined): number {
    return this.#order.plan.steps[step ?? -1]?.channels ?? 0;
  }

  #numberOf(step: number, channel: number): number {
    return (this.#offsets[step] ?? 0) + channel;
  }
}

/** Runs something of a channel while its slot's notes say so. */
function during<T>(notes: ChannelNotes | undefined, work: () => T): T {
  return notes === undefined ? work() : notes.during(work);
}
