import * as fc from "fast-check";
import * as assert from "uvu/assert";
import type { ColumnarView } from "../../lib/core/batch/view.ts";
import type { Key, PartitionFunction, RoutedTask } from "../../lib/core/contracts/partition.ts";
import { combineHashes, hashNull } from "../../lib/core/hash.ts";
import { hashKey } from "../../lib/core/key.ts";
import { seededRandom } from "../../lib/core/seam/random.ts";
import type { Suite } from "../kit/suite.ts";

/** The objects that partition functions are tried with. */
export interface Leaf {
  readonly tree: Key;
  readonly size: number;
}

export interface PartitionContract {
  /** Made anew for each number of channels. */
  readonly make: (channels: number) => PartitionFunction<Leaf>;
  /** Equal keys go to the same channel, from whatever producer and task. Default false. */
  readonly keyed?: boolean;
  /** Where the function should send an object; without it, to any one channel. */
  readonly expected?: (leaf: Leaf, channels: number) => readonly number[];
  readonly trees?: fc.Arbitrary<Key>;
  /** The function makes its decision for whole batches of rows too. Default true. */
  readonly batches?: boolean;
}

const anyTree: fc.Arbitrary<Key> = fc.oneof(
  fc.string(),
  fc.integer({ min: 0, max: 20 }),
  fc.bigInt({ min: 0n, max: 20n }),
  fc.constant(null),
);
const routes = fc.record({
  channels: fc.integer({ min: 1, max: 9 }),
  producers: fc.integer({ min: 1, max: 9 }),
  seq: fc.nat({ max: 99 }),
  from: fc.nat(),
});

/** What every partition function must do. Call it from the function's spec. */
export function partitionContract(test: Suite, name: string, contract: PartitionContract): void {
  const leaves = fc.array(fc.record({ tree: contract.trees ?? anyTree, size: fc.integer() }), { maxLength: 40 });

  test(`${name}: every object reaches the channels it should, in order, and the same when asked again`, () => {
    fc.assert(
      fc.property(leaves, routes, (objects, { channels, producers, seq, from }) => {
        fc.pre(contract.make(channels).check?.(producers, channels) === undefined);
        const route = { channels, producers, from: from % producers };
        const first = send(contract.make(channels), route, objects, taskOf(seq));
        assert.equal(send(contract.make(channels), route, objects, taskOf(seq)), first);
        checkDestinations(first, objects, channels, contract);
      }),
      { numRuns: 150 },
    );
  });

  if (contract.keyed === true) {
    test(`${name}: equal keys meet in one channel, whoever sends them, as objects or as rows`, () => {
      fc.assert(
        fc.property(leaves, routes, fc.nat({ max: 9 }), (objects, { channels, producers, seq, from }, otherSeq) => {
          const partition = contract.make(channels);
          const channelOf = channelsByKey(
            send(partition, { channels, producers, from: from % producers }, objects, taskOf(seq)),
          );
          const others = channelsByKey(
            send(partition, { channels, producers: producers + 1, from: producers }, objects, taskOf(otherSeq)),
          );
          assert.equal(others, channelOf);
          if (contract.batches === false) return;
          const rows = sendRows(partition, { channels, producers, from: 0 }, objects, taskOf(seq));
          for (const [row, leaf] of objects.entries())
            assert.is(rows[row], channelOf.get(hashKey(leaf.tree)), String(leaf.tree));
        }),
        { numRuns: 150 },
      );
    });
  }
}

function taskOf(seq: number): RoutedTask {
  return { seq, random: seededRandom(seq) };
}

/** Runs a router as the engine does: the objects of each channel. */
export function send<T>(
  partition: PartitionFunction<T>,
  route: { readonly channels: number; readonly producers: number; readonly from: number },
  objects: readonly T[],
  task: RoutedTask = taskOf(0),
): unknown[][] {
  assert.is(partition.check?.(route.producers, route.channels), undefined);
  const targets: unknown[][] = Array.from({ length: route.channels }, () => []);
  const decision = partition.router(route).objects(objects, targets, task);
  if (decision === undefined) return targets;
  assert.ok(
    targets.every((target) => target.length === 0),
    "a whole-parcel decision comes without pushes",
  );
  return targets.map((_, channel) => (decision === "all" || decision === channel ? [...objects] : []));
}

/** Runs a router on the rows of a batch: each row's channel. */
export function sendRows(
  partition: PartitionFunction<Leaf>,
  route: { readonly channels: number; readonly producers: number; readonly from: number },
  rows: readonly Leaf[],
  task: RoutedTask = taskOf(0),
): number[] {
  const channelOfRow = new Uint16Array(rows.length).fill(0xffff);
  const decision = partition.router(route).batch(viewOf(rows), channelOfRow, task);
  if (decision === undefined) return [...channelOfRow];
  if (typeof decision === "number") return rows.map(() => decision);
  throw new Error("this function doesn't decide row by row");
}

/** A batch as routers see it, over plain rows. */
export function viewOf(rows: readonly Leaf[]): ColumnarView {
  const values = (column: string): Key[] => rows.map((row) => (row as unknown as Record<string, Key>)[column]);
  return {
    batch: rows,
    rows: rows.length,
    columns: Object.keys(rows[0] ?? {}),
    values,
    hashRows: (columns) => {
      const keys = columns.map((column) => values(column).map((key) => hashKey(key)));
      return Uint32Array.from(rows, (_, row) => keys.map((hashes) => hashes[row] ?? hashNull).reduce(combineHashes));
    },
  };
}

function checkDestinations(
  targets: readonly unknown[][],
  objects: readonly Leaf[],
  channels: number,
  contract: PartitionContract,
): void {
  for (const [channel, target] of targets.entries()) {
    const { expected } = contract;
    if (expected !== undefined) {
      const wanted = objects.filter((leaf) => expected(leaf, channels).includes(channel));
      assert.is(target.length, wanted.length);
      assert.ok(wanted.every((leaf, place) => target[place] === leaf));
    } else {
      const places = target.map((leaf) => objects.indexOf(leaf as Leaf));
      assert.ok(
        places.every((place, index) => place >= 0 && place > (places[index - 1] ?? -1)),
        "objects keep their order",
      );
    }
  }
  if (contract.expected === undefined)
    assert.is(
      targets.reduce((sum, target) => sum + target.length, 0),
      objects.length,
    );
}

function channelsByKey(targets: readonly unknown[][]): Map<number, number> {
  const channels = new Map<number, number>();
  for (const [channel, target] of targets.entries()) {
    for (const leaf of target as Leaf[]) {
      const hash = hashKey(leaf.tree);
      assert.is(channels.get(hash) ?? channel, channel, `key ${String(leaf.tree)} went to two channels`);
      channels.set(hash, channel);
    }
  }
  return new Map([...channels].sort(([one], [other]) => one - other));
}
