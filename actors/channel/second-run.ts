import type { TaskRecord } from "../../lib/core/contracts/lineage.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import type { ChannelContext } from "./channel-context.ts";
import { emptyMetrics, type ChannelMetrics } from "./channel-metrics.ts";
import type { ChannelParts } from "./channel-parts.ts";
import type { OutgoingEdge } from "./edge-functions.ts";
import { OutgoingLink } from "./outgoing-link.ts";
import { Outputs, type Outgoing } from "./outputs.ts";
import { ReaderWork } from "./reader-work.ts";
import { compareSent, sentOf, unlike, type Sent } from "./sent-twice.ts";
import { Tasks } from "./tasks.ts";
import type { PendingTimer } from "./timers.ts";
import type { Work } from "./work.ts";

const unbounded = { objects: Infinity, bytes: Infinity };

/**
 * Tasks of a channel that are run once more beside it: with a second instance of its operator, a context of its own, and
 * links that lead nowhere. Nothing of what it does is logged, sent or counted.
 */
export class SecondRun {
  readonly work: Work | ReaderWork;
  readonly #ctx: ChannelContext;
  readonly #tasks: ComparedTasks;

  constructor(
    parts: ChannelParts,
    own: {
      readonly work: Work | ReaderWork;
      readonly edges: readonly OutgoingEdge[];
      readonly context: (metrics: ChannelMetrics) => ChannelContext;
    },
  ) {
    const { strict } = parts;
    const metrics = emptyMetrics();
    this.work = own.work;
    this.#ctx = own.context(metrics);
    const edges = own.edges.map((edge) => ({ ...edge, links: edge.links.map(mirrorOf) }));
    const outputs = new Outputs(edges, metrics, { channel: this.#ctx.channel, strict });
    const inputs = { release: () => {}, nextRound: () => {}, ended: false };
    const { work } = own;
    this.#tasks = new ComparedTasks(
      { ...parts, work, ctx: this.#ctx, outputs, inputs, metrics, notes: undefined },
      () => {},
    );
  }

  /** True once user code called `ctx.stop()`. */
  get stopped(): boolean {
    return this.#ctx.stopped;
  }

  /** Its pending timers. */
  get timers(): readonly PendingTimer[] {
    return this.#ctx.pendingTimers?.list() ?? [];
  }

  /** Takes over the state and the timers that there were before the task. */
  async restore(work: Work, state: unknown, timers: readonly PendingTimer[]): Promise<void> {
    try {
      await work.open(this.#ctx);
      this.#ctx.restoreTimers(timers);
      await work.restore(state);
    } catch (error) {
      throw threw("its state couldn't be restored", error);
    }
  }

  /**
   * Runs a task that ran just now.
   *
   * @param before - what it sent
   * @throws QStreamError NONDETERMINISTIC if it does something else
   */
  async repeat(
    record: TaskRecord,
    before: readonly Sent[],
    run: (tasks: Tasks, work: Work | ReaderWork) => void | Promise<void>,
  ): Promise<void> {
    this.#tasks.seq = record.seq - 1;
    this.#tasks.follow(record);
    this.#tasks.before = before;
    try {
      await run(this.#tasks, this.work);
    } catch (error) {
      throw threw("the task failed", error);
    }
  }

  async close(): Promise<void> {
    this.#ctx.abort(new QStreamError("ABORTED", "the task was only run to see whether it does the same again"));
    const output = this.#tasks.stop();
    await Promise.allSettled([output?.close(), this.work instanceof ReaderWork ? undefined : this.work.close()]);
    await this.#ctx.spill.clear();
  }
}

/** Compares objects before it's compared with the record, which only has their number and a checksum. */
class ComparedTasks extends Tasks {
  before: readonly Sent[] = [];

  protected override routed(outgoing: readonly Outgoing[]): void {
    compareSent(sentOf(outgoing), this.before);
  }
}

/** A link that leads nowhere, and does as the other one where encoding depends on that. */
function mirrorOf(link: OutgoingLink): OutgoingLink {
  return new OutgoingLink(
    link.edge,
    link.to,
    unbounded,
    {
      get local() {
        return link.target.local;
      },
      slot: "",
      parcel: () => {},
      end: () => {},
    },
    undefined,
  );
}

function threw(what: string, error: unknown): QStreamError {
  // A disk that damages what it is given isn't the flow's fault.
  const codes = ["NONDETERMINISTIC", "SPOOL_DAMAGED"];
  if (error instanceof QStreamError && codes.includes(error.code)) return error;
  const message = error instanceof Error ? error.message : String(error);
  return unlike(`didn't get as far: ${what}: ${message}`, "it did what it was to do", error);
}
