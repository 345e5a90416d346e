// What must compile: loops. Types of what is fed back, of results and of votes are inferred from the operator's class.
import {
  feedback,
  hash,
  type Feedback,
  type LastRound,
  type LoopOperator,
  type LoopTaskOperator,
  type QStream,
  type Round,
  type Task,
} from "qstream";
import { leaves, q, type Leaf } from "../shared.ts";

export interface Message {
  readonly to: string;
  readonly label: number;
}

type Inputs = { start: Leaf; feedback: Message };

export class Loop implements LoopOperator<Inputs, Leaf, Message, number, { labels: number[] }> {
  #labels: number[] = [];
  execute({ input, objects }: Task<Inputs>): void {
    if (input === "start") for (const leaf of objects) this.#labels.push(leaf.tree.length);
    else for (const { label } of objects) this.#labels.push(label);
  }
  *round({ number, before }: Round<number>): Generator<Feedback<Message>, void> {
    yield feedback({ to: "a", label: number + (before?.vote ?? 0) + (before?.fed ?? 0) });
  }
  vote(): number {
    return this.#labels.length;
  }
  merge(left: number, right: number): number {
    return left + right;
  }
  done({ number, before }: LastRound<number>): Leaf[] {
    return number > 1 && before.vote === 0 ? [] : [{ tree: "", size: before.fed }];
  }
  snapshot(): { labels: number[] } {
    return { labels: this.#labels };
  }
  restore({ labels }: { labels: number[] }): void {
    this.#labels = labels;
  }
}

export const counted: QStream<Leaf> = q.iterate("counted", { start: leaves }, () => new Loop(), {
  feedback: hash((message) => message.to),
  rounds: 3,
});
export const byProperty: QStream<Leaf> = q.iterate(
  "by-property",
  { start: leaves.partition(hash("tree")) },
  () => new Loop(),
  {
    feedback: hash("to"),
    until: ({ vote, round, fed }) => vote === 3 || round > fed,
    stages: { start: 1 },
  },
);
export const led: QStream<Leaf> = q.iterate("led", { start: leaves }, () => new Loop(), {
  feedback: (fed) => fed.filter("few", ({ label }) => label < 3).partition(hash(({ to }) => to)),
});

/** What is fed back needn't be of the type that comes back. */
class Other implements LoopOperator<{ start: Leaf; feedback: string }, number, number> {
  *execute({ input, objects }: Task<{ start: Leaf; feedback: string }>): Generator<Feedback<number> | number, void> {
    if (input === "start") yield objects.length;
    else for (const text of objects) yield feedback(text.length);
  }
}
export const other: QStream<number> = q.iterate("other", { start: leaves }, () => new Other(), {
  feedback: (fed) => fed.map("text", (n) => n.toFixed()).partition(hash((text) => text)),
  rounds: false,
});

/** Votes alone need no feedback. */
class Voting implements LoopOperator<{ start: Leaf }, number, never, number> {
  execute(): void {}
  round(): void {}
  vote(): number {
    return 1;
  }
  merge(left: number, right: number): number {
    return left + right;
  }
  done({ before }: LastRound<number>): number[] {
    return [before.vote ?? 0];
  }
}
export const agreed: QStream<number> = q.iterate("agreed", { start: leaves }, () => new Voting(), {});
export const agreedLater: QStream<number> = q.iterate("later", { start: leaves }, () => new Voting(), {
  until: ({ vote = 0 }) => vote > 1,
});
export const asTasks: LoopTaskOperator<Task<{ start: Leaf }>, number, never, number> = new Voting();

export const asFunctions = q.iterate(
  "functions",
  { start: leaves },
  () => ({
    *execute({ input, objects }: Task<Inputs>) {
      if (input === "start") for (const leaf of objects) yield feedback({ to: leaf.tree, label: 0 });
      else for (const { label } of objects) yield label;
    },
  }),
  { feedback: hash("to"), rounds: false },
);
export const numbersOfFunctions: QStream<number> = asFunctions;
