import { loadBatches } from "../../../lib/core/batch/index.ts";
import type { Context } from "../../../lib/core/contracts/context.ts";
import type { OutputSink, SinkChannel } from "../../../lib/core/contracts/sink.ts";
import { nodeDisk } from "../../../lib/core/seam/node-disk.ts";
import { openFileSystem } from "../../../lib/files/index.ts";
import { testContext } from "../../../lib/testing/test-context.ts";

/** One life of a sink's channel. */
export interface Life {
  readonly channel: SinkChannel<unknown>;
  readonly ctx: Context;
  /** The first task that it has to run. */
  readonly next: number;
}

export interface LivesOptions {
  readonly execution?: string;
  readonly step?: string;
  readonly channel?: number;
  readonly channels?: number;
}

/** True if files can be gone on with after their writer is lost; else all tasks are written again. */
export const filesResume = "createResumable" in openFileSystem();

/** What an engine does with one channel of a sink over its lives, if the log has each task at once. Nothing is called when one is lost. */
export class Lives {
  readonly files = openFileSystem();
  readonly tasks: readonly (readonly unknown[])[];
  readonly #sink: OutputSink<unknown, unknown>;
  readonly #options: Required<LivesOptions>;
  readonly #spill = nodeDisk();
  readonly #lives: Life[] = [];
  #saved: { readonly state: unknown; readonly next: number } | undefined;

  constructor(
    sink: OutputSink<unknown, unknown>,
    tasks: readonly (readonly unknown[])[],
    { execution = "e1", step = "out", channel = 0, channels = 1 }: LivesOptions = {},
  ) {
    this.tasks = tasks;
    this.#sink = sink;
    this.#options = { execution, step, channel, channels };
  }

  /** Starts a life: from the newest checkpoint, or from nothing where there is none. */
  async begin(): Promise<Life> {
    await loadBatches();
    const ctx = testContext({ ...this.#options, files: this.files, spill: this.#spill });
    const channel = await this.#sink.open(ctx);
    const saved = this.#saved;
    const life = { channel, ctx, next: saved?.next ?? 0 };
    this.#lives.push(life);
    if (saved !== undefined) await channel.restore?.(structuredClone(saved.state) as never);
    return life;
  }

  /** Runs tasks that the log has, or gets, from one to before another. */
  async write({ channel, ctx }: Life, from: number, to: number): Promise<void> {
    for (let seq = from; seq < to; seq += 1) {
      await channel.write(this.tasks[seq] ?? [], Object.assign(ctx, { seq }));
      await channel.committed?.(seq);
    }
  }

  /** Saves the state that a life has after the tasks before `next`. False where the channel can't. */
  async save({ channel }: Life, next: number): Promise<boolean> {
    if (channel.snapshot === undefined || channel.restore === undefined) return false;
    this.#saved = { state: structuredClone(await channel.snapshot()), next };
    return true;
  }

  /** A life that runs tasks, saves its state after some of them, and is lost after some more. */
  async lose(saved: number, lost: number): Promise<Life> {
    const life = await this.begin();
    await this.write(life, life.next, saved);
    await this.save(life, saved);
    await this.write(life, saved, lost);
    return life;
  }

  /** The last life: runs what is left, and commits, repeatedly. */
  async end(): Promise<{ readonly part: unknown; readonly result: unknown }> {
    const { execution } = this.#options;
    await this.#sink.prepare?.({ files: this.files, execution, resuming: true });
    const life = await this.begin();
    await this.write(life, life.next, this.tasks.length);
    const part = await life.channel.done?.(life.ctx);
    await life.channel.commit?.();
    await life.channel.commit?.();
    return { part, result: await this.#sink.result([part]) };
  }

  /** Closes what lost lives hold open: their process would have ended. */
  async close(): Promise<void> {
    for (const { channel } of this.#lives) await channel.abort?.();
    await this.#spill.clear();
  }
}
