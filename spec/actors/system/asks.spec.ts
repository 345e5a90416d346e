import * as assert from "uvu/assert";
import { QStreamError } from "../../../lib/index.ts";
import { Asks, type Question } from "../../../actors/system/asks.ts";
import { StandingClock } from "../../kit/actor-node.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("actors/system/asks");
const target = { label: "target-1" };

/** Questions by number, and how each has ended so far. */
class Asking {
  readonly clock = new StandingClock();
  readonly asks = new Asks(this.clock);
  readonly questions: Question[] = [];
  readonly ends: string[] = [];

  ask(timeoutMs: number, signal?: AbortSignal): Question {
    const number = this.questions.length;
    const question = this.asks.open("get", target, { timeoutMs, ...(signal === undefined ? {} : { signal }) });
    this.questions.push(question);
    question.answered.then(
      (value) => this.ends.push(`${number} ${String(value)}`),
      (error: unknown) => this.ends.push(`${number} ${error instanceof QStreamError ? error.code : "no code"}`),
    );
    return question;
  }

  async pass(ms: number): Promise<string[]> {
    const untilMs = this.clock.monotonic() + ms;
    while (this.clock.next(untilMs)) await settled();
    await settled();
    return this.ends.splice(0);
  }
}

async function settled(): Promise<void> {
  for (let tick = 0; tick < 5; tick++) await Promise.resolve();
}

test("a question ends when its time is over, to the millisecond, and no other one with it", async () => {
  const asking = new Asking();
  asking.ask(50);
  asking.ask(20);
  assert.equal(await asking.pass(10), []);
  asking.ask(20);
  asking.ask(40);
  assert.equal(await asking.pass(9), []);
  assert.equal(await asking.pass(1), ["1 ASK_TIMEOUT"]);
  assert.equal(await asking.pass(10), ["2 ASK_TIMEOUT"]);
  assert.equal(await asking.pass(19), []);
  assert.equal(await asking.pass(1), ["0 ASK_TIMEOUT", "3 ASK_TIMEOUT"]);
});

test("what was answered, refused or given up doesn't end again, and those around it do", async () => {
  const asking = new Asking();
  const abort = new AbortController();
  for (let number = 0; number < 3; number++) asking.ask(20);
  asking.ask(20, abort.signal);
  asking.ask(20);
  asking.questions[1]?.answer("answer");
  asking.questions[4]?.refuse(new Error("no"));
  abort.abort();
  assert.equal(await asking.pass(1), ["1 answer", "4 no code", "3 ABORTED"]);
  asking.questions[1]?.answer("another");
  asking.ask(20);
  assert.equal(await asking.pass(19), ["0 ASK_TIMEOUT", "2 ASK_TIMEOUT"]);
  assert.equal(await asking.pass(1), ["5 ASK_TIMEOUT"]);
});

test("a question that is given up before it is asked is over", async () => {
  const asking = new Asking();
  assert.ok(asking.ask(20, AbortSignal.abort()).isOver);
  assert.equal(await asking.pass(30), ["0 ABORTED"]);
});

test("all that wait are refused at the end", async () => {
  const asking = new Asking();
  for (const timeoutMs of [10, 20, 10]) asking.ask(timeoutMs);
  asking.questions[0]?.answer(1);
  asking.asks.close(new Error("closed"));
  assert.equal(await asking.pass(30), ["0 1", "2 no code", "1 no code"]);
});

test("many may wait at one time, and end in any order, and none is slower for it", () => {
  const asking = new Asking();
  const count = 200_000;
  const questions = Array.from({ length: count }, () => asking.asks.open("get", target, undefined));
  const from = performance.now();
  // With so many open, each of these would take a millisecond if it looked at the others.
  for (let number = 0; number < count; number++) {
    questions[(number * 7919) % count]?.answer(number);
    asking.asks.open("get", target, undefined).answer(number);
  }
  assert.ok(performance.now() - from < 10_000);
  assert.ok(questions.every(({ isOver }) => isOver));
});

test.run();
