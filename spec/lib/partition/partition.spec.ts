import * as fc from "fast-check";
import * as assert from "uvu/assert";
import type { Batch } from "../../../lib/core/batch-types.ts";
import type { PartitionFunction } from "../../../lib/core/contracts/partition.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import {
  broadcast,
  custom,
  type Destination,
  hash,
  passThrough,
  range,
  roundRobin,
  slice,
} from "../../../lib/partition/index.ts";
import { type Leaf, partitionContract, send, sendRows, viewOf } from "../../contract/partition.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("partition functions");
const all = (channels: number): number[] => Array.from({ length: channels }, (_, channel) => channel);
const task = { seq: 0, random: () => 0.5 };

partitionContract(test, "hash by name", { make: () => hash<Leaf>("tree"), keyed: true });
partitionContract(test, "hash by function", {
  make: () => hash((leaf: Leaf) => leaf.tree),
  keyed: true,
  batches: false,
});
partitionContract(test, "range", {
  make: (channels) =>
    range<Leaf>(
      "size",
      all(channels - 1).map((bound) => bound * 1000 - 3000),
    ),
  expected: (leaf, channels) => [Math.max(0, Math.min(channels - 1, Math.floor((leaf.size + 3000) / 1000) + 1))],
});
partitionContract(test, "range by key", {
  make: (channels) =>
    range<Leaf>(
      "tree",
      all(channels - 1).map((bound) => bound * 3),
    ),
  trees: fc.oneof(fc.integer({ min: -5, max: 30 }), fc.bigInt({ min: -5n, max: 30n }), fc.constant(null)),
  keyed: true,
});
partitionContract(test, "broadcast", { make: () => broadcast(), expected: (_, channels) => all(channels) });
partitionContract(test, "pass through", { make: () => passThrough() });
partitionContract(test, "round robin", { make: () => roundRobin() });
partitionContract(test, "custom, one channel", {
  make: () => custom((leaf: Leaf, { channels }) => Math.abs(leaf.size) % channels),
  expected: (leaf, channels) => [Math.abs(leaf.size) % channels],
});
partitionContract(test, "custom, several channels", {
  make: () => custom((leaf: Leaf, { channels }) => all(channels).filter((channel) => channel !== leaf.size % 2)),
  expected: (leaf, channels) => all(channels).filter((channel) => channel !== leaf.size % 2),
});
partitionContract(test, "custom, at random", {
  make: () => custom((_: Leaf, { channels, random }) => Math.floor(random() * channels)),
});

function refused(act: () => unknown, code: string, pattern: RegExp): void {
  assert.throws(
    act,
    (error: unknown) => error instanceof QStreamError && error.code === code && pattern.test(error.message),
  );
}

test("hash of several names hashes like the array of their values", () => {
  const rows = Array.from({ length: 50 }, (_, size) => ({ tree: `t${size % 7}`, size: size % 3 }));
  const byNames = send(hash<Leaf>(["tree", "size"]), { channels: 4, producers: 1, from: 0 }, rows);
  assert.equal(
    send(
      hash((leaf: Leaf) => [leaf.tree, leaf.size]),
      { channels: 4, producers: 1, from: 0 },
      rows,
    ),
    byNames,
  );
  const channels = sendRows(hash<Leaf>(["tree", "size"]), { channels: 4, producers: 1, from: 0 }, rows);
  assert.ok(rows.every((row, place) => byNames[channels[place] ?? -1]?.includes(row)));
});

test("hash serves 1,024 channels, and key functions don't read batches", () => {
  assert.is(hash<Leaf>("tree").check?.(1, 1024), undefined);
  assert.match(hash<Leaf>("tree").check?.(1, 1025) ?? "", /at most 1024 channels/);
  assert.is(hash<Leaf>(["tree", "size"]).label, "hash(tree, size)");
  const route = { channels: 2, producers: 1, from: 0 };
  refused(
    () =>
      sendRows(
        hash((leaf: Leaf) => leaf.tree),
        route,
        [{ tree: 1, size: 1 }],
      ),
    "UNSUPPORTED",
    /Name the key's columns/,
  );
  refused(
    () =>
      sendRows(
        range((leaf: Leaf) => leaf.size, [1]),
        route,
        [{ tree: 1, size: 1 }],
      ),
    "UNSUPPORTED",
    /range\("origin"\)/,
  );
});

test("a consumer of one channel takes whole parcels", () => {
  const route = { channels: 1, producers: 3, from: 2 };
  for (const partition of [hash<Leaf>("tree"), range<Leaf>("size", []), broadcast(), roundRobin(), passThrough()]) {
    assert.is(partition.router(route).objects([{ tree: 1, size: 1 }], [[]], task), 0);
    assert.is(partition.router(route).batch(viewOf([]), new Uint16Array(0), task), 0);
  }
});

test("range takes strings, dates and numbers, and refuses bounds that don't ascend and other channel counts", () => {
  const route = { channels: 3, producers: 1, from: 0 };
  assert.equal(
    send(
      range((word: string) => word, ["b", "d"]),
      route,
      ["a", "b", "c", "d", "é"],
    ),
    [["a"], ["b", "c"], ["d", "é"]],
  );
  const days = [1, 5, 9].map((day) => new Date(2020, 0, day));
  assert.equal(
    send(
      range((day: Date) => day, [days[1] as Date, days[2] as Date]),
      route,
      days,
    ),
    days.map((day) => [day]),
  );
  assert.equal(
    send(
      range((n: number | null) => n, [0, 10]),
      route,
      [null, -1, 0, Number.NaN],
    ),
    [[null, -1], [0], [Number.NaN]],
  );
  assert.match(range((n: number) => n, [1, 2]).check?.(1, 4) ?? "", /2 bounds has 3 channels, and not 4/);
  refused(() => range((n: number) => n, [1, 1]), "OPTION_INVALID", /bound 1/);
  refused(() => range((n: number) => n, [Number.NaN]), "OPTION_INVALID", /bound 0/);
  refused(() => range((n: number | string) => n, [1, "2"]), "OPTION_INVALID", /one type/);
  refused(
    () =>
      send(
        range((n: number) => n, [1, 2]),
        route,
        ["x" as unknown as number],
      ),
    "BAD_INPUT",
    /type number and got the key "x"/,
  );
});

test("pass through keeps channels on equal counts, and uses every consumer and contiguous producers otherwise", () => {
  const target = (from: number, producers: number, channels: number, seq: number): number | "all" | undefined =>
    passThrough()
      .router({ from, producers, channels })
      .objects([], [], { ...task, seq });
  assert.equal(
    all(4).map((from) => target(from, 4, 4, from * 7)),
    [0, 1, 2, 3],
  );
  assert.equal(
    all(6).map((from) => target(from, 6, 2, 1)),
    [0, 0, 0, 1, 1, 1],
  );
  assert.equal(
    all(5).map((seq) => target(1, 2, 5, seq)),
    [2, 3, 4, 2, 3],
  );
  for (const [producers, channels] of [
    [2, 5],
    [3, 7],
    [1, 4],
  ] as const) {
    const reached = new Set(
      all(producers).flatMap((from) => all(channels).map((seq) => target(from, producers, channels, seq))),
    );
    assert.is(reached.size, channels);
  }
});

test("round robin spreads evenly within and across parcels, and turns batches", () => {
  const route = { channels: 4, producers: 2, from: 1 };
  const counts = send(roundRobin(), route, all(103)).map((target) => target.length);
  assert.ok(Math.max(...counts) - Math.min(...counts) <= 1);
  const singles = all(8).map((seq) =>
    send(roundRobin(), route, ["x"], { ...task, seq }).findIndex((target) => target.length === 1),
  );
  assert.equal(singles, [1, 2, 3, 0, 1, 2, 3, 0]);
  assert.is(
    roundRobin()
      .router(route)
      .batch(viewOf([]), new Uint16Array(0), { ...task, seq: 6 }),
    3,
  );
});

test("custom functions slice objects, and their batches go whole, sliced or row by row", () => {
  const block = Float64Array.of(1, 2, 3, 4);
  const halves = custom((given: Float64Array, { channels }) => [
    slice(0, given.subarray(0, 2)),
    slice(channels - 1, given.subarray(2)),
  ]);
  assert.equal(send(halves, { channels: 3, producers: 1, from: 0 }, [block]), [
    [Float64Array.of(1, 2)],
    [],
    [Float64Array.of(3, 4)],
  ]);
  const rows: readonly Leaf[] = all(3).map((size) => ({ tree: size, size }));
  const batch = (destination: Destination<unknown>, channelOfRow = new Uint16Array(3)): unknown =>
    custom<unknown>(() => destination)
      .router({ channels: 3, producers: 1, from: 0 })
      .batch(viewOf(rows), channelOfRow, task);
  assert.is(batch(2), 2);
  assert.equal(batch([0, 2]), [
    [0, rows],
    [2, rows],
  ]);
  assert.equal(batch([slice(1, "part")]), [[1, "part"]]);
  const channelOfRow = new Uint16Array(3);
  assert.is(batch({ rows: Uint16Array.of(2, 0, 1) }, channelOfRow), undefined);
  assert.equal([...channelOfRow], [2, 0, 1]);
  refused(() => batch({ rows: Uint16Array.of(2, 0, 3) }), "CHANNEL_OUT_OF_RANGE", /returned 3/);
  refused(() => batch({ rows: Uint16Array.of(2) }), "CHANNEL_OUT_OF_RANGE", /1 rows' channels for a batch of 3/);
});

test("a channel that isn't there is an error, whatever a custom function returns", () => {
  const route = { channels: 3, producers: 1, from: 0 };
  for (const wrong of [
    3,
    -1,
    1.5,
    Number.NaN,
    [0, 3],
    [slice(7, 1)],
    "1",
    null,
    undefined,
    ["x"],
    Promise.resolve(1),
  ]) {
    refused(
      () =>
        send(
          custom<unknown>(() => wrong as Destination<unknown>),
          route,
          [1],
        ),
      "CHANNEL_OUT_OF_RANGE",
      /custom partition function returned/,
    );
  }
  refused(
    () =>
      send(
        custom<unknown>(() => ({ rows: new Uint16Array(1) })),
        route,
        [1],
      ),
    "UNSUPPORTED",
    /no columnar batch/,
  );
  assert.equal(
    send(
      custom<number>(() => []),
      route,
      [1],
    ),
    [[], [], []],
  );
});

test("keys are typed by the object, or by the rows of its batches", () => {
  const takeBatches = (partition: PartitionFunction<Batch<{ origin: string; legs: { day: number } }>>): string =>
    partition.label;
  assert.is(takeBatches(hash("origin")), "hash(origin)");
  // @ts-expect-error -- an object is no key
  assert.is(takeBatches(hash("legs")), "hash(legs)");
  const takeAny = (partition: PartitionFunction<Batch>): string => partition.label;
  assert.is(takeAny(hash("whatever")), "hash(whatever)");
  assert.is(takeAny(range("whatever", [1])), "range(whatever, 1 bounds)");
  const take = (partition: PartitionFunction<Leaf>): string => partition.label;
  assert.is(take(hash("size")), "hash(size)");
  assert.is(take(hash(["tree", "size"])), "hash(tree, size)");
  assert.is(take(hash((leaf) => leaf.tree)), "hash(function)");
  // @ts-expect-error -- no such property
  assert.is(take(hash("sise")), "hash(sise)");
  // @ts-expect-error -- an object is no key
  assert.is(take(hash((leaf) => ({ leaf }))), "hash(function)");
  assert.is(take(range((leaf) => leaf.size, [1])), "range(function, 1 bounds)");
});

test("a property or column that isn't there is an error, on any number of channels", () => {
  const rows: readonly Leaf[] = [{ tree: 1, size: 1 }];
  for (const channels of [1, 2]) {
    const route = { channels, producers: 1, from: 0 };
    const bounds = channels === 1 ? [] : [0];
    for (const partition of [hash<unknown>("nope" as never), hash<unknown>(["nope"] as never)]) {
      refused(() => send(partition, route, rows), "BAD_INPUT", /nope/);
    }
    refused(() => send(range<unknown>("nope" as never, bounds), route, rows), "BAD_INPUT", /"tree", "size"/);
    assert.equal(send(hash<unknown>("nope" as never), route, []).flat(), []);
    assert.is(send(hash<unknown>("tree" as never), route, [{ tree: undefined }, { tree: null }]).flat().length, 2);
  }
});

test("a custom function that names a channel twice sends the object there twice", () => {
  const twice = custom<number | readonly Leaf[]>(() => [0, 0, 1]);
  assert.equal(send(twice, { channels: 2, producers: 1, from: 0 }, [7]), [[7, 7], [7]]);
  const rows: readonly Leaf[] = [{ tree: 1, size: 1 }];
  const router = twice.router({ channels: 2, producers: 1, from: 0 });
  assert.equal(router.batch(viewOf(rows), new Uint16Array(1), task), [
    [0, rows],
    [0, rows],
    [1, rows],
  ]);
});

test.run();
