import fc from "fast-check";
import * as assert from "uvu/assert";
import { cellFlag, type Cell } from "../../../actors/system/cell.ts";
import { ReadyQueue } from "../../../actors/system/ready-cells.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("actors/system/ready-cells");

/** As much of a cell as a queue knows. */
function cellOf(id: number, isNew: boolean): Cell {
  return { id, flags: cellFlag.ready | (isNew ? cellFlag.starting : 0), nextReady: undefined } as Cell;
}

const waiting = (id: number): Cell => cellOf(id, false);
const made = (id: number): Cell => cellOf(id, true);

function takeAll(queue: ReadyQueue): number[] {
  const ids: number[] = [];
  for (let cell = queue.take(); cell !== undefined; cell = queue.take()) ids.push(cell.id);
  return ids;
}

/** How many are taken until one is, while each new actor makes another one when it starts. */
function takesUntil(queue: ReadyQueue, id: number): number {
  for (let takes = 1; takes < 10_000; takes++) {
    const cell = queue.take();
    if (cell?.id === id) return takes;
    if (cell !== undefined && cell.id < 0) queue.push(made(cell.id - 1));
  }
  return Infinity;
}

test("who has something to do comes in the order in which it came to be ready", () => {
  const queue = new ReadyQueue();
  assert.ok(queue.isEmpty);
  for (const id of [1, 2, 3]) queue.push(waiting(id));
  assert.is(queue.take()?.id, 1);
  queue.push(waiting(1));
  assert.not(queue.isEmpty);
  assert.equal(takeAll(queue), [2, 3, 1]);
  assert.ok(queue.isEmpty);
});

test("new actors start before those that wait, in the order in which a turn made them", () => {
  const queue = new ReadyQueue();
  for (const id of [1, 2]) queue.push(waiting(id));
  assert.is(queue.take()?.id, 1);
  for (const id of [10, 11]) queue.push(made(id));
  queue.push(waiting(1));
  assert.is(queue.take()?.id, 10);
  for (const id of [20, 21]) queue.push(made(id));
  assert.equal(takeAll(queue), [20, 21, 11, 2, 1]);
});

test("those that wait have their turns though new actors make new actors without end", () => {
  const queue = new ReadyQueue();
  queue.push(made(-1));
  for (const id of [1, 2, 3]) queue.push(waiting(id));
  const takes = takesUntil(queue, 3);
  assert.ok(takes <= 520, `it waited for ${takes} turns`);
});

test("a new actor starts though a later one makes new actors without end", () => {
  const queue = new ReadyQueue();
  for (const id of [5, 6]) queue.push(made(id));
  queue.push(waiting(1));
  assert.is(queue.take()?.id, 5);
  queue.push(made(-1));
  const takes = takesUntil(queue, 6);
  assert.ok(takes <= 520, `it waited for ${takes} turns`);
});

test("those that wait have one round each time, also if they are ready again at once", () => {
  const queue = new ReadyQueue();
  queue.push(made(-1));
  for (const id of [1, 2, 3, 4]) queue.push(waiting(id));
  let rounds = 0;
  for (let takes = 0; takes < 516 * 20; takes++) {
    const cell = queue.take();
    if (cell === undefined) break;
    if (cell.id === 1) rounds++;
    queue.push(cell.id < 0 ? made(cell.id - 1) : waiting(cell.id));
  }
  assert.is(rounds, 20);
});

test("whatever comes is taken once, and those that wait keep their order", () => {
  const step = fc.oneof(fc.constant("take"), fc.constant("wait"), fc.constant("make"));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 3000, size: "max" }), (steps) => {
      const queue = new ReadyQueue();
      const taken: number[] = [];
      let pushed = 0;
      for (const each of steps) {
        assert.is(queue.isEmpty, taken.length === pushed);
        const cell = each === "take" ? queue.take() : undefined;
        if (cell !== undefined) taken.push(cell.id);
        if (each !== "take") queue.push(each === "wait" ? waiting(2 * pushed++) : made(2 * pushed++ + 1));
      }
      taken.push(...takeAll(queue));
      const waited = taken.filter((id) => id % 2 === 0);
      assert.equal(
        waited,
        waited.toSorted((left, right) => left - right),
      );
      assert.equal(
        taken.map((id) => id >> 1).toSorted((left, right) => left - right),
        Array.from({ length: pushed }, (_, number) => number),
      );
    }),
    { numRuns: 60 },
  );
});

test.run();
