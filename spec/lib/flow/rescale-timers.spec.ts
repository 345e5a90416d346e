// Pending timers of an execution that is gone on with on other channels.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import {
  defineFlow,
  hash,
  QStreamError,
  type Deal,
  type ExecutionEvent,
  type Flow,
  type Operator,
  type OperatorContext,
  type OperatorDefinition,
  type Reader,
  type RunOptions,
  type Task,
} from "../../../lib/index.ts";
import { failure } from "../../kit/failure.ts";
import { inSlot, suite } from "../../kit/suite.ts";

const test = suite("rescale with timers");
const folder = inSlot ? "" : mkdtempSync(join(tmpdir(), "qstream-rescale-timers-"));
const store = `lmdb:${folder}`;
const keys = 20;
const upTo = 200;

test.after(() => rmSync(folder, { recursive: true, force: true }));

let tick = (): void => {};

const counted: Reader<number, number> = {
  kind: "counted",
  splits: () => [0, 1, 2, 3],
  async *read(split): AsyncGenerator<number> {
    for (let value = split; value < upTo; value += 4) {
      tick();
      if (value % 7 === 0) await new Promise((resolve) => void setImmediate(resolve));
      yield value;
    }
  },
};

type Held = readonly (readonly [name: string, values: readonly number[]])[];

/** Holds the numbers of each key until nothing has come for it for a while: an hour, for some. */
class Holding implements Operator<{ in: number }, { values: readonly number[]; beats: number }, Held> {
  #held = new Map<string, readonly number[]>();
  #beats = 0;

  execute({ objects }: Task<{ in: number }>, ctx: OperatorContext): void {
    for (const value of objects) {
      const name = String(value % keys);
      assert.is(ctx.timers.has(name), this.#held.has(name), `the timer of key ${name}`);
      this.#held.set(name, [...(this.#held.get(name) ?? []), value]);
      ctx.timers.set(name, value % keys < 10 ? 1 : 3_600_000);
    }
    ctx.timers.set("beat", 1);
  }

  onTimer(name: string): { values: readonly number[]; beats: number }[] {
    if (name === "beat") {
      this.#beats++;
      return [];
    }
    const values = this.#held.get(name);
    assert.ok(values !== undefined, `the timer of key ${name} went off without it`);
    this.#held.delete(name);
    return [{ values, beats: this.#beats }];
  }

  done(): { values: readonly number[]; beats: number }[] {
    return [...this.#held.values()].map((values) => ({ values, beats: this.#beats }));
  }

  snapshot(): Held {
    return [...this.#held];
  }

  restore(held: Held): void {
    this.#held = new Map(held);
  }
}

const definition: OperatorDefinition<{ in: number }, { values: readonly number[]; beats: number }, Held> = {
  kind: "holding",
  declares: "confluent",
  parallelism: "per-slot",
  representations: ["objects"],
  create: () => new Holding(),
  deal: (states, { takes }) => states.flatMap((held) => held.filter(([name]) => takes(Number(name)))),
};

const dealTimer = (name: string, { takes }: Deal): boolean => name === "beat" || takes(Number(name));

const dealt = defineFlow(import.meta.url, (q) => ({
  out: q
    .read("read", counted)
    .partition(hash((value) => value % keys))
    .apply("hold", { ...definition, dealTimer })
    .collect(),
}));

const kept = defineFlow(import.meta.url, (q) => ({
  out: q
    .read("read", counted)
    .partition(hash((value) => value % keys))
    .apply("hold", definition)
    .collect(),
}));

type Outputs = { out: readonly { values: readonly number[] }[] };

/** Starts a flow, or goes on with one, and stops it after so many numbers. Gives its id, and the outputs of one that wasn't stopped. */
async function turn(
  flow: Flow<object, Outputs>,
  before: string | undefined,
  after: number,
  options: RunOptions & { rescale?: boolean | Record<string, number> },
): Promise<{ id: string; outputs: Outputs | undefined }> {
  const abort = new AbortController();
  let left = after;
  tick = () => {
    if (--left === 0) abort.abort();
  };
  const all = { isolation: "none", store, checkpointEveryMs: 2, signal: abort.signal, ...options } as const;
  let id = before;
  try {
    const execution =
      before === undefined
        ? await flow.start({}, { ...all, limits: { parcelObjects: 4, lingerMs: 1 } } as never)
        : await flow.resume(before, all as never);
    id = execution.id;
    return { id, outputs: await execution.outputs };
  } catch (error) {
    if (!(error instanceof QStreamError && error.code === "ABORTED") || id === undefined) throw error;
    return { id, outputs: undefined };
  }
}

const numbersOf = ({ out }: Outputs): number[] => out.flatMap(({ values }) => values).toSorted((a, b) => a - b);
const all = Array.from({ length: upTo }, (_, value) => value);

test("timers go with the state that they are for, to more channels and to fewer", async () => {
  let id: string | undefined;
  let outputs: Outputs | undefined;
  for (const [slots, after] of [
    [2, 60],
    [3, 50],
    [1, Infinity],
  ] as const) {
    // oxlint-disable-next-line no-await-in-loop -- one goes on with the other
    ({ id, outputs } = await turn(dealt as never, id, after, {
      slots,
      ...(id === undefined ? {} : { rescale: true }),
    }));
  }
  assert.ok(outputs !== undefined);
  assert.equal(numbersOf(outputs), all);
});

test("a step whose timers nobody deals keeps its channels, and is refused by name", async () => {
  const { id } = await turn(kept as never, undefined, 60, { slots: 2 });
  const refused = await failure(
    () => turn(kept as never, id, Infinity, { slots: 3, rescale: { hold: 3 } }),
    "UNSUPPORTED",
  );
  assert.match(refused.message, /timers of holding are pending, "\w+" for one/u);
  const placed: string[] = [];
  const onEvent = (event: ExecutionEvent): void => {
    if (event.kind === "placed") placed.push(...event.placement.map(({ step }) => step));
  };
  const { outputs } = await turn(kept as never, id, Infinity, { slots: 3, rescale: true, onEvent });
  assert.ok(outputs !== undefined);
  assert.equal(numbersOf(outputs), all);
  assert.equal(
    ["read", "hold"].map((step) => placed.filter((one) => one === step).length),
    [3, 2],
  );
});

test.run();
