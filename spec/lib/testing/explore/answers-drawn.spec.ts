import * as assert from "uvu/assert";
import type { AnyReference } from "../../../../lib/index.ts";
import {
  defineExploration,
  findViolation,
  formatTrace,
  recordRun,
  spaceTimeSvg,
  type ExplorationFaults,
  type RunTrace,
} from "../../../../lib/testing/index.ts";
import { suite } from "../../../kit/suite.ts";
import { sink, source } from "./sending.ts";

const test = suite("answers in pictures");
const url = import.meta.url;

const asking = (faults: ExplorationFaults) =>
  defineExploration<AnyReference>(url, {
    name: "asking",
    start(world) {
      const to = world.spawn(sink, undefined, { name: "to" });
      const from = world.spawn(source, undefined, { name: "from" });
      from.tell("ask", to);
      return from;
    },
    faults,
    atEnd: { "it has an answer": (from, world) => world.state<{ answers: string[] }>(from)?.answers.length === 0 },
  });

const arrowsOf = (trace: RunTrace, kind: string): number =>
  spaceTimeSvg(trace, {}).match(new RegExp(`class="arrow ${kind}[^>]*data-start`, "gu"))?.length ?? 0;

test("an answer is delivered to who asked, in the step in which its code goes on", async () => {
  const trace = await recordRun(asking({ delayMs: [2, 4] }), { seed: 1 });
  const sent = trace.steps.flatMap(({ step, sends = [] }) => sends.map((each) => ({ ...each, step })));
  const answer = sent.find(({ text }) => text?.startsWith("answer "));
  const delivered = trace.steps.find(({ message }) => message?.id === answer?.id);
  assert.equal([delivered?.line, delivered?.kind, delivered?.message?.from], ["from", "deliver", "to"]);
  assert.is(delivered?.message?.sentStep, answer?.step);
  assert.is(delivered?.message?.text, `answer 2 to "ask" of to`);
  assert.match(formatTrace(trace), /from gets answer 2 to "ask" of to from to, sent at step \d/);
  assert.equal([arrowsOf(trace, "flying"), arrowsOf(trace, "delivered")], [0, 4]);
});

test("an answer within a machine has no way to be drawn, and is a note", async () => {
  const local = defineExploration(url, {
    machines: 1,
    start(world) {
      const [machine] = world.machines;
      const at = machine === undefined ? {} : { machine };
      const to = world.spawn(sink, undefined, { name: "to", ...at });
      world.spawn(source, undefined, { name: "from", ...at }).tell("ask", to);
    },
  });
  const trace = await recordRun(local, { seed: 1 });
  assert.is(trace.steps.find(({ text }) => text?.includes("of to: 2"))?.kind, "note");
  assert.is(arrowsOf(trace, "flying"), 0);
});

test("the first of two answers is the answer, and the second comes to nothing", async () => {
  const trace = await recordRun(asking({ delayMs: [2, 4], duplicate: 1, withinMs: 1000 }), { seed: 1 });
  const answers = trace.steps.filter(({ message }) => message?.text.startsWith("answer"));
  assert.equal(
    answers.map(({ message }) => message?.duplicate),
    [undefined],
  );
  const lost = trace.steps.flatMap((step) => step.lost ?? []).filter(({ text }) => text.startsWith("answer"));
  assert.ok(lost.length > 0);
  assert.ok(lost.every(({ reason }) => reason === "nobody waits for it"));
});

test("an answer that comes too late is lost", async () => {
  const trace = await recordRun(asking({ delayMs: [60, 70] }), { seed: 1 });
  const lost = trace.steps.flatMap((step) => step.lost ?? []);
  assert.equal(
    lost.map(({ from, to, reason }) => [from, to, reason]),
    [["to", "from", "nobody waits for it"]],
  );
  assert.is(arrowsOf(trace, "flying"), 0);
});

test("an answer of one of all orders is drawn too", async () => {
  const { violation } = await findViolation(asking({}), { exhaustive: true });
  assert.ok(violation);
  const answer = violation.trace.steps.find(({ message }) => message?.text.startsWith("answer"));
  assert.equal([answer?.line, answer?.kind], ["from", "deliver"]);
});

test.run();
