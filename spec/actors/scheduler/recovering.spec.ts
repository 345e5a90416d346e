import * as assert from "uvu/assert";
import { beginning } from "../../../actors/lineage/retention.ts";
import type { ExecutionRequest } from "../../../actors/scheduler/execution-request.ts";
import { Lives } from "../../../actors/scheduler/lives.ts";
import { Recovering } from "../../../actors/scheduler/recovering.ts";
import type { Order } from "../../../actors/slot/protocol.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import { lineOf } from "../../kit/plans.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("recovering");
const execution = "run-000000000001";

/** A line of two channels and one; the second channel of the first step was on a slot that is lost. */
class Given {
  readonly orders: { readonly slot: string; readonly order: Order }[] = [];
  readonly recovering: Recovering;
  done = false;
  /** Slots that live. */
  living = ["survivor"];

  /** @param known - slots that know the execution, also the lost one; none where it is gone on with */
  constructor(known: readonly string[] = ["survivor", "lost"]) {
    const plan = lineOf([2, 1]);
    const lives = new Lives(plan, (step, channel) => (step === 0 && channel === 1 ? "lost" : "survivor"));
    this.recovering = new Recovering({
      request: { execution, plan, splits: new Map() } as unknown as ExecutionRequest,
      lives,
      client: "client",
      slots: () => this.living.map((id) => ({ id, machine: "machine", tags: [] })),
      known,
      order: (slot, order) => this.orders.push({ slot, order }),
      fence: () => {},
      checkpointsOf: () => [beginning],
      sizes: () => undefined,
      waits: () => {},
      done: () => (this.done = true),
    });
    this.recovering.lose(known.length === 0 ? [0, 1, 2] : [1]);
  }

  /** The survivor has parcels up to a task of the lost channel, whose log ends where it ends. */
  answer(received: number, lastSeq: number): void {
    const round = this.recovering.rounds;
    const consumers = [
      { life: 2, edge: 0, from: 0, to: 0, seq: 100 },
      { life: 2, edge: 0, from: 1, to: 0, seq: received },
    ];
    this.recovering.surveyed({ kind: "surveyed", execution, slot: "survivor", round, consumers, producers: [] });
    this.recovering.fenced(round, [{ channel: 1, generation: 1, lastSeq, checkpoints: [beginning] }]);
  }
}

test("what a survivor has up to the end of a lost channel's log is gone on from", () => {
  const given = new Given();
  given.answer(5, 5);
  const kinds = given.orders.map(({ slot, order }) => `${slot} ${order.kind}`);
  assert.equal(kinds, ["survivor survey", "survivor recover"]);
  given.recovering.recovered({ kind: "recovered", execution, slot: "survivor", round: given.recovering.rounds });
  assert.ok(given.done);
});

test("a log that ends before what a survivor has is LINEAGE_REGRESSED, with the step and the channel", () => {
  const given = new Given();
  let error: unknown;
  try {
    given.answer(5, 3);
  } catch (caught) {
    error = caught;
  }
  assert.ok(error instanceof QStreamError, String(error));
  if (!(error instanceof QStreamError)) return;
  assert.is(error.code, "LINEAGE_REGRESSED");
  assert.equal(error.place, { step: "step-0", channel: 1 });
  assert.match(error.message, "the log ends at task 3, though task 5 had been committed and consumed");
  const kinds = given.orders.map(({ slot, order }) => `${slot} ${order.kind}`);
  assert.equal(kinds, ["survivor survey"], "nothing is made anew");
  assert.not(given.done);
});

test("where the last slot is lost before it has heard of what is to be gone on with, that waits for another slot", () => {
  const given = new Given([]);
  given.living = [];
  const ended = { generation: 1, lastSeq: -1, checkpoints: [beginning] };
  given.recovering.fenced(
    given.recovering.rounds,
    [0, 1, 2].map((channel) => ({ channel, ...ended })),
  );
  assert.equal(given.orders, []);
  given.living = ["survivor"];
  assert.ok(given.recovering.slotAdded(true));
  given.recovering.fenced(
    given.recovering.rounds,
    [0, 1, 2].map((channel) => ({ channel, ...ended })),
  );
  assert.equal(
    given.orders.map(({ slot, order }) => `${slot} ${order.kind}`),
    ["survivor recover"],
  );
});

test("while it isn't known how a lost channel goes on, another loss begins no round that takes it for alive", () => {
  const given = new Given();
  given.recovering.hold([0]);
  assert.ok(given.recovering.active);
  const before = given.orders.length;
  const round = given.recovering.rounds;
  given.recovering.lose([2]);
  given.answer(5, 5);
  assert.is(given.recovering.rounds, round);
  assert.is(given.orders.length, before, "answers of the round before are too late");
  given.recovering.goOn();
  given.recovering.lose([0]);
  const [survey] = given.orders.slice(before);
  assert.is(survey?.order.kind, "survey");
  assert.equal(survey?.order.kind === "survey" && [...survey.order.lost].toSorted((a, b) => a - b), [0, 1, 2]);
});

test.run();
