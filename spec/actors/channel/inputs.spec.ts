import fc from "fast-check";
import * as assert from "uvu/assert";
import { Inputs, windowOf } from "../../../actors/channel/inputs.ts";
import type { Parcel } from "../../../actors/channel/parcel.ts";
import type { QStreamError } from "../../../lib/core/errors.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("channel inputs");

interface Granted {
  readonly input: number;
  readonly from: number;
  readonly objects: number;
  readonly bytes: number;
}

function inputsOf(
  parts: readonly { readonly name: string; readonly stage?: number; readonly links?: number }[],
  window = { objects: 100, bytes: 1000 },
): { readonly inputs: Inputs; readonly granted: Granted[] } {
  const granted: Granted[] = [];
  const inputs = new Inputs(
    parts.map(({ name, stage = 0, links = 1 }, edge) => ({ planned: { name, stage, edge }, links, window })),
    (input, from, objects, bytes) => void granted.push({ input, from, objects, bytes }),
  );
  return { inputs, granted };
}

function parcel(
  seq: number,
  objects: readonly unknown[],
  parts: { previous?: number; from?: number; columnar?: boolean } = {},
): Parcel {
  const { previous = seq - 1, from = 0, columnar = false } = parts;
  return { seq, previous, from, columnar, rows: objects.length, bytes: objects.length * 10, content: { objects } };
}

function describe(inputs: Inputs, max = 1000, accepts?: (input: string) => boolean): string {
  const taken = inputs.take(max, accepts);
  if (taken === undefined) return "nothing";
  if (taken.kind === "done") return "done";
  if (taken.kind === "input-end") return `end ${taken.input}`;
  const objects = taken.parcels.flatMap(({ content }) => ("objects" in content ? content.objects : []));
  return `${taken.input}: ${objects.join(",")}`;
}

test("an input gives its parcels in order, then its end, and then the channel is done", () => {
  const { inputs } = inputsOf([{ name: "in" }]);
  assert.is(describe(inputs), "nothing");
  inputs.enqueue(0, parcel(0, ["a", "b"]));
  inputs.enqueue(0, parcel(1, ["c"]));
  assert.is(describe(inputs, 1), "0: a,b", "a parcel is never cut");
  assert.is(describe(inputs, 1), "0: c");
  assert.is(describe(inputs), "nothing");
  inputs.end(0, 0, 1);
  assert.is(describe(inputs), "end 0");
  assert.is(describe(inputs), "done");
});

test("small parcels are joined into one task, large and columnar ones aren't", () => {
  const { inputs } = inputsOf([{ name: "in" }]);
  for (let seq = 0; seq < 3; seq++) inputs.enqueue(0, parcel(seq, [seq]));
  inputs.enqueue(0, parcel(3, ["table"], { columnar: true }));
  inputs.enqueue(0, parcel(4, ["x"]));
  assert.is(describe(inputs, 100), "0: 0,1,2");
  assert.is(describe(inputs, 100), "0: table");
  assert.is(describe(inputs, 100), "0: x");
});

test("a later stage waits for the end of an earlier one", () => {
  const { inputs } = inputsOf([
    { name: "probe", stage: 1 },
    { name: "build", stage: 0 },
  ]);
  inputs.enqueue(0, parcel(0, ["p"]));
  inputs.end(0, 0, 0);
  assert.is(describe(inputs), "nothing");
  assert.equal(inputs.waiting(), { forInputs: ["build"], blocked: ["probe"] });
  inputs.enqueue(1, parcel(0, ["b"]));
  assert.is(describe(inputs), "1: b");
  inputs.end(1, 0, 0);
  assert.is(describe(inputs), "end 1");
  assert.is(describe(inputs), "0: p");
  assert.is(describe(inputs), "end 0");
  assert.is(describe(inputs), "done");
});

test("a loop waits for its inputs first, and then for what is fed back", () => {
  const window = { objects: 100, bytes: 1000 };
  const edges = { planned: { name: "edges", stage: 0, edge: 0 }, links: 1, window };
  const back = { planned: { name: "feedback", stage: 1, edge: 1, feedback: "rounds" as const }, links: 1, window };
  const inputs = new Inputs([edges, back], () => {});
  assert.equal(inputs.waiting(), { forInputs: ["edges"], blocked: [] });
  inputs.end(0, 0, -1);
  assert.is(describe(inputs), "end 0");
  assert.equal(inputs.waiting(), { forInputs: ["feedback"], blocked: [] });
});

test("inputs of one stage take turns", () => {
  const { inputs } = inputsOf([{ name: "left" }, { name: "right" }]);
  for (let seq = 0; seq < 2; seq++) {
    inputs.enqueue(0, parcel(seq, [`l${seq}`]));
    inputs.enqueue(1, parcel(seq, [`r${seq}`]));
  }
  assert.equal(
    [1, 2, 3, 4].map(() => describe(inputs, 1)),
    ["0: l0", "1: r0", "0: l1", "1: r1"],
  );
});

test("an input that the operator doesn't accept now is left, also at its end", () => {
  const { inputs } = inputsOf([{ name: "left" }, { name: "right" }]);
  inputs.enqueue(0, parcel(0, ["l"]));
  inputs.end(0, 0, 0);
  const onlyRight = (input: string): boolean => input === "right";
  assert.is(describe(inputs, 10, onlyRight), "nothing");
  inputs.enqueue(1, parcel(0, ["r"]));
  assert.is(describe(inputs, 10, onlyRight), "1: r");
  assert.is(
    describe(inputs, 10, () => true),
    "0: l",
  );
  assert.is(describe(inputs, 10, onlyRight), "end 0", "an empty input that ended needs no acceptance");
});

test("an input ends when all of its links have, and one without links at once", () => {
  const { inputs } = inputsOf([
    { name: "in", links: 2 },
    { name: "empty", links: 0 },
  ]);
  assert.is(describe(inputs), "end 1");
  inputs.end(0, 0, -1);
  assert.is(describe(inputs), "nothing");
  assert.equal(inputs.open(), [0]);
  inputs.end(0, 1, -1);
  assert.is(describe(inputs), "end 0");
  assert.equal(inputs.open(), []);
});

test("a gap in a link is a defect that is found, at a parcel and at the end", () => {
  const { inputs } = inputsOf([{ name: "in", links: 2 }]);
  inputs.enqueue(0, parcel(3, ["x"], { previous: -1 }));
  const broken = [
    () => inputs.enqueue(0, parcel(9, ["y"], { previous: 8 })),
    () => inputs.end(0, 0, 7),
    () => inputs.end(0, 1, 0),
  ];
  for (const body of broken) assert.throws(body, (error: QStreamError) => error.code === "INTERNAL");
});

test("what has come early for the next round of a loop is taken then, however much it is", () => {
  const planned = { name: "feedback", stage: 0, edge: 0, feedback: "rounds" } as const;
  const inputs = new Inputs([{ planned, links: 2, window: { objects: 100, bytes: 1000 } }], () => {});
  const early = 200_000;
  inputs.enqueue(0, parcel(0, []));
  for (let seq = 1; seq <= early; seq++) inputs.enqueue(0, parcel(seq, [seq]));
  assert.is(inputs.takeFeedback(Infinity)?.parcels.length, 1);
  inputs.nextRound();
  assert.is(inputs.takeFeedback(Infinity)?.parcels.length, early);
});

test("credit comes back once half of a window is consumed, in objects or in bytes, link by link", () => {
  const { inputs, granted } = inputsOf([{ name: "in", links: 2 }], { objects: 10, bytes: 1000 });
  inputs.release(0, [parcel(0, [1, 2, 3, 4])]);
  assert.equal(granted, []);
  inputs.release(0, [parcel(1, [5]), parcel(0, [6], { from: 1 })]);
  assert.equal(granted, [{ input: 0, from: 0, objects: 5, bytes: 50 }]);
  inputs.release(0, [{ ...parcel(2, [7]), bytes: 500 }]);
  assert.equal(granted[1], { input: 0, from: 0, objects: 1, bytes: 500 });
});

test("a columnar batch uses credit of 1,024 objects at most, whatever rows it has", () => {
  const { inputs, granted } = inputsOf([{ name: "in", links: 1 }], { objects: 2000, bytes: 1e6 });
  inputs.release(0, [{ ...parcel(0, [1]), columnar: true, rows: 900 }]);
  assert.equal(granted, []);
  inputs.release(0, [{ ...parcel(1, [1]), columnar: true, rows: 50_000 }]);
  assert.equal(
    granted.map(({ objects }) => objects),
    [900 + 1024],
  );
});

test("the window of an input is divided over its links and never nothing", () => {
  assert.equal(windowOf({ inputObjects: 100, inputBytes: 1000 }, 4), { objects: 25, bytes: 250 });
  assert.equal(windowOf({ inputObjects: 3, inputBytes: 3 }, 4), { objects: 1, bytes: 1 });
});

test("clear forgets what is unread and closes every input", () => {
  const { inputs } = inputsOf([{ name: "in" }]);
  inputs.enqueue(0, parcel(0, ["x"]));
  inputs.clear();
  assert.equal(inputs.open(), []);
  assert.is(describe(inputs), "done");
});

test("whatever the order of arrival: each link keeps its order, nothing is lost, all credit comes back but less than a window", () => {
  const arrival = fc.record({
    input: fc.nat(2),
    from: fc.nat(1),
    rows: fc.integer({ min: 1, max: 9 }),
    takes: fc.nat(2),
  });
  fc.assert(
    fc.property(fc.array(arrival, { maxLength: 60 }), fc.integer({ min: 1, max: 30 }), (arrivals, max) => {
      const window = { objects: 20, bytes: 200 };
      const { inputs, granted } = inputsOf(
        [
          { name: "a", links: 2 },
          { name: "b", links: 2, stage: 1 },
          { name: "c", links: 2 },
        ],
        window,
      );
      const last = new Map<string, number>();
      const sent = new Map<string, string[]>();
      const got = new Map<string, string[]>();
      let unread = 0;
      const take = (): boolean => {
        const taken = inputs.take(max, undefined);
        if (taken?.kind !== "parcels") return taken?.kind === "input-end";
        for (const { from, seq, rows } of taken.parcels) {
          const key = `${taken.input}.${from}`;
          got.set(key, [...(got.get(key) ?? []), `${seq}:${rows}`]);
          unread -= rows;
        }
        inputs.release(taken.input, taken.parcels);
        return true;
      };
      arrivals.forEach(({ input, from, rows, takes }, seq) => {
        const key = `${input}.${from}`;
        inputs.enqueue(input, parcel(seq, Array.from({ length: rows }), { from, previous: last.get(key) ?? -1 }));
        last.set(key, seq);
        sent.set(key, [...(sent.get(key) ?? []), `${seq}:${rows}`]);
        unread += rows;
        for (let turn = 0; turn < takes; turn++) take();
      });
      for (const input of [0, 1, 2])
        for (const from of [0, 1]) inputs.end(input, from, last.get(`${input}.${from}`) ?? -1);
      while (take());
      assert.is(inputs.take(max, undefined)?.kind, "done");
      assert.is(unread, 0);
      for (const [key, parcels] of sent) {
        assert.equal(got.get(key), parcels);
        const [input, from] = key.split(".").map(Number);
        const rows = parcels.reduce((sum, text) => sum + Number(text.split(":")[1]), 0);
        const back = granted
          .filter((grant) => grant.input === input && grant.from === from)
          .reduce((sum, grant) => sum + grant.objects, 0);
        assert.ok(back <= rows && rows - back < window.objects / 2, `${key}: ${back} of ${rows} came back`);
      }
    }),
    { numRuns: 150 },
  );
});

test.run();
