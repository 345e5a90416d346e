import * as assert from "uvu/assert";
import { defineFlow } from "../../../lib/flow/define-flow.ts";
import { apart, nearFiles, tagged } from "../../../lib/placement/index.ts";
import { items } from "../../../readers/iterable.ts";
import { numbers } from "../../../readers/numbers.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("explain of clusters");

const flow = defineFlow(import.meta.url, (q) => {
  const all = q.read("numbers", numbers(0, 9), { channels: 2 });
  const some = all.reduceByKey(
    "some",
    (n) => n,
    () => 0,
    (sum) => sum,
    { place: tagged("gpu") },
  );
  return { some: some.collect(), total: all.count("total").collect() };
});

const machines = [
  { id: "alpha", slots: ["alpha/slot-0", "alpha/slot-1"], tags: [] },
  { id: "beta", slots: ["beta/slot-0"], tags: ["gpu"] },
];

test("steps are drawn with machines and reasons, and machines with what is on them", () => {
  const text = flow.explain({}, { machines });
  assert.match(text, "on 3 slots of 2 machines");
  assert.match(text, "  2 channels on alpha\n  because: dealt to the slots\n");
  assert.match(text, '  1 channel on beta\n  because: on slots with the tag "gpu"\n');
  assert.match(text, "  1 channel on client\n  because: in the client's own thread\n");
  assert.match(text, /machine beta, tags gpu\n {2}beta\/slot-0: some 0/);
  const mermaid = flow.explain({}, { machines, as: "mermaid" });
  assert.match(mermaid, 'subgraph m1 ["beta<br>gpu"]');
  assert.match(mermaid, /m0s0\["alpha\/slot-0<br>numbers 0/);
  assert.match(flow.explain({}, { machines, as: "dot" }), "subgraph cluster_m0 {");
});

test("of an execution that runs, channels are drawn where they are; of one that is done, where its sizes lead", () => {
  const steps = [{ step: "some", metrics: { bytesIn: 2048, bytesOut: 0 } }];
  const channels = [0, 1, 2].map((channel) => ({ step: "numbers", channel, slot: "beta/slot-0" }));
  const running = flow.explain({}, { machines, execution: { status: "running", metrics: { steps, channels } } });
  assert.match(running, "  3 channels on beta\n");
  const done = flow.explain({}, { machines, execution: { status: "done", metrics: { steps, channels: [] } } });
  assert.match(done, /because: dealt to the slots, near "some": 2 KiB were measured/);
});

test("what can't be placed is said as a run would say it", async () => {
  const [alpha] = machines;
  const error = await failure(
    () => flow.explain({}, { machines: alpha === undefined ? [] : [alpha] }),
    "PLACEMENT_IMPOSSIBLE",
  );
  assert.match(error.message, 'it wants 1 machine with the tag "gpu". There is 1 machine, with no tags');
  await failure(() => flow.explain({}, { machines: [] }), "MACHINE_UNREACHABLE");
});

test("strategies that make no sense for a step are refused when the flow is planned", async () => {
  const near = defineFlow(import.meta.url, (q) => ({
    out: q
      .read("in", items([1]))
      .reduceByKey(
        "total",
        (n) => n,
        () => 0,
        (sum) => sum,
        { place: nearFiles() },
      )
      .collect(),
  }));
  await failure(() => near.explain(), "OPTION_INVALID", { step: "total" });
  const alone = defineFlow(import.meta.url, (q) => ({
    out: q.read("in", items([1]), { place: apart({ from: "nobody" }) }).collect(),
  }));
  const error = await failure(() => alone.explain(), "OPTION_INVALID", { step: "in" });
  assert.match(error.message, '"nobody", which is no other step');
});

test.run();
