import type { LinkMessage } from "../../lib/core/contracts/transport.ts";
import { errorToData, invariant, QStreamError } from "../../lib/core/errors.ts";
import type { PlannedStep } from "../../lib/core/plan.ts";
import type { Program, StepCode } from "../../lib/core/program.ts";
import { ChannelContext } from "../channel/channel-context.ts";
import { emptyMetrics } from "../channel/channel-metrics.ts";
import type { ChannelInput } from "../channel/channel-parts.ts";
import { Channel } from "../channel/channel.ts";
import { locate } from "../channel/failure.ts";
import { Inputs, windowOf } from "../channel/inputs.ts";
import { OutgoingLink, type LinkTarget } from "../channel/outgoing-link.ts";
import { Outputs, type OutgoingEdge } from "../channel/outputs.ts";
import type { Parcel } from "../channel/parcel.ts";
import { Spool, type SpoolBudget } from "../channel/spool.ts";
import { OperatorWork, ReaderWork, SinkWork, type Work } from "../channel/work.ts";
import type { ActorReference } from "../hosts/actor-host.ts";
import type { ChannelOrder, ChannelReport, DoneChannel, PrepareOrder } from "./protocol.ts";
import type { SlotParts } from "./slot.ts";

interface Hosted {
  readonly channel: Channel;
  readonly links: Map<number, readonly OutgoingLink[]>;
  actor: ActorReference<"turn"> | undefined;
  /** A turn is on its way: one is enough, whatever turned up. */
  scheduled: boolean;
  /** State and counts as they were reported last. */
  reported: string | undefined;
}

/** One slot's part of an execution: its channels as actors, and the links between them and to other slots. */
export class SlotExecution {
  readonly id: string;
  readonly #order: PrepareOrder;
  readonly #parts: SlotParts;
  readonly #program: Program;
  readonly #channels = new Map<number, Hosted>();
  readonly #offsets: number[] = [];
  readonly #spools: SpoolBudget;
  #done: DoneChannel[] = [];
  #started = false;

  constructor(order: PrepareOrder, program: Program, parts: SlotParts) {
    this.id = order.execution;
    this.#order = order;
    this.#parts = parts;
    this.#program = program;
    const { limits } = order;
    this.#spools = {
      disk: parts.disk(),
      memoryBytesMax: limits.spoolMemoryBytes,
      diskBytesMax: limits.spoolDiskBytes,
      memoryBytes: 0,
      diskBytes: 0,
    };
    let offset = 0;
    for (const step of order.plan.steps) {
      this.#offsets.push(offset);
      offset += step.channels;
    }
    for (const channel of order.channels) this.#add(channel);
  }

  start(): void {
    this.#started = true;
    for (const hosted of this.#channels.values()) this.#wake(hosted);
  }

  receive(message: LinkMessage): void {
    const edge = this.#order.plan.edges[message.edge];
    invariant(edge !== undefined, `a message came for edge ${message.edge}, which the plan doesn't have`);
    switch (message.kind) {
      case "parcel": {
        const { payload, seq, previous, from } = message;
        const columnar = payload.format === "batch";
        const parcel = {
          from,
          seq,
          previous,
          rows: payload.rows,
          bytes: payload.bytes.byteLength,
          columnar,
          content: { payload },
        };
        this.#deliver(message.edge, message.to, parcel);
        return;
      }
      case "end":
        this.#deliverEnd(message.edge, message.from, message.to, message.previous);
        return;
      case "credit":
        this.#grant(message.edge, message.from, message.to, message.objects, message.bytes);
        return;
      case "cancel":
        this.#cancel(message.edge, message.from, message.to);
    }
  }

  /** The channels that changed since they were reported last: there may be thousands that didn't. */
  channelReports(): ChannelReport[] {
    const reports: ChannelReport[] = [];
    for (const hosted of this.#channels.values()) {
      const { channel } = hosted;
      const { tasks, parcelsIn, spooledBytes } = channel.metrics;
      const condition = `${channel.state} ${tasks} ${parcelsIn} ${spooledBytes}`;
      if (condition === hosted.reported) continue;
      hosted.reported = condition;
      const idle = tasks + parcelsIn === 0;
      reports.push({
        step: channel.step,
        channel: channel.index,
        state: channel.state,
        waits: channel.describeWait(),
        ...(idle ? {} : { metrics: channel.metrics }),
      });
    }
    return reports;
  }

  async commit(): Promise<void> {
    for (const { channel } of this.#channels.values()) await channel.commitSink();
  }

  async stop(reason: Error): Promise<void> {
    await Promise.all([...this.#channels.values()].map(({ channel }) => channel.stop(reason)));
    this.#parts.datasets.drop(this.id);
    await this.release();
  }

  async release(): Promise<void> {
    this.#parts.datasets.keep(this.id);
    for (const hosted of this.#channels.values()) hosted.actor?.stop();
    this.#channels.clear();
    await this.#spools.disk.clear();
  }

  #add(order: ChannelOrder): void {
    const step = this.#order.plan.steps[order.step];
    const code = this.#program.steps[order.step];
    invariant(step !== undefined && code !== undefined, `the plan has no step ${order.step}`);
    const metrics = emptyMetrics();
    const ctx = new ChannelContext({
      execution: this.id,
      step: step.id,
      channel: order.channel,
      channels: step.channels,
      memoryBytes: step.placement.kind === "client" ? this.#order.limits.collectBytes : this.#order.limits.stateBytes,
      files: this.#parts.files,
      spill: this.#parts.disk(),
      datasets: this.#parts.datasets,
      clock: this.#parts.clock,
      seed: this.#order.seed + order.step,
      metrics,
    });
    const hosted: { -readonly [K in keyof Hosted]: Hosted[K] } = {
      channel: undefined as unknown as Channel,
      links: new Map(),
      actor: undefined,
      scheduled: false,
      reported: undefined,
    };
    const outputs = new Outputs(this.#outgoingEdges(step, order, hosted), metrics);
    hosted.channel = new Channel({
      step: order.step,
      ctx,
      work: this.#work(step, code, order),
      inputs: this.#inputsOf(step, order),
      inputEdges: step.inputs.map((input) => this.#channelInput(input.name, input.edge)),
      outputs,
      limits: this.#order.limits,
      strict: this.#order.strict,
      clock: this.#parts.clock,
      lineage: this.#parts.lineage,
      metrics,
      events: {
        wake: () => this.#wake(hosted),
        done: (part) => this.#channelDone(hosted.channel, part),
        failed: (error) => this.#failed(error),
        cancelInput: (input) => this.#cancelInput(step, order.channel, input),
      },
    });
    hosted.actor = this.#parts.host.spawn<"turn">(`${step.id}.${order.channel}`, {
      receive: () => {
        hosted.scheduled = false;
        return hosted.channel.turn();
      },
      crashed: (error) => hosted.channel.failFrom(error),
    });
    this.#channels.set(this.#channelKey(order.step, order.channel), hosted);
  }

  #work(step: PlannedStep, code: StepCode, order: ChannelOrder): Work | ReaderWork {
    try {
      return workOf(code, order, this.#order.strict);
    } catch (error) {
      throw locate(error, { step: step.id, channel: order.channel });
    }
  }

  #channelInput(name: string, edge: number): ChannelInput {
    return { name, edge, after: this.#program.edges[edge]?.after ?? [] };
  }

  #inputsOf(step: PlannedStep, order: ChannelOrder): Inputs {
    const { plan, limits } = this.#order;
    const inputs = step.inputs.map((planned) => {
      const links = this.#channelsOf(plan.edges[planned.edge]?.from);
      return { planned, links, window: windowOf(limits, links) };
    });
    return new Inputs(inputs, (input, from, objects, bytes) => {
      const edge = step.inputs[input]?.edge ?? -1;
      this.#toProducer(edge, from, order.channel, { kind: "credit", objects, bytes });
    });
  }

  #outgoingEdges(step: PlannedStep, order: ChannelOrder, hosted: Hosted): OutgoingEdge[] {
    return step.outputs.map((index) => {
      const edge = this.#order.plan.edges[index];
      const code = this.#program.edges[index];
      invariant(edge !== undefined && code !== undefined, `the plan has no edge ${index}`);
      const channels = this.#channelsOf(edge.to);
      const window = windowOf(this.#order.limits, step.channels);
      const links = Array.from({ length: channels }, (_, to) => {
        const spool = edge.spools ? this.#spoolOf(hosted) : undefined;
        return new OutgoingLink(index, to, window, this.#target(index, edge.to, order.channel, to), spool);
      });
      hosted.links.set(index, links);
      const router = code.partition.router({ from: order.channel, producers: step.channels, channels });
      return { index, port: edge.port, before: code.before, router, links };
    });
  }

  #spoolOf(hosted: Hosted): Spool {
    return new Spool(this.#spools, {
      spilled: (bytes) => {
        hosted.channel.metrics.spooledBytes += bytes;
      },
      failed: (error) => hosted.channel.failFrom(error),
      settled: () => hosted.channel.spoolSettled(),
    });
  }

  #target(edge: number, toStep: number, from: number, to: number): LinkTarget {
    const slot = this.#slotOf(toStep, to);
    const address = { execution: this.id, edge, from, to };
    if (slot === this.#parts.id) {
      return {
        local: true,
        slot,
        parcel: (parcel) => this.#deliver(edge, to, parcel),
        end: (previous) => this.#deliverEnd(edge, from, to, previous),
      };
    }
    const { transport } = this.#parts;
    return {
      local: false,
      slot,
      parcel: ({ seq, previous, content }) => {
        invariant("payload" in content, "a parcel that leaves its slot isn't encoded");
        transport.send(slot, { ...address, kind: "parcel", seq, previous, payload: content.payload });
      },
      end: (previous) => transport.send(slot, { ...address, kind: "end", previous }),
    };
  }

  #deliver(edge: number, to: number, parcel: Parcel): void {
    const { hosted, input } = this.#consumer(edge, to);
    hosted?.channel.receive(input, parcel);
  }

  #deliverEnd(edge: number, from: number, to: number, lastSeq: number): void {
    const { hosted, input } = this.#consumer(edge, to);
    hosted?.channel.inputEnded(input, from, lastSeq);
  }

  #consumer(edge: number, to: number): { readonly hosted: Hosted | undefined; readonly input: number } {
    const step = this.#order.plan.edges[edge]?.to ?? -1;
    const input = this.#order.plan.steps[step]?.inputs.findIndex((candidate) => candidate.edge === edge) ?? -1;
    return { hosted: this.#channels.get(this.#channelKey(step, to)), input };
  }

  #toProducer(
    edge: number,
    from: number,
    to: number,
    message:
      | { readonly kind: "credit"; readonly objects: number; readonly bytes: number }
      | { readonly kind: "cancel" },
  ): void {
    const producer = this.#order.plan.edges[edge]?.from ?? -1;
    const slot = this.#slotOf(producer, from);
    if (slot !== this.#parts.id) this.#parts.transport.send(slot, { execution: this.id, edge, from, to, ...message });
    else if (message.kind === "cancel") this.#cancel(edge, from, to);
    else this.#grant(edge, from, to, message.objects, message.bytes);
  }

  #grant(edge: number, from: number, to: number, objects: number, bytes: number): void {
    const producer = this.#producer(edge, from);
    const link = producer?.links.get(edge)?.[to];
    if (link !== undefined) producer?.channel.granted(link, objects, bytes);
  }

  #cancel(edge: number, from: number, to: number): void {
    const producer = this.#producer(edge, from);
    const link = producer?.links.get(edge)?.[to];
    if (link !== undefined) producer?.channel.linkCancelled(link);
  }

  #producer(edge: number, from: number): Hosted | undefined {
    return this.#channels.get(this.#channelKey(this.#order.plan.edges[edge]?.from ?? -1, from));
  }

  #cancelInput(step: PlannedStep, channel: number, input: number): void {
    const edge = step.inputs[input]?.edge ?? -1;
    const producers = this.#channelsOf(this.#order.plan.edges[edge]?.from);
    for (let from = 0; from < producers; from++) this.#toProducer(edge, from, channel, { kind: "cancel" });
  }

  #wake(hosted: Hosted): void {
    if (hosted.scheduled || !this.#started) return;
    hosted.scheduled = true;
    hosted.actor?.tell("turn");
  }

  #channelDone(channel: Channel, part: unknown): void {
    this.#done.push({ step: channel.step, channel: channel.index, metrics: channel.metrics, part });
    if (this.#done.length > 1) return;
    // Channels that end in the same turn of the loop are reported together: there may be thousands.
    this.#parts.clock.soon(() => {
      const channels = this.#done;
      this.#done = [];
      try {
        this.#parts.report({ kind: "channels-done", execution: this.id, slot: this.#parts.id, channels });
      } catch (error) {
        // The part of a sink that isn't plain data can't be sent to the client.
        const sinks = channels
          .filter((done) => done.part !== undefined)
          .map((done) => this.#order.plan.steps[done.step]?.id);
        this.#failed(
          new QStreamError(
            "CANNOT_TRAVEL",
            `what a sink returned for its part of the result can't travel: ${String(error)}`,
            {
              ...(sinks[0] === undefined ? {} : { step: sinks[0] }),
              advice: "Return plain data from the sink's done",
              cause: error,
            },
          ),
        );
      }
    });
  }

  #failed(error: Error): void {
    this.#parts.report({ kind: "failed", execution: this.id, slot: this.#parts.id, error: errorToData(error) });
  }

  #channelsOf(step: number | undefined): number {
    return this.#order.plan.steps[step ?? -1]?.channels ?? 0;
  }

  #slotOf(step: number, channel: number): string {
    return this.#order.slots[this.#order.placement[step]?.[channel] ?? -1] ?? "";
  }

  #channelKey(step: number, channel: number): number {
    return (this.#offsets[step] ?? 0) + channel;
  }
}

function workOf(code: StepCode, order: ChannelOrder, strict: boolean): Work | ReaderWork {
  switch (code.kind) {
    case "reader":
      return new ReaderWork(code.reader, order.splits ?? []);
    case "operator":
      return new OperatorWork(code.create, strict);
    case "sink":
      return new SinkWork(code.sink);
  }
}
