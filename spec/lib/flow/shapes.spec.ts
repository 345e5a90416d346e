import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import {
  broadcast,
  custom,
  defineFlow,
  hash,
  slice,
  type Operator,
  type Reading,
  type SidedReader,
  type Task,
} from "../../../lib/index.ts";
import { run, Side } from "../../../lib/core/contracts/reader.ts";
import { topologies } from "../../../lib/testing/index.ts";
import { collect } from "../../../operators/sinks/collect.ts";
import { numbers } from "../../../readers/numbers.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("shapes of flows");
const places = topologies();
const inOrder = (values: readonly number[]): number[] => values.toSorted((left, right) => left - right);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

class Total implements Operator<{ in: number }, number> {
  #total = 0;
  execute({ objects }: Task<{ in: number }>): void {
    for (const n of objects) this.#total += n;
  }
  done(): number[] {
    return [this.#total];
  }
}

/** Says which channel got what: to check where a partition function sends. */
class Channels<T> implements Operator<{ in: T }, { channel: number; object: T }> {
  *execute({ objects }: Task<{ in: T }>, ctx: { channel: number }): Generator<{ channel: number; object: T }> {
    for (const object of objects) yield { channel: ctx.channel, object };
  }
}

class Counting implements Operator<{ left: number; right: number }, string> {
  readonly #seen = { left: 0, right: 0 };
  execute({ input, objects }: Task<{ left: number; right: number }>): void {
    for (const n of objects) this.#seen[input] += n;
  }
  done(): string[] {
    return [`${this.#seen.left} ${this.#seen.right}`];
  }
}

const wide = defineFlow(import.meta.url, (q, args: { n: number }) => {
  const source = q.read("numbers", numbers(0, args.n));
  const odd = source.filter("odd", (n) => n % 2 === 1);
  return {
    all: source.to(collect()),
    odd: odd.to(collect()),
    doubled: odd.map("double", (n) => n * 2).to(collect()),
    total: source.apply("total", () => new Total(), { channels: 1 }).to(collect()),
    everywhere: source
      .partition(broadcast())
      .apply("totals", () => new Total(), { channels: 3 })
      .to(collect()),
  };
});

const selfJoin = defineFlow(import.meta.url, (q, args: { n: number }) => {
  const source = q.read("numbers", numbers(0, args.n));
  const both = q.apply("both", { left: source, right: source.map("negative", (n) => -n) }, () => new Counting(), {
    channels: 1,
  });
  return { both: both.to(collect()) };
});

const many = defineFlow(import.meta.url, (q, args: { n: number }) => ({
  placed: q
    .read("numbers", numbers(0, args.n), { channels: 3 })
    .partition(hash((n) => n % 10))
    .apply("where", () => new Channels<number>(), { channels: 13 })
    .to(collect()),
}));

const routed = defineFlow(import.meta.url, (q, args: { n: number }) => {
  const source = q.read("numbers", numbers(0, args.n));
  const where = { channels: 3 } as const;
  return {
    one: source
      .partition(custom((n, { channels }) => n % channels))
      .apply("one", () => new Channels<number>(), where)
      .to(collect()),
    list: source
      .partition(custom((n) => (n % 2 === 0 ? [0, 2] : [])))
      .apply("list", () => new Channels<number>(), where)
      .to(collect()),
    slices: source
      .map("block", (n) => ({ from: n, length: 4 }))
      .partition(custom((block) => [slice(0, { ...block, length: 1 }), slice(2, { from: block.from + 1, length: 3 })]))
      .apply("slices", () => new Channels<{ from: number; length: number }>(), where)
      .to(collect()),
  };
});

/** Odd numbers are bad rows. */
const picky: SidedReader<number, { bad: { reason: string } }> = {
  kind: "picky",
  sides: { bad: "bad" },
  splits: () => [0, 1, 2],
  // An array, as a reader may return it, with runs and sides among its objects.
  read: (split: number): Reading<number>[] => [
    split * 10,
    new Side("bad", { reason: `odd ${split}` }),
    run([split * 10 + 2, split * 10 + 4]),
    split * 10 + 6,
  ],
};

const sided = defineFlow(import.meta.url, (q) => {
  const good = q.read("picky", picky);
  return { good: good.to(collect()), bad: good.sides.bad.map("reason", ({ reason }) => reason).to(collect()) };
});

class Slow implements Operator<{ in: number }, number> {
  #held: number[] = [];
  async open(): Promise<void> {
    await wait(2);
  }
  async execute({ objects }: Task<{ in: number }>): Promise<readonly number[]> {
    await wait(1);
    this.#held.push(...objects);
    return objects.filter((n) => n % 2 === 0);
  }
  async *done(): AsyncGenerator<number, void> {
    for (const n of this.#held) {
      if (n % 2 === 0) continue;
      await Promise.resolve();
      yield n;
    }
  }
  async close(): Promise<void> {
    await wait(1);
  }
}

const slow = defineFlow(import.meta.url, (q, args: { n: number }) => ({
  all: q
    .read("numbers", numbers(0, args.n))
    .apply("slow", () => new Slow())
    .to(collect()),
}));

class Exploding implements Operator<{ in: number }, number> {
  *execute({ objects }: Task<{ in: number }>): Generator<number, void> {
    for (const n of objects) for (let copy = 0; copy < 500_000; copy++) yield n;
  }
}

const exploding = defineFlow(import.meta.url, (q) => ({
  totals: q
    .read("numbers", numbers(0, 4))
    .apply("explode", () => new Exploding())
    .apply("total", () => new Total(), { channels: 1 })
    .to(collect()),
}));

const empty = defineFlow(import.meta.url, (q) => ({
  nothing: q
    .read("none", numbers(0, 0))
    .map("same", (n) => n)
    .to(collect()),
  total: q
    .read("none either", numbers(5, 5))
    .apply("total", () => new Total(), { channels: 1 })
    .to(collect()),
}));

for (const { name, session } of places) {
  test(`${name}: a stream goes to many consumers, each with functions of its own`, async () => {
    const { all, odd, doubled, total, everywhere } = await wide.run({ n: 5000 }, { on: await session(), strict: true });
    const expected = upTo(5000);
    assert.equal(inOrder(all), expected);
    assert.equal(
      inOrder(odd),
      expected.filter((n) => n % 2 === 1),
    );
    assert.equal(
      inOrder(doubled),
      expected.filter((n) => n % 2 === 1).map((n) => n * 2),
    );
    assert.equal(total, [12_497_500]);
    assert.equal(everywhere, [12_497_500, 12_497_500, 12_497_500]);
  });

  test(`${name}: a stream goes twice into one operator`, async () => {
    const { both } = await selfJoin.run({ n: 3000 }, { on: await session() });
    assert.equal(both, ["4498500 -4498500"]);
  });

  test(`${name}: there may be more channels than slots, and equal keys meet in one`, async () => {
    const { placed } = await many.run({ n: 2000 }, { on: await session() });
    assert.equal(inOrder(placed.map(({ object }) => object)), upTo(2000));
    const channels = new Map<number, Set<number>>();
    for (const { channel, object } of placed)
      channels.set(object % 10, (channels.get(object % 10) ?? new Set()).add(channel));
    assert.ok([...channels.values()].every((set) => set.size === 1));
    assert.ok(new Set([...channels.values()].flatMap((set) => [...set])).size > 3);
  });

  test(`${name}: custom partition functions name a channel, a list of channels, or slices`, async () => {
    const { one, list, slices } = await routed.run({ n: 300 }, { on: await session() });
    assert.is(one.length, 300);
    assert.ok(one.every(({ channel, object }) => channel === object % 3));
    assert.is(list.length, 300);
    assert.ok(list.every(({ channel, object }) => channel !== 1 && object % 2 === 0));
    assert.is(slices.length, 600);
    assert.ok(
      slices.every(({ channel, object }) =>
        channel === 0 ? object.length === 1 : channel === 2 && object.length === 3,
      ),
    );
  });

  test(`${name}: side outputs of a reader are streams, also when it returns arrays`, async () => {
    const { good, bad } = await sided.run({}, { on: await session() });
    assert.equal(inOrder(good), [0, 2, 4, 6, 10, 12, 14, 16, 20, 22, 24, 26]);
    assert.equal(bad.toSorted(), ["odd 0", "odd 1", "odd 2"]);
  });

  test(`${name}: operators may be asynchronous, in every method`, async () => {
    const { all } = await slow.run({ n: 4000 }, { on: await session() });
    assert.equal(inOrder(all), upTo(4000));
  });

  test(`${name}: a generator with a huge output is sent in bounded parcels as it goes`, async () => {
    const execution = await exploding.start({}, { on: await session() });
    const { totals } = await execution.outputs;
    assert.equal(totals, [3_000_000]);
    const exploded = execution.metrics?.steps.find(({ step }) => step === "explode")?.metrics;
    assert.is(exploded?.objectsOut, 2_000_000);
    assert.ok((exploded?.parcelsOut ?? 0) >= 2_000_000 / 16_384, `${exploded?.parcelsOut} parcels`);
    assert.ok((exploded?.tasks ?? 0) >= 2_000_000 / 16_384, `${exploded?.tasks} tasks`);
  });

  test(`${name}: empty streams end, and aggregates of nothing are made`, async () => {
    assert.equal(await empty.run({}, { on: await session() }), { nothing: [], total: [0] });
  });

  test(`${name}: executions run at the same time on one session`, async () => {
    const on = await session();
    const results = await Promise.all([
      ...upTo(6).map(async (index) => (await selfJoin.run({ n: 100 * (index + 1) }, { on })).both),
      ...upTo(3).map(async (index) => (await many.run({ n: 10 * (index + 1) }, { on })).placed.length),
    ]);
    const sum = (n: number): number => (n * (n - 1)) / 2;
    assert.equal(results, [
      ...upTo(6).map((index) => [`${sum(100 * (index + 1))} ${-sum(100 * (index + 1))}`]),
      10,
      20,
      30,
    ]);
  });
}

test.after(async () => {
  for (const place of places) await place.close();
});
test.run();
