import * as fc from "fast-check";
import type { Context } from "../../../lib/core/contracts/context.ts";
import type { OutputSink, SinkChannel } from "../../../lib/core/contracts/sink.ts";
import { testContext } from "../../../lib/testing/test-context.ts";

/** An object of one of two producers. */
export interface SentObject {
  readonly from: number;
  readonly n: number;
}

type Parcel = readonly SentObject[];

/** What a life does after the tasks that it finds in the log. */
export interface LifeScript {
  /** Whose parcels each of its tasks takes, and how many: what is there depends on what has come. */
  readonly takes: readonly { readonly from: number; readonly parcels: number }[];
  /** How many of these tasks the log has when the life is lost. */
  readonly logged: number;
  /** Whether the state is saved before the last of them. */
  readonly saves: boolean;
  /** Whether what it does with logged tasks is waited for, or goes on beside the next life. */
  readonly hurries: boolean;
  /** Tasks that it takes when its place is another's: the log refuses them. */
  readonly late: number;
}

/** Fewer tasks than a sink may hold while the log has none of them. */
const takesMost = 5;

export const lifeScripts: fc.Arbitrary<LifeScript[]> = fc.array(
  fc.record({
    takes: fc.array(fc.record({ from: fc.nat(1), parcels: fc.integer({ min: 1, max: 3 }) }), { maxLength: takesMost }),
    logged: fc.nat(takesMost),
    saves: fc.boolean(),
    hurries: fc.boolean(),
    late: fc.nat(2),
  }),
  { minLength: 1, maxLength: 4 },
);

/** A life, and how many parcels of each producer it has taken. */
interface RunningLife {
  readonly channel: SinkChannel<unknown>;
  readonly ctx: Context & { seq: number };
  seq: number;
  taken: number[];
}

/**
 * What an engine does with one channel of a sink that has two producers, over its lives: a new one is given the tasks that the log
 * has, and what it takes then needn't be what the lost one took.
 */
export class LoggedLives {
  readonly #sink: OutputSink<unknown, unknown>;
  readonly #producers: readonly (readonly Parcel[])[];
  readonly #log: { readonly objects: Parcel; readonly taken: readonly number[] }[] = [];
  readonly #opened: SinkChannel<unknown>[] = [];
  #saved: { readonly state: unknown; readonly next: number } | undefined;

  constructor(sink: OutputSink<unknown, unknown>, producers: readonly (readonly Parcel[])[]) {
    this.#sink = sink;
    this.#producers = producers;
  }

  /** Runs lives that are lost, and one that comes to the end. Gives the sink's result. */
  async run(scripts: readonly LifeScript[]): Promise<unknown> {
    let late: (() => Promise<void>) | undefined;
    const beside: Promise<unknown>[] = [];
    for (const script of scripts) {
      const life = await this.#begin();
      beside.push(...(await this.#lose(life, script)));
      await late?.();
      late = async () => {
        for (const take of script.takes.slice(0, script.late)) await this.#write(life, take);
      };
    }
    const last = await this.#begin();
    await late?.();
    beside.push(...(await this.#takeAll(last)));
    const part = await last.channel.done?.(last.ctx);
    await Promise.all(beside);
    await last.channel.commit?.();
    return this.#sink.result([part]);
  }

  async close(): Promise<void> {
    for (const channel of this.#opened) await channel.abort?.();
  }

  /** A new life: restored, and given what the log has. */
  async #begin(): Promise<RunningLife> {
    const ctx = testContext({ execution: "e1", step: "out" });
    const channel = await this.#sink.open(ctx);
    this.#opened.push(channel);
    if (this.#saved !== undefined) await channel.restore?.(structuredClone(this.#saved.state) as never);
    for (let seq = this.#saved?.next ?? 0; seq < this.#log.length; seq++) {
      await channel.write(this.#log[seq]?.objects ?? [], Object.assign(ctx, { seq }));
      await channel.committed?.(seq);
    }
    const taken = this.#log.at(-1)?.taken ?? this.#producers.map(() => 0);
    return { channel, ctx, seq: this.#log.length, taken: [...taken] };
  }

  /** Takes tasks, of which the log gets the first: what the sink does with these is still on its way, or waited for. */
  async #lose(life: RunningLife, { takes, logged, saves, hurries }: LifeScript): Promise<Promise<unknown>[]> {
    const { channel } = life;
    const first = this.#log.length;
    const written: { readonly objects: Parcel; readonly taken: readonly number[] }[] = [];
    for (const take of takes) written.push({ objects: await this.#write(life, take), taken: [...life.taken] });
    const told: Promise<unknown>[] = [];
    for (const [index, task] of written.slice(0, logged).entries()) {
      this.#log.push(task);
      const done = Promise.resolve(channel.committed?.(first + index));
      if (hurries) told.push(done);
      else await done;
    }
    if (saves && logged >= written.length) {
      this.#saved = { state: structuredClone(await channel.snapshot?.()), next: life.seq };
    }
    return told;
  }

  async #write(life: RunningLife, { from, parcels }: LifeScript["takes"][number]): Promise<Parcel> {
    const at = life.taken[from] ?? 0;
    const some = this.#producers[from]?.slice(at, at + parcels) ?? [];
    life.taken[from] = at + some.length;
    const objects = some.flat();
    await life.channel.write(objects, Object.assign(life.ctx, { seq: life.seq++ }));
    return objects;
  }

  /** Takes what is left: what the sink does with it is still on its way when the channel is done. */
  async #takeAll(life: RunningLife): Promise<Promise<unknown>[]> {
    const told: Promise<unknown>[] = [];
    for (const [from, parcels] of this.#producers.entries()) {
      while ((life.taken[from] ?? 0) < parcels.length) {
        const { seq } = life;
        await this.#write(life, { from, parcels: 2 });
        told.push(Promise.resolve(life.channel.committed?.(seq)));
      }
    }
    return told;
  }
}
