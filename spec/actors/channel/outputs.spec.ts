import { tableFromArrays } from "apache-arrow";
import * as assert from "uvu/assert";
import { emptyMetrics } from "../../../actors/channel/channel-metrics.ts";
import { OutgoingLink } from "../../../actors/channel/outgoing-link.ts";
import { Outputs, producedOf, type Outgoing, type OutgoingEdge } from "../../../actors/channel/outputs.ts";
import { loadBatches } from "../../../lib/core/batch/index.ts";
import { decodeObjects } from "../../../lib/core/codec/index.ts";
import type { PartitionFunction } from "../../../lib/core/contracts/partition.ts";
import type { QStreamError } from "../../../lib/core/errors.ts";
import type { EdgeFunction } from "../../../lib/core/program.ts";
import { broadcast, custom, hash, passThrough } from "../../../lib/partition/index.ts";
import { testContext } from "../../../lib/testing/index.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("channel outputs");

interface EdgeParts {
  readonly partition: PartitionFunction<never>;
  /** For each consuming channel, whether it is in the same slot. */
  readonly local: readonly boolean[];
  readonly before?: EdgeFunction;
  readonly port?: string;
}

function outputsOf(edges: readonly EdgeParts[], credit = 1000): Outputs {
  const made = edges.map(({ partition, local, before, port = "out" }, index): OutgoingEdge => ({
    index,
    port,
    before,
    router: partition.router({ from: 0, producers: 1, channels: local.length }),
    links: local.map((isLocal, to) => {
      const target = { local: isLocal, slot: isLocal ? "here" : "there", parcel: () => {}, end: () => {} };
      return new OutgoingLink(index, to, { objects: credit, bytes: 1 << 20 }, target, undefined);
    }),
  }));
  return new Outputs(made, emptyMetrics());
}

function send(outputs: Outputs, objects: readonly unknown[], port = "out"): Outgoing[] {
  const ctx = testContext();
  return outputs.route(outputs.applyFunctions(port, objects, ctx), { seq: 3, random: () => 0 });
}

const shown = (outgoing: readonly Outgoing[]): string[] =>
  outgoing.map(({ link, parcel: { content } }) => {
    const objects = "objects" in content ? content.objects : decodeObjects(content.payload);
    return `${link.edge}.${link.to}${"payload" in content ? " encoded" : ""}: ${objects.join(",")}`;
  });

function functionOf(id: string, calls: string[], apply: (n: number) => number, previous?: EdgeFunction): EdgeFunction {
  return {
    id,
    kind: "map",
    previous,
    apply: (objects) => {
      calls.push(id);
      return (objects as number[]).map(apply);
    },
  };
}

test("functions that edges share run once; each edge gets what its own chain makes", () => {
  const calls: string[] = [];
  const shared = functionOf("shared", calls, (n) => n + 1);
  const left = functionOf("left", calls, (n) => n * 10, shared);
  const right = functionOf("right", calls, (n) => -n, shared);
  const edge = { partition: passThrough() as never, local: [true] };
  const outputs = outputsOf([{ ...edge, before: left }, { ...edge, before: right }, { ...edge, before: shared }, edge]);
  assert.equal(shown(send(outputs, [1, 2])).toSorted(), ["0.0: 20,30", "1.0: -2,-3", "2.0: 2,3", "3.0: 1,2"]);
  assert.equal(calls.toSorted(), ["left", "right", "shared"]);
});

test("objects pass by reference within the slot, and encoded to another", () => {
  const objects = [{ n: 1 }];
  const sent = send(outputsOf([{ partition: broadcast() as never, local: [true, false, false] }]), objects);
  const [first] = sent;
  assert.ok(first !== undefined && "objects" in first.parcel.content && first.parcel.content.objects === objects);
  const buffers = sent
    .slice(1)
    .map(({ parcel: { content } }) => ("payload" in content ? content.payload.bytes : undefined));
  assert.is(new Set(buffers).size, 2, "a transport may transfer a buffer, so each target has one of its own");
  assert.equal(
    buffers.map((bytes) => bytes?.byteLength),
    Array.from({ length: 2 }, () => buffers[0]?.byteLength),
  );
  assert.ok(sent.every(({ parcel }) => parcel.rows === 1 && parcel.seq === 3 && parcel.bytes > 0));
});

test("a port has edges of its own, and one that nobody reads goes nowhere", () => {
  const edge = { partition: passThrough() as never, local: [true] };
  const outputs = outputsOf([edge, { ...edge, port: "bad" }]);
  assert.equal(shown(send(outputs, [1])), ["0.0: 1"]);
  assert.equal(shown(send(outputs, [2], "bad")), ["1.0: 2"]);
  assert.equal(send(outputs, [3], "unread"), []);
});

test("no parcel is made for a channel that gets nothing, and what one gets that wants no more is only counted", () => {
  const outputs = outputsOf([{ partition: custom((n: number) => n) as never, local: [true, true, true] }]);
  assert.equal(shown(send(outputs, [0, 2, 0])), ["0.0: 0,0", "0.2: 2"]);
  outputs.linkClosed(outputs.links[0] as OutgoingLink);
  outputs.linkClosed(outputs.links[0] as OutgoingLink);
  assert.equal(shown(send(outputs, [0, 1])), ["0.0: ", "0.1: 1"]);
  assert.not(outputs.unwanted);
  for (const link of outputs.links) outputs.linkClosed(link);
  assert.ok(outputs.unwanted);
  assert.equal(
    producedOf(send(outputs, [0, 1, 2])).map(({ to, objects }) => `${to}: ${objects}`),
    ["0: 1", "1: 1", "2: 1"],
  );
});

test("one link without credit holds the channel back, a closed one doesn't", () => {
  const outputs = outputsOf([{ partition: broadcast() as never, local: [true, true] }], 2);
  assert.ok(outputs.ready);
  const [first, second] = outputs.links;
  const outgoing = send(outputs, [1, 2]);
  assert.not(outputs.ready, "what was made is going to use the credit");
  for (const { link, parcel } of outgoing) link.send(parcel);
  second?.grant(10, 1 << 20);
  assert.not(outputs.ready);
  outputs.linkClosed(first as OutgoingLink);
  assert.ok(outputs.ready);
});

test("a batch goes row by row, whole where one channel wants all of it, as slices where it was cut", async () => {
  await loadBatches();
  const table = tableFromArrays({ n: Int32Array.from({ length: 100 }, (_, n) => n) });
  const rows = (partition: PartitionFunction<never>, local = [true, true]): [number, number][] =>
    send(outputsOf([{ partition, local }]), [table]).map(({ link, parcel }) => [link.to, parcel.rows]);
  const spread = rows(hash("n") as never);
  assert.is(
    spread.reduce((sum, [, count]) => sum + count, 0),
    100,
  );
  assert.equal(rows(hash("n") as never, [true, false]), spread, "the same rows, by reference or encoded");
  assert.equal(rows(broadcast() as never), [
    [0, 100],
    [1, 100],
  ]);
  assert.equal(rows(custom(() => 1) as never), [[1, 100]]);
  assert.equal(
    rows(custom(() => ({ rows: Uint16Array.from({ length: 100 }, (_, row) => (row < 30 ? 0 : 1)) })) as never),
    [
      [0, 30],
      [1, 70],
    ],
  );
});

test("the first object that can't travel is refused, though it stays in its slot", () => {
  const outputs = outputsOf([{ partition: passThrough() as never, local: [true] }]);
  assert.throws(
    () => send(outputs, [{ f: () => 1 }]),
    (error: QStreamError) => error.code === "CANNOT_TRAVEL",
  );
});

test("a function that throws is named", () => {
  const before: EdgeFunction = {
    id: "bad",
    kind: "filter",
    previous: undefined,
    apply: () => {
      throw new Error("boom");
    },
  };
  const outputs = outputsOf([{ partition: passThrough() as never, local: [true], before }]);
  assert.throws(() => send(outputs, [1]), /filter "bad" threw: boom/);
});

test.run();
