import { setImmediate as turn } from "node:timers/promises";
import * as assert from "uvu/assert";
import { HeldTasks } from "../../../operators/sinks/held-tasks.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("tasks that are held until the log has them");

/** Deliveries that wait until they are answered. */
function patient(signal: AbortSignal = new AbortController().signal): {
  readonly held: HeldTasks<{ readonly seq: number }>;
  readonly begun: number[];
  readonly answers: (() => void)[];
  readonly refusals: ((error: Error) => void)[];
} {
  const begun: number[] = [];
  const answers: (() => void)[] = [];
  const refusals: ((error: Error) => void)[] = [];
  const held = new HeldTasks<{ readonly seq: number }>(({ seq }) => {
    begun.push(seq);
    return new Promise((resolve, reject) => {
      answers.push(resolve);
      refusals.push(reject);
    });
  }, signal);
  return { held, begun, answers, refusals };
}

test("tasks are delivered one after the other, once the log has them", async () => {
  const { held, begun, answers } = patient();
  for (const seq of [0, 2, 3]) held.hold({ seq });
  await turn();
  assert.equal(begun, []);
  let isDelivered = false;
  void held.committed(2).then(() => (isDelivered = true));
  await turn();
  assert.equal(begun, [0]);
  answers[0]?.();
  await turn();
  assert.equal([begun, isDelivered], [[0, 2], false]);
  answers[1]?.();
  await turn();
  assert.equal([begun, isDelivered], [[0, 2], true]);
});

test("there is room for a few, and all of them are waited for", async () => {
  const { held, answers } = patient();
  let taken = 0;
  void (async () => {
    for (let seq = 0; seq < 100; seq++) {
      // oxlint-disable-next-line no-await-in-loop -- one task after the other
      await held.room();
      held.hold({ seq });
      taken++;
    }
  })();
  await turn();
  assert.is(taken, 8);
  void held.committed(1);
  await turn();
  answers[0]?.();
  await turn();
  assert.is(taken, 9);
  const { held: last, answers: lastAnswers } = patient();
  last.hold({ seq: 0 });
  let isEmpty = false;
  const emptied = last.delivered().then(() => (isEmpty = true));
  void last.committed(0);
  await turn();
  assert.is(isEmpty, false);
  lastAnswers[0]?.();
  await emptied;
});

test("of a delivery that fails, who was told of the task hears before those that wait", async () => {
  const { held, begun, refusals } = patient();
  const heard: string[] = [];
  const hears = (who: string, waits: Promise<void>): void => {
    waits.catch(({ message }: Error) => void heard.push(`${who}: ${message}`));
  };
  for (let seq = 0; seq < 8; seq++) held.hold({ seq });
  hears("room", held.room());
  hears("task 0", held.committed(0));
  hears("task 1", held.committed(1));
  await turn();
  refusals[0]?.(new Error("no"));
  await turn();
  assert.equal(heard, ["task 0: no", "task 1: no", "room: no"]);
  hears("later", held.delivered());
  await turn();
  assert.is(heard.at(-1), "later: no");
  assert.equal(begun, [0]);
});

test("nothing is waited for once the execution has ended", async () => {
  const ending = new AbortController();
  const { held } = patient(ending.signal);
  held.hold({ seq: 0 });
  const waiting = held.delivered().then(
    () => "delivered",
    (error: unknown) => (error as Error).message,
  );
  await turn();
  ending.abort(new Error("it is over"));
  assert.is(await waiting, "it is over");
});

test.run();
