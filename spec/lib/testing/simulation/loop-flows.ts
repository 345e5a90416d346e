// Loops with and without rounds, with steps behind them whose loss makes the loop give its results again.
import {
  defineFlow,
  feedback,
  hash,
  type Feedback,
  type FlowBuilder,
  type LastRound,
  type LoopOperator,
  type QStream,
  type Round,
  type Task,
} from "../../../../lib/index.ts";
import { chainEdges, LabelRounds, LabelsAtOnce, type Component } from "../../../kit/loops.ts";
import { marked } from "./flow-operators.ts";

const length = 12;

function edgesOf(q: FlowBuilder, upTo: number) {
  const edges = q.read("numbers", marked(upTo), { channels: 2 }).flatMap("edges", (n) => chainEdges(n, length));
  return edges.partition(hash((edge) => edge.from));
}

function sizesOf(labels: QStream<Component>) {
  return labels.reduceByKey(
    "sizes",
    ({ label }) => label,
    () => 0,
    (size) => size + 1,
  );
}

/** Components in rounds, and in rounds that a condition ends. */
export const loopRounds = defineFlow(import.meta.url, (q, { upTo }: { upTo: number }) => {
  const labels = q.iterate("label", { edges: edgesOf(q, upTo) }, () => new LabelRounds(), {
    feedback: hash((label) => label.to),
    channels: 3,
  });
  return { labels: labels.collect(), counts: sizesOf(labels).collect() };
});

interface Walker {
  readonly at: number;
  readonly left: number;
}

/** An object, which channels of one slot mustn't share. */
interface Votes {
  walking: number;
}

/** Tells in each round how many came by, and sends them on. Ends by what the channels vote. */
class Walking implements LoopOperator<{ start: number; feedback: Walker }, string, Walker, Votes, Walker[]> {
  #here: Walker[] = [];

  *execute({ input, objects }: Task<{ start: number; feedback: Walker }>): Generator<string, void> {
    if (input === "start") for (const at of objects) this.#here.push({ at, left: 3 + (at % 5) });
    else {
      for (const walker of objects) {
        if (walker.left > 0) this.#here.push(walker);
        else yield `${walker.at} arrived`;
      }
    }
  }

  *round({ number, before }: Round<Votes>): Generator<string | Feedback<Walker>, void> {
    // Others than the objects of a link come in no order.
    for (const { at, left } of this.#here) {
      yield `${number}: ${at}, of ${before?.vote?.walking ?? 0}`;
      yield feedback({ at: at + 1, left: left - 1 });
    }
  }

  vote(): Votes {
    const walking = this.#here.length;
    this.#here = [];
    return { walking };
  }

  merge(left: Votes, { walking }: Votes): Votes {
    left.walking += walking;
    return left;
  }

  done({ number, before }: LastRound<Votes>): string[] {
    return [`over at ${number}, of ${before.vote?.walking ?? -1}`];
  }

  snapshot(): Walker[] {
    return this.#here;
  }

  restore(here: Walker[]): void {
    this.#here = here;
  }
}

export const loopVotes = defineFlow(import.meta.url, (q, { upTo }: { upTo: number }) => {
  const told = q.iterate(
    "walk",
    { start: q.read("numbers", marked(upTo), { channels: 2 }).partition(hash((n) => n)) },
    () => new Walking(),
    {
      feedback: (fed) => fed.map("step", ({ at, left }) => ({ at: at * 2, left })).partition(hash(({ at }) => at)),
      until: ({ vote }) => vote?.walking === 0,
      channels: 2,
    },
  );
  return { told: told.collect(), all: told.count("count").collect() };
});

/** Components without rounds. */
export const loopAtOnce = defineFlow(import.meta.url, (q, { upTo }: { upTo: number }) => {
  const labels = q.iterate("label", { edges: edgesOf(q, upTo) }, () => new LabelsAtOnce(), {
    feedback: hash((label) => label.to),
    rounds: false,
    channels: 3,
  });
  return { labels: labels.collect(), counts: sizesOf(labels).collect() };
});
