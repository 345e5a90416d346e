import { watched } from "../../../actors/channel/strict-input.ts";
import { MemoryDisk } from "../memory-disk.ts";
import type { Outputs } from "../../core/contracts/operator.ts";
import { Run } from "../../core/contracts/reader.ts";
import { keyedRandom } from "../../core/seam/random.ts";
import { passTime } from "../pass-time.ts";
import { testContext, type TestContext } from "../test-context.ts";
import { made, type AnyDefinition, type AnyOperator } from "./order.ts";
import type { Outside } from "./outside.ts";

export interface ChannelRunParts {
  readonly definition: AnyDefinition;
  readonly channel: number;
  readonly channels: number;
  readonly inputs: readonly string[];
  readonly startMs: number;
  readonly outside: Outside;
  /** Takes what the channel gives. */
  readonly give: (object: unknown) => void;
}

/** One channel of an operator that is called by hand, as the engine would: its lives share a context. */
export class ChannelRun {
  readonly #parts: ChannelRunParts;
  readonly #ctx: TestContext;
  readonly #open: Set<string>;
  #operator: AnyOperator;
  /** The latest whole state that was saved of this life, and what changed since. */
  #saved: { readonly base: unknown; readonly changes: unknown[] } | undefined;
  #isDone = false;
  /** Numbers that were drawn in this task. */
  #drawn = 0;

  constructor(parts: ChannelRunParts) {
    this.#parts = parts;
    const { channel, channels, inputs, startMs } = parts;
    const random = (): number => keyedRandom(channel, this.#ctx.seq, this.#drawn++)();
    this.#ctx = testContext({ channel, channels, random, spill: new MemoryDisk() });
    this.#ctx.nowMs = startMs;
    this.#open = new Set(inputs);
    this.#operator = parts.outside.call(() => made(parts.definition));
  }

  /** True once it takes nothing any more. */
  get over(): boolean {
    return this.#isDone || this.#ctx.stopped;
  }

  get openInputs(): readonly string[] {
    return [...this.#open];
  }

  /** True if objects of this input may come now: those of lower stages have ended. */
  takes(input: string): boolean {
    if (this.over || !this.#open.has(input) || this.stageOf(input) > this.#lowestStage) return false;
    return this.#operator.accepts?.(input) ?? true;
  }

  stageOf(input: string): number {
    return (this.#parts.definition.stages as Readonly<Record<string, number>> | undefined)?.[input] ?? 0;
  }

  get #lowestStage(): number {
    return Math.min(...[...this.#open].map((input) => this.stageOf(input)));
  }

  async open(): Promise<void> {
    await this.#call(() => this.#operator.open?.(this.#ctx));
  }

  async take(input: string, objects: readonly unknown[], afterMs: number): Promise<void> {
    if (afterMs > 0) await this.#pass(afterMs);
    if (this.over) return;
    await this.#task(() =>
      watched("the operator", objects, () => this.#operator.execute({ input, objects }, this.#ctx)),
    );
  }

  async end(input: string): Promise<void> {
    if (this.over || !this.#open.delete(input)) return;
    await this.#task(() => this.#operator.inputDone?.(input, this.#ctx));
    if (this.#ctx.stopped || this.#open.size > 0) return;
    this.#isDone = true;
    await this.#task(() => this.#operator.done?.(this.#ctx));
  }

  /** Saves the state, where it can be. */
  async save(): Promise<void> {
    const operator = this.#operator;
    if (this.over || operator.snapshot === undefined || operator.restore === undefined) return;
    const changes: unknown = this.#saved === undefined ? undefined : await this.#call(() => operator.changes?.());
    if (this.#saved !== undefined && changes !== undefined) this.#saved.changes.push(structuredClone(changes));
    else this.#saved = { base: structuredClone(await this.#call(() => operator.snapshot?.())), changes: [] };
  }

  /** Another life goes on from the state of now. */
  async restart(): Promise<void> {
    await this.save();
    const saved = this.#saved;
    if (this.over || saved === undefined) return;
    await this.close();
    this.#saved = undefined;
    this.#operator = this.#parts.outside.call(() => made(this.#parts.definition));
    await this.open();
    await this.#call(() => this.#operator.restore?.(saved.base));
    for (const changes of saved.changes) {
      // oxlint-disable-next-line no-await-in-loop -- one on top of the other
      await this.#call(() => this.#operator.apply?.(changes));
    }
  }

  async close(): Promise<void> {
    await this.#call(() => this.#operator.close?.());
  }

  async #pass(ms: number): Promise<void> {
    for (const object of await this.#call(() => passTime(this.#operator, this.#ctx, ms))) this.#give(object);
  }

  async #task(body: () => Outputs<unknown>): Promise<void> {
    this.#drawn = 0;
    await this.#call(async () => {
      const given = await body();
      if (given === undefined || given === null) return;
      for await (const object of given as AsyncIterable<unknown>) this.#give(object);
    });
    this.#ctx.seq += 1;
  }

  #give(object: unknown): void {
    if (object instanceof Run) for (const each of object.objects) this.#parts.give(each);
    else this.#parts.give(object);
  }

  async #call<T>(body: () => T | Promise<T>): Promise<T> {
    return this.#parts.outside.call(body);
  }
}
