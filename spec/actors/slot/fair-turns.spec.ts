import * as assert from "uvu/assert";
import type { ActorReference } from "../../../actors/hosts/actor-host.ts";
import { FairTurns } from "../../../actors/slot/fair-turns.ts";
import type { Clock } from "../../../lib/core/seam/clock.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("fair turns");

/** A slot without threads: turns take the time that they say, one after the other. */
class Slot {
  readonly usedMs = new Map<string, number>();
  readonly turns: FairTurns;
  #now = 0;
  #queue: (() => void)[] = [];

  constructor() {
    const clock = { monotonic: () => this.#now, soon: (callback: () => void) => void this.#queue.push(callback) };
    this.turns = new FairTurns(clock as unknown as Clock);
  }

  /** A channel that wants a turn as soon as it has had one. */
  addChannel(execution: string, turnMs: number, turnsLeft = Infinity): void {
    let left = turnsLeft;
    const turn = (): void => {
      this.#now += turnMs;
      this.usedMs.set(execution, (this.usedMs.get(execution) ?? 0) + turnMs);
      if (--left > 0) this.turns.want(execution, actor);
    };
    const actor: ActorReference<"turn"> = {
      name: execution,
      tell: () => void this.#queue.push(() => this.turns.take(execution, turn)),
      stop: () => {},
    };
    this.turns.want(execution, actor);
  }

  /** Runs for so long, or until nobody wants anything. */
  run(ms: number): void {
    const until = this.#now + ms;
    while (this.#now < until) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      next();
    }
  }

  used(execution: string): number {
    return this.usedMs.get(execution) ?? 0;
  }
}

test("two executions get the same time, whatever their channels and tasks", () => {
  const slot = new Slot();
  for (let channel = 0; channel < 50; channel++) slot.addChannel("many", 1);
  slot.run(100);
  assert.is(slot.used("many"), 100);
  slot.addChannel("slow", 20);
  slot.addChannel("quick", 0.1);
  slot.usedMs.clear();
  slot.run(3000);
  for (const execution of ["many", "slow", "quick"]) {
    // Turns that were under way when the others came count, too.
    assert.ok(Math.abs(slot.used(execution) - 1000) < 80, `${execution} had ${slot.used(execution)} ms`);
  }
});

test("who had nothing to do for long has no claim on the others", () => {
  const slot = new Slot();
  slot.addChannel("first", 1);
  slot.addChannel("second", 1, 3);
  slot.run(1000);
  assert.is(slot.used("second"), 3);
  slot.usedMs.clear();
  slot.addChannel("second", 1);
  slot.run(100);
  assert.ok(Math.abs(slot.used("second") - 50) < 10, `it had ${slot.used("second")} of 100 ms`);
});

test("turns that take no time are taken by turns", () => {
  const slot = new Slot();
  const taken: string[] = [];
  const actorOf = (name: string): ActorReference<"turn"> => ({
    name,
    tell: () => void taken.push(name),
    stop: () => {},
  });
  slot.turns.want("first", actorOf("first"));
  assert.equal(taken.splice(0), ["first"]);
  for (let count = 0; count < 3; count++) {
    slot.turns.want("second", actorOf("second"));
    slot.turns.want("first", actorOf("first"));
  }
  slot.run(1);
  assert.equal(taken.toSorted(), ["first", "first", "first", "second", "second", "second"]);
  assert.equal(new Set(taken.slice(0, 2)).size, 2);
});

test("an execution that is over leaves the slot to the others", () => {
  const slot = new Slot();
  slot.addChannel("first", 1);
  slot.addChannel("second", 1);
  slot.run(20);
  slot.turns.leave("second");
  slot.usedMs.clear();
  slot.run(100);
  assert.ok(slot.used("first") >= 99, `it had ${slot.used("first")} of 100 ms`);
});

test.run();
