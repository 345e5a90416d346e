// specs: timeout 120 s
// A loop whose operator fails in any one of its calls gives what it gives without that; and so does one that is gone on with.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import {
  defineFlow,
  hash,
  numbers,
  type Feedback,
  type FlowBuilder,
  type Round,
  type RunOptions,
} from "../../../lib/index.ts";
import { chainEdges, LabelRounds, LabelsAtOnce, type Component, type Label } from "../../kit/loops.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("loops that fail");
const length = 8;
const upTo = 64;

/** Which call of all channels fails, once. */
const fault = { at: -1, calls: 0, again: false };

function perhaps(): void {
  if (fault.calls++ === fault.at || (fault.again && fault.calls > fault.at && fault.at >= 0)) {
    throw new Error("this call fails");
  }
}

class FailingRounds extends LabelRounds {
  override execute(task: Parameters<LabelRounds["execute"]>[0]): void {
    perhaps();
    super.execute(task);
  }

  override round(round: Round<number>): Generator<Feedback<Label>, void> {
    perhaps();
    return super.round(round);
  }
}

class FailingAtOnce extends LabelsAtOnce {
  override *execute(task: Parameters<LabelsAtOnce["execute"]>[0]): Generator<Feedback<Label>, void> {
    yield* super.execute(task);
    // What it has fed back so far isn't sent.
    perhaps();
  }
}

function chains(q: FlowBuilder) {
  const edges = q.read("numbers", numbers(0, upTo)).flatMap("edges", (n) => chainEdges(n, length));
  return edges.partition(hash("from"));
}

const rounds = defineFlow(import.meta.url, (q) => ({
  labels: q
    .iterate("label", { edges: chains(q) }, () => new FailingRounds(), { feedback: hash("to"), channels: 3 })
    .collect(),
}));

const atOnce = defineFlow(import.meta.url, (q) => ({
  labels: q
    .iterate("label", { edges: chains(q) }, () => new FailingAtOnce(), {
      feedback: hash("to"),
      channels: 3,
      rounds: false,
    })
    .collect(),
}));

const options: RunOptions = {
  isolation: "none",
  slots: 2,
  store: "memory",
  checkpointEveryMs: 1,
  limits: { parcelObjects: 16, inputObjects: 32, spoolMemoryBytes: 100 },
};

function assertRight(labels: readonly Component[]): void {
  assert.is(labels.length, upTo);
  for (const { vertex, label } of labels) assert.is(label, vertex - (vertex % length));
}

for (const [name, flow] of Object.entries({ rounds, atOnce })) {
  test(`in any call, and go on (${name})`, async () => {
    Object.assign(fault, { at: -1, calls: 0, again: false });
    assertRight((await flow.run({}, { ...options, seed: 1 })).labels);
    const { calls } = fault;
    assert.ok(calls > 30, `${calls} calls`);
    let recovered = 0;
    for (let at = 0; at < calls; at += 1 + Math.floor(calls / 60)) {
      Object.assign(fault, { at, calls: 0 });
      const onEvent = ({ kind }: { readonly kind: string }): void => {
        if (kind === "recovered") recovered++;
      };
      // oxlint-disable-next-line no-await-in-loop -- one fault at a time
      assertRight((await flow.run({}, { ...options, seed: at, onEvent })).labels);
    }
    assert.ok(recovered > 20, `${recovered} recoveries`);
  }, 60_000);

  test(`until nobody tries again, and are gone on with (${name})`, async () => {
    const folder = await mkdtemp(join(tmpdir(), "qstream-spec-loops-"));
    try {
      const stored = { ...options, store: `lmdb:${folder}`, attempts: 1 };
      const { limits: _limits, ...resumed } = stored;
      Object.assign(fault, { at: 25, calls: 0, again: true });
      const first = await flow.start({}, stored);
      await failure(() => first.outputs, "STEP_FAILED", { step: "label" });
      Object.assign(fault, { at: -1, again: false });
      const other = await failure(() => flow.resume(first.id, { ...resumed, slots: 3, rescale: true }), "UNSUPPORTED");
      assert.match(other.message, 'the channels of a flow with the loop "label" can\'t change');
      const again = await flow.resume(first.id, resumed);
      assertRight((await again.outputs)["labels"] as Component[]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
}

test.run();
