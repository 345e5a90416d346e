import { setImmediate as breathe } from "node:timers/promises";
import * as assert from "uvu/assert";
import { MemoryJournal } from "../../../../actors/stores/memory-journal.ts";
import { DurableActors } from "../../../../actors/system/durable/durable-actors.ts";
import { ActorNode } from "../../../../actors/system/node.ts";
import { definedActor } from "../../../../lib/core/actor-definition.ts";
import type { ActorDefinition, ActorReference } from "../../../../lib/core/contracts/actor.ts";
import { keyedRandom } from "../../../../lib/core/seam/random.ts";
import { doneOf, drawJobs, ledger, source, worker, workers, type Job } from "./random-system.ts";
import { SteppedClock } from "./stepped-clock.ts";
import { SteppedJournal, type StepEnd } from "./stepped-journal.ts";

const stepsMax = 60_000;
const crashesMax = 12;
const depth = 5;

/** One life of a node, whose every step is chosen from outside. */
class Life {
  readonly clock: SteppedClock;
  readonly journal: SteppedJournal;
  readonly node: ActorNode;

  constructor(number: number, time: number, kept: MemoryJournal) {
    this.clock = new SteppedClock(time);
    this.journal = new SteppedJournal(kept);
    this.node = new ActorNode({
      life: number,
      clock: this.clock,
      seed: number,
      schedule: () => {},
      event: () => {},
      durable: (node) => new DurableActors(node, { journal: () => Promise.resolve(this.journal), seed: number }),
    });
    for (const kind of [source, worker, ledger]) this.node.durable?.derive(definedActor(kind));
  }

  entity<P>(definition: ActorDefinition<P, string>, key: string): ActorReference<P> {
    return this.node.entity(definedActor(definition), key) as ActorReference<P>;
  }
}

/** A random system of durable actors whose memory is lost again and again, at any point. */
export class CrashingSystem {
  readonly #kept = new MemoryJournal();
  readonly #random: () => number;
  readonly #isAside: boolean;
  readonly #jobs: readonly Job[];
  readonly #crashesMax: number;
  crashes = 0;
  #life: Life;
  #steps = 0;

  constructor(seed: number, crashes = crashesMax) {
    this.#random = keyedRandom(seed);
    // Without it nobody but the actors themselves has anything to do with the workers.
    this.#isAside = seed % 2 === 0;
    this.#jobs = drawJobs(this.#random, 6, this.#isAside);
    this.#crashesMax = crashes;
    this.#life = new Life(1, 1_000_000, this.#kept);
  }

  /** Runs it to its end, and looks at what each actor has, and what the ledger was told. */
  async check(): Promise<void> {
    await this.#insist(source, "only", "start", this.#jobs);
    while (!(await this.#insist(source, "only", "isDone")) || this.#isBusy) await this.#step();
    // What is put aside may send what is put aside, as deep as jobs are.
    for (let round = 0; this.#isAside && round < depth; round++) {
      await this.#rest();
      for (const key of workers) await this.#insist(worker, key, "unstash");
    }
    await this.#rest();
    const expected = doneOf(this.#jobs);
    const notes = await this.#ask(ledger, "all", "get");
    const told = notes.map(({ id }: { id: number }) => id).toSorted((a: number, b: number) => a - b);
    assert.equal(told, expected, "what the ledger was told");
    const done: number[] = [];
    for (const key of workers) {
      const state = await this.#ask(worker, key, "get");
      assert.equal(state.disorder, [], `the order of what ${key} was sent`);
      done.push(...state.done);
      for (const { id, drawn } of notes) if (state.done.includes(id)) assert.is(drawn, state.drawn[id], `job ${id}`);
    }
    assert.equal(
      done.toSorted((a, b) => a - b),
      expected,
      "what the workers did",
    );
  }

  get #isBusy(): boolean {
    const { node, clock, journal } = this.#life;
    return node.isBusy || clock.hasSoon || clock.hasTimers || journal.hasSteps || journal.hasAnswers;
  }

  /** Goes on until nothing is left to do, without further crashes. */
  async #rest(): Promise<void> {
    while (this.#isBusy) await this.#step(false);
  }

  async #step(mayCrash = true): Promise<void> {
    if (++this.#steps > stepsMax) throw new Error("it doesn't come to an end");
    const { node, clock, journal } = this.#life;
    const draw = this.#random();
    if (mayCrash && this.crashes < this.#crashesMax && draw < 0.012) return this.#crash();
    const choices: (() => void | Promise<void>)[] = [];
    if (node.isBusy) choices.push(() => void node.takeTurns(1 + Math.floor(this.#random() * 3)));
    if (clock.hasSoon) choices.push(() => clock.runSoon());
    if (journal.hasSteps) choices.push(() => journal.step(this.#stepEnd()));
    if (journal.hasAnswers) choices.push(() => journal.answer());
    if (clock.hasTimers && (choices.length === 0 || this.#random() < 0.1)) choices.push(() => clock.runTimer());
    await choices[Math.floor(this.#random() * choices.length)]?.();
    await breathe();
  }

  #stepEnd(): StepEnd {
    const draw = this.#random();
    return draw < 0.04 ? "refused" : draw < 0.08 ? "unanswered" : "done";
  }

  #crash(): void {
    this.crashes++;
    const { clock } = this.#life;
    clock.stop();
    this.#life = new Life(this.#life.node.life + 1, clock.time + 1 + Math.floor(this.#random() * 100), this.#kept);
  }

  /** Asks until there is an answer. What is asked may be done more than once. */
  async #insist<P>(
    definition: ActorDefinition<P, string>,
    key: string,
    name: keyof P & string,
    payload?: unknown,
    // oxlint-disable-next-line typescript/no-explicit-any -- the answer of any handler
  ): Promise<any> {
    for (;;) {
      const life = this.#life;
      let isOver = false;
      let answer: unknown;
      const asked = life.entity(definition, key) as ActorReference<Record<string, (payload: unknown) => unknown>>;
      const end = (value: unknown): void => {
        isOver = true;
        answer = value;
      };
      asked.ask(name, payload, { timeoutMs: Infinity }).then(end, (error: Error) => end(error));
      while (!isOver && this.#life === life) await this.#step();
      if (isOver && !(answer instanceof Error)) return answer;
    }
  }

  // oxlint-disable-next-line typescript/no-explicit-any -- see above
  async #ask<P>(definition: ActorDefinition<P, string>, key: string, name: keyof P & string): Promise<any> {
    let answer: unknown;
    const asked = this.#life.entity(definition, key) as ActorReference<Record<string, (payload: unknown) => unknown>>;
    void asked.ask(name, undefined, { timeoutMs: Infinity }).then((value) => (answer = value));
    await breathe();
    await this.#rest();
    return answer;
  }
}
