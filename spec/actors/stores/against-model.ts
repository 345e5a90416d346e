import * as fc from "fast-check";
import * as assert from "uvu/assert";
import type { ChannelCommit, LineageStore } from "../../../lib/core/contracts/lineage-store.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import type { Suite } from "../../kit/suite.ts";
import { bytesOf, newExecution, records, type StoreUnderTest } from "./store-under-test.ts";

const channelCount = 3;
const description = Uint8Array.of(1);

/** What is asked of a store. Seqs are told from where its channel stands, so that what is asked is usually possible. */
type Command =
  | { readonly kind: "commit"; readonly entries: readonly Entry[] }
  | {
      readonly kind: "save";
      readonly channel: number;
      readonly stale: boolean;
      readonly back: number;
      readonly length: number;
    }
  | { readonly kind: "fence"; readonly channels: readonly number[] }
  | { readonly kind: "free"; readonly channel: number; readonly through: number; readonly before: number }
  | { readonly kind: "fail"; readonly channel: number; readonly seq: number; readonly cause: string }
  | { readonly kind: "drop" | "reopen" };

interface Entry {
  readonly channel: number;
  /** Of the generation before. */
  readonly stale: boolean;
  /** From the next seq: below 0 repeats, above it leaves a gap. */
  readonly offset: number;
  readonly count: number;
}

/** The plainest store that there is: what every store has to be like. */
class Model {
  generation = 0;
  last = -1;
  readonly records = new Map<number, Uint8Array>();
  readonly checkpoints = new Map<number, Uint8Array>();
  readonly failures = new Map<string, number[]>();
  freedThrough = -1;
  freedBefore = 0;

  seqs(): number[] {
    return [...this.checkpoints.keys()].toSorted((a, b) => a - b);
  }

  commit({ generation, firstSeq, records: added }: ChannelCommit): string {
    if (generation < this.generation) return "fenced";
    for (const [index, record] of added.entries()) {
      if (firstSeq + index <= this.last) continue;
      this.last = firstSeq + index;
      this.records.set(this.last, record);
    }
    return "committed";
  }

  save(generation: number, seq: number, bytes: Uint8Array): string {
    if (generation < this.generation) return "fenced";
    if (seq > this.last) return "LINEAGE_REGRESSED";
    if (seq >= this.freedBefore) this.checkpoints.set(seq, bytes);
    return "committed";
  }

  free(through: number, before: number): void {
    for (const seq of this.records.keys()) if (seq <= through) this.records.delete(seq);
    this.freedThrough = Math.max(this.freedThrough, Math.min(through, this.last));
    for (const [cause, seqs] of this.failures) {
      if (seqs.every((seq) => seq <= this.freedThrough)) this.failures.delete(cause);
    }
    for (const seq of this.checkpoints.keys()) if (seq < before) this.checkpoints.delete(seq);
    this.freedBefore = Math.max(this.freedBefore, before);
  }

  fail(seq: number, cause: string): number {
    const seqs = [...(this.failures.get(cause) ?? []), seq];
    this.failures.set(cause, seqs);
    return seqs.length;
  }
}

const channel = fc.nat(channelCount - 1);
const seldom = fc.nat(9).map((chance) => chance === 0);
const offset = fc.oneof(
  { weight: 12, arbitrary: fc.constant(0) },
  { weight: 4, arbitrary: fc.integer({ min: -6, max: -1 }) },
  { weight: 1, arbitrary: fc.constant(1) },
);
const entry: fc.Arbitrary<Entry> = fc.record({ channel, stale: seldom, offset, count: fc.nat(12) });
const save = fc.record({
  kind: fc.constant("save" as const),
  channel,
  stale: seldom,
  back: fc.integer({ min: -1, max: 9 }),
  length: fc.constantFrom(0, 100, 70_000),
});
const free = fc.record({
  kind: fc.constant("free" as const),
  channel,
  through: fc.integer({ min: -1, max: 60 }),
  before: fc.nat(60),
});
const fail = fc.record({
  kind: fc.constant("fail" as const),
  channel,
  seq: fc.nat(40),
  cause: fc.constantFrom("1:0:0", "1:0:70000000", "2:0:0+", "task 3"),
});
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ kind: fc.constant("commit" as const), entries: fc.array(entry, { maxLength: 4 }) }),
  },
  { weight: 5, arbitrary: save },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("fence" as const), channels: fc.uniqueArray(channel) }) },
  { weight: 4, arbitrary: free },
  { weight: 3, arbitrary: fail },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("drop" as const, "reopen" as const) }) },
);

/** Asks random things of a store and of the plainest one, and compares what they answer and what they hold at the end. */
export function testAgainstModel(test: Suite, under: StoreUnderTest): void {
  test("whatever is asked of it, in whatever order, it answers as the plainest store there is", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: 40 }), async (commands) => {
        const run = new Run(await under.open(), newExecution());
        try {
          await run.begin();
          for (const next of commands) {
            if (next.kind === "reopen" && under.survives) await run.reopen(under);
            else await run.step(next);
          }
          await run.compare();
        } finally {
          await run.end();
        }
      }),
      { numRuns: 50 },
    );
  });
}

class Run {
  #store: LineageStore;
  readonly #execution: string;
  #models: Model[] = [];

  constructor(store: LineageStore, execution: string) {
    this.#store = store;
    this.#execution = execution;
  }

  async begin(): Promise<void> {
    this.#models = Array.from({ length: channelCount }, () => new Model());
    await this.#store.create(this.#execution, description, channelCount, 1);
  }

  async reopen(under: StoreUnderTest): Promise<void> {
    await this.#store.close();
    this.#store = await under.open();
  }

  async step(next: Command): Promise<void> {
    const store = this.#store;
    const execution = this.#execution;
    switch (next.kind) {
      case "commit":
        return this.#commit(next.entries);
      case "save": {
        const model = this.#model(next.channel);
        const [seq, generation] = [Math.max(0, model.last - next.back), model.generation - (next.stale ? 1 : 0)];
        const bytes = bytesOf(next.length, seq);
        const answer = await codeOf(() => store.saveCheckpoint(execution, next.channel, generation, seq, bytes));
        assert.is(answer, model.save(generation, seq, bytes));
        return;
      }
      case "fence": {
        const expected = next.channels.map((number) => {
          const model = this.#model(number);
          return { channel: number, generation: ++model.generation, lastSeq: model.last, checkpoints: model.seqs() };
        });
        assert.equal(await store.fence(execution, next.channels), expected);
        return;
      }
      case "free":
        await store.free(execution, next.channel, next.through, next.before);
        this.#model(next.channel).free(Math.min(next.through, this.#model(next.channel).last), next.before);
        return;
      case "fail":
        assert.is(
          await store.countFailure(execution, next.channel, next.seq, next.cause),
          this.#model(next.channel).fail(next.seq, next.cause),
        );
        return;
      case "drop":
        await store.drop(execution);
        await this.begin();
        return;
      case "reopen":
    }
  }

  /** What the store holds is what the model holds. */
  async compare(): Promise<void> {
    for (const [number, model] of this.#models.entries()) {
      const checkpoint = model.seqs().at(-1) ?? -1;
      const progress = { generation: model.generation, lastSeq: model.last, checkpoint };
      assert.equal(await this.#store.progress(this.#execution, number), progress);
      const read = await this.#store.read(this.#execution, number, -1, 10_000);
      assert.equal(
        read.map(({ seq, record }) => [seq, record]),
        [...model.records],
      );
      for (let seq = 0; seq <= model.last; seq++) {
        assert.equal(await this.#store.loadCheckpoint(this.#execution, number, seq), model.checkpoints.get(seq));
      }
    }
  }

  async end(): Promise<void> {
    await this.#store.drop(this.#execution);
    await this.#store.close();
  }

  async #commit(entries: readonly Entry[]): Promise<void> {
    const lasts = this.#models.map(({ last }) => last);
    let gap = false;
    const commits = entries.map(({ channel: number, stale, offset: from, count }): ChannelCommit => {
      const model = this.#model(number);
      const firstSeq = Math.max(0, (lasts[number] ?? -1) + 1 + from);
      // There is no generation before the first.
      const generation = model.generation - (stale ? 1 : 0);
      if (generation === model.generation) {
        gap ||= firstSeq > (lasts[number] ?? -1) + 1;
        lasts[number] = Math.max(lasts[number] ?? -1, firstSeq + count - 1);
      }
      return { channel: number, generation, firstSeq, records: records(count, firstSeq) };
    });
    const expected = gap ? "LINEAGE_REGRESSED" : commits.map((commit) => this.#model(commit.channel).commit(commit));
    assert.equal(await codeOf(() => this.#store.commit(this.#execution, commits)), expected);
  }

  #model(number: number): Model {
    const model = this.#models[number];
    if (model === undefined) throw new Error(`there is no channel ${number}`);
    return model;
  }
}

/** What a call answers, or the code of its error. */
async function codeOf(call: () => Promise<unknown>): Promise<unknown> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof QStreamError) return error.code;
    throw error;
  }
}
