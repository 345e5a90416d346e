import { deserialize, serialize } from "node:v8";
import type { Random } from "../../../lib/core/seam/random.ts";

/** What a word of a protocol may hold. */
type Plain = Record<string, unknown>;

const error = { name: "Error", message: "it broke", stack: "at nowhere", cause: { name: "Error", message: "before" } };
const order = { kind: "start", execution: "run-1" };
const head = { consumed: [{ edge: 0, other: 1, seq: 2 }], made: [], changes: { previous: 1, base: 0 } };
const bundle = { hash: "0".repeat(64), url: "http://127.0.0.1:9/bundles/x" };

/** What drivers tell machines. */
export const toMachineWords: readonly Plain[] = [
  { kind: "open", execution: "run-1", driver: 1, epoch: 1, bundle, store: "none", storeWaitMs: 1000 },
  { kind: "open", execution: "run-2", driver: 1, epoch: 1, bundle, store: "redis://nowhere", storeWaitMs: 1000 },
  { kind: "machines", machines: [{ id: "O", url: "ws://127.0.0.1:9" }] },
  { kind: "orders", orders: [{ slot: "M/slot-0", order }], places: [] },
  {
    kind: "orders",
    orders: [{ slot: "M/slot-0", order: { ...order, kind: "prepare", reference: {} }, places: 0 }],
    places: [new Uint8Array([1, 2, 3])],
  },
  { kind: "lose", slot: "M/slot-0" },
  { kind: "lineage-answer", question: 0, yes: true },
  { kind: "leave" },
];

/** What machines tell drivers. */
export const fromMachineWords: readonly Plain[] = [
  { kind: "slots", slots: ["M/slot-0"], tags: ["gpu"] },
  { kind: "report", report: { kind: "prepared", execution: "run-1", slot: "M/slot-0" } },
  { kind: "report", report: { kind: "failed", execution: "run-1", slot: "M/slot-0", error } },
  { kind: "slot-lost", slot: "M/slot-0", error, activity: { step: 1 } },
  { kind: "lineage", execution: "run-1", question: 1, said: { kind: "usable", number: 0, head } },
  { kind: "lineage", execution: "run-1", question: 2, said: { kind: "saved", number: 0, seq: 1, head } },
  { kind: "lineage", execution: "run-1", said: { kind: "damaged", number: 0, seq: 1 } },
  { kind: "lineage", execution: "run-1", said: { kind: "failed", error } },
  {
    kind: "lineage",
    execution: "run-1",
    said: { kind: "written", written: { records: 1, recordBytes: 1, checkpoints: 1, checkpointBytes: 1 } },
  },
  { kind: "store-away", away: true },
  { kind: "peer-silent", machine: "O" },
  { kind: "taken", execution: "run-1" },
  { kind: "slot-replaced", lost: "M/slot-0", slot: "M/slot-1" },
];

/** What clients ask heads; a bundle of that name is there. */
export const fromClientWords: readonly Plain[] = [
  {
    kind: "submit",
    submission: {
      module: "file:///flow.js",
      flow: "flow",
      args: { plain: { format: "clone", rows: 0, bytes: new ArrayBuffer(4) }, batches: [] },
      options: { strict: true, limits: {} },
      bundle: bundle.hash,
      codeHash: "code",
      detach: true,
      resume: { execution: "run-1", rescale: { step: 2 } },
    },
  },
  { kind: "stored", execution: "run-1" },
  { kind: "follow", execution: "run-1" },
  { kind: "cancel", execution: "run-1", reason: "why not" },
  { kind: "drain", machine: "M" },
  { kind: "rebalance", execution: "run-1" },
  { kind: "rebalance" },
  { kind: "list" },
  { kind: "deposed", leader: "ws://127.0.0.1:9", epoch: 0 },
  { kind: "release-datasets", datasets: ["dataset-1"] },
  { kind: "taken", execution: "run-1" },
];

/** What workers tell heads. */
export const fromWorkerWords: readonly Plain[] = [
  {
    kind: "offer",
    offer: {
      id: "M",
      url: "ws://127.0.0.1:9",
      slots: ["M/slot-0"],
      tags: [],
      host: "spec",
      memoryBytes: 1,
      storeAway: false,
    },
  },
  {
    kind: "counts",
    counts: { refusedConnections: 1, refusedMessages: 0, resent: 0, repeated: 0, redials: 0, late: 0 },
  },
];

/** What heads tell workers. */
export const toWorkerWords: readonly Plain[] = [
  { kind: "welcome", leaseMs: 1000, epoch: 1 },
  { kind: "elsewhere", leader: "ws://127.0.0.1:9" },
  { kind: "listed" },
  { kind: "machine-gone", machine: "O" },
  { kind: "release-datasets", datasets: ["dataset-1"] },
];

const endless: Plain = { name: "Error", message: "it has itself as its cause" };
endless["cause"] = endless;

/** What hurts where something else is expected. */
const hostile: readonly (() => unknown)[] = [
  () => undefined,
  () => null,
  () => Number.NaN,
  () => -1,
  () => 0.5,
  () => Number.POSITIVE_INFINITY,
  () => 2 ** 53,
  () => Number.MAX_SAFE_INTEGER,
  () => 1n,
  () => true,
  () => "",
  () => "toString",
  () => "__proto__",
  () => "x".repeat(5000),
  () => [],
  () => {
    const holes: unknown[] = [];
    holes.length = 3;
    return holes;
  },
  () => {
    const holes: unknown[] = ["M"];
    holes.length = 2 ** 32 - 1;
    return holes;
  },
  () => [undefined],
  () => [[[]]],
  () => ({}),
  () => ({ kind: "constructor", length: 3 }),
  () => endless,
  () => new Map([["kind", "leave"]]),
  () => new Date(Number.NaN),
  () => new Error("an error"),
  () => new Uint8Array(3),
  () => new ArrayBuffer(3),
  () => Object("text") as unknown,
  () => JSON.parse('{"__proto__":{"kind":"leave"},"constructor":1}') as unknown,
];

/** Another word, of which one part or some aren't as they were: left out, of another type, out of range, with holes. */
export function mutatedWord(words: readonly Plain[], random: Random): Plain {
  const below = (limit: number): number => Math.floor(random() * limit);
  const pick = <T>(from: readonly T[]): T => from[below(from.length)] as T;
  const word = copyOf(pick(words));
  const changes = 1 + below(2);
  for (let change = 0; change < changes; change++) {
    const places = placesIn(word).filter(({ key, within }) => within !== word || key !== "kind" || random() < 0.2);
    if (places.length === 0) break;
    const { within, key } = pick(places);
    const way = below(8);
    if (way === 0) Reflect.deleteProperty(within, key);
    else if (way === 1)
      within[key] = pick(placesIn(copyOf(pick(words))).map(({ within: from, key: name }) => from[name]));
    else if (way === 2 && Array.isArray(within)) within.length = (within.length % 100) + 1 + below(3);
    else if (way === 3) within[`${key}-more`] = pick(hostile)();
    else within[key] = pick(hostile)();
  }
  return word;
}

function copyOf(word: Plain): Plain {
  return deserialize(serialize(word)) as Plain;
}

function placesIn(within: Plain): { readonly within: Plain; readonly key: string }[] {
  return Object.keys(within).flatMap((key) => {
    const value = within[key];
    return [{ within, key }, ...(isTree(value) ? placesIn(value) : [])];
  });
}

/** A plain object or a list, that ends. */
function isTree(value: unknown): value is Plain {
  if (typeof value !== "object" || value === null) return false;
  const isPlain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
  return isPlain && (value as Plain)["cause"] !== value;
}
