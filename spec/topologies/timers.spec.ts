// Timers on every topology: batches that end with silence.

import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { defineFlow, hash, reader, type Operator, type OperatorContext, type Task } from "../../lib/index.ts";
import { suite } from "../kit/suite.ts";
import { Everywhere } from "./everywhere.ts";

const test = suite("timers on every topology");
const everywhere = new Everywhere(test);
const bursts = 3;
const burst = 10;
const pauseMs = 60;
const silenceMs = 20;

/** Bursts of numbers, with pauses between them. */
const bursting = reader<number, number>({
  kind: "bursting",
  splits: () => [0],
  async *read() {
    for (let first = 0; first < bursts * burst; first += burst) {
      yield* Array.from({ length: burst }, (_, at) => first + at);
      await wait(pauseMs);
    }
  },
});

interface Batch {
  readonly values: readonly number[];
  readonly idle: boolean;
  readonly heldMs: number;
}

/** Gives what it holds once nothing has come for a while. */
class BySilence implements Operator<{ in: number }, Batch, { held: number[]; since: number }> {
  #held: number[] = [];
  #since = 0;

  execute({ objects }: Task<{ in: number }>, ctx: OperatorContext): void {
    this.#held.push(...objects);
    this.#since = ctx.now();
    ctx.timers.set("silence", silenceMs);
  }

  onTimer(_name: string, ctx: OperatorContext): readonly Batch[] {
    return [this.#batch(true, ctx)];
  }

  done(ctx: OperatorContext): readonly Batch[] {
    return this.#held.length === 0 ? [] : [this.#batch(false, ctx)];
  }

  snapshot(): { held: number[]; since: number } {
    return { held: this.#held, since: this.#since };
  }

  restore({ held, since }: { held: number[]; since: number }): void {
    this.#held = held;
    this.#since = since;
  }

  #batch(idle: boolean, ctx: OperatorContext): Batch {
    const values = this.#held;
    this.#held = [];
    return { values, idle, heldMs: ctx.now() - this.#since };
  }
}

const batched = defineFlow(import.meta.url, (q) => ({
  batches: q
    .read("bursting", bursting)
    .partition(hash((value) => value % 2))
    .apply("by silence", () => new BySilence(), { channels: 2 })
    .collect(),
}));

everywhere.each("what is held goes on after a time of silence, and no earlier", async (session) => {
  const { batches } = await batched.run({}, { on: session, strict: true, checkpointEveryMs: 10 });
  assert.equal(
    batches.flatMap(({ values }) => values).toSorted((a, b) => a - b),
    Array.from({ length: bursts * burst }, (_, at) => at),
  );
  const idle = batches.filter((batch) => batch.idle);
  assert.ok(idle.length > 0, "pauses were noticed");
  for (const { heldMs, values } of idle) assert.ok(heldMs >= silenceMs && values.length > 0, `${heldMs} ms`);
});

test.run();
