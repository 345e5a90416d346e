import * as assert from "uvu/assert";
import { locate as located } from "../../../actors/channel/failure.ts";
import { watched } from "../../../actors/channel/strict-input.ts";
import { SinkWork } from "../../../actors/channel/work.ts";
import type { OutputSink } from "../../../lib/core/contracts/sink.ts";
import type { EdgeContext } from "../../../lib/core/program.ts";
import { mapping } from "../../../lib/flow/functions.ts";
import { defineFlow, items, local, roundRobin, type Task } from "../../../lib/index.ts";
import { testContext } from "../../../lib/testing/test-context.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("strict input");

test("a task that changes bytes of its input fails, however it returns", async () => {
  const ways: readonly ((change: () => void) => unknown)[] = [
    (change) => watched("an operator", [], () => change()),
    (change) => {
      const bytes = Uint8Array.of(1);
      return watched("an operator", [{ bytes }], () => {
        bytes[0] = 2;
        change();
      });
    },
    (change) => {
      const map = new Map<string, number>();
      const outputs = watched("an operator", [map], function* () {
        map.set("a", 1);
        change();
        yield 1;
      });
      return [...(outputs as Iterable<unknown>)];
    },
    async (change) => {
      const set = new Set<number>();
      await watched("an operator", [set], async () => {
        set.add(1);
        change();
      });
    },
  ];
  for (const [index, way] of ways.entries()) {
    let called = 0;
    const run = async (): Promise<unknown> => way(() => called++);
    if (index === 0) await run();
    else assert.match((await failure(run, "STEP_FAILED")).message, "an operator changed its input");
    assert.is(called, 1);
  }
});

test("what functions on the edge made is frozen too", async () => {
  const made = { n: 1 };
  const change = (): undefined => void (made.n = 2);
  await failure(() => locate(() => watched("an operator", [made], change)), "STEP_FAILED");
  assert.is(made.n, 1);
});

test("a function on an edge that changes bytes fails by its name", async () => {
  const overwrite = mapping("wipe", (bytes: Uint8Array) => bytes.fill(0));
  const objects = [Uint8Array.of(1)];
  const error = await failure(
    () => watched('map "wipe"', objects, () => [...overwrite(objects, {} as EdgeContext)]),
    "STEP_FAILED",
  );
  assert.match(error.message, 'map "wipe" changed its input: a Uint8Array');
});

test("a sink that changes what it writes fails in strict mode, and is left alone otherwise", async () => {
  const ctx = testContext();
  const sinkOf = (write: (objects: readonly { bytes: Uint8Array }[]) => unknown): OutputSink<never, unknown> => ({
    kind: "spec",
    guarantee: "idempotent",
    placement: "single",
    open: () => ({ write: (objects) => write(objects) as void }),
    result: () => undefined,
  });
  const overwrite = (objects: readonly { bytes: Uint8Array }[]): void => void objects[0]?.bytes.fill(7);
  for (const write of [overwrite, async (objects: readonly { bytes: Uint8Array }[]) => overwrite(objects)]) {
    for (const strict of [true, false]) {
      const work = new SinkWork(sinkOf(write), strict);
      await work.open(ctx);
      const run = async (): Promise<unknown> => work.execute("in", [{ bytes: Uint8Array.of(1) }], ctx);
      if (strict) assert.match((await failure(run, "STEP_FAILED")).message, "a sink changed its input");
      else assert.is(await run(), undefined);
    }
  }
  const frozen = new SinkWork(
    sinkOf((objects) => (objects as unknown[]).reverse()),
    true,
  );
  await frozen.open(ctx);
  await failure(() => locate(() => frozen.execute("in", [{ n: 1 }, { n: 2 }], ctx)), "STEP_FAILED");
});

interface Packet {
  n: number;
  readonly bytes: Uint8Array;
}
const places = ["none", "before", "after", "parcels", "sink"] as const;
const overwrite = (packet: Packet): void => void packet.bytes.fill(7);

/** Changes bytes, or a property, of what is read in a place of its own. */
const changing = defineFlow(import.meta.url, (q, args: { where: (typeof places)[number]; property: boolean }) => {
  const change = args.property ? (packet: Packet): void => void (packet.n += 1) : overwrite;
  const at = (where: string, packet: Packet): Packet => {
    if (where === args.where) change(packet);
    return packet;
  };
  const packets = q.read("packets", items<Packet>([{ n: 1, bytes: Uint8Array.of(1) }]), { channels: 1 });
  return {
    out: packets
      .map("before", (packet) => at("before", packet))
      .mapParcels("parcels", (parcel) => parcel.map((packet) => at("parcels", packet)))
      .partition(roundRobin())
      .tap("after", (packet) => void at("after", packet))
      .apply("pass", () => ({ execute: ({ objects }: Task<{ in: Packet }>) => objects }), { channels: 1 })
      .forEach((packet) => void at("sink", packet)),
  };
});

test("in a run, functions on edges and sinks that change what they are given are found by their names", async () => {
  const on = await local({ slots: 1, isolation: "none" });
  try {
    for (const property of [true, false]) {
      for (const where of places) {
        const args = { where, property };
        assert.is((await changing.run(args, { on })).out.objects, 1);
        if (where === "none") await changing.run(args, { on, strict: true });
        else {
          const error = await failure(() => changing.run(args, { on, strict: true }), "STEP_FAILED");
          assert.match(error.message, property ? /read.?only/u : "changed its input");
          if (where !== "sink") assert.match(error.message, `"${where}"`);
        }
      }
    }
  } finally {
    await on.close();
  }
});

/** The error as a channel reports it. */
function locate(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    throw located(error, {});
  }
}

test.run();
