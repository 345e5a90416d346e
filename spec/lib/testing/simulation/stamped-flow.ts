// A flow whose objects show the times and random numbers that user code was given.

import { defineFlow, run, type Context, type Operator, type Reader, type Task } from "../../../../lib/index.ts";
import { sameMultiset } from "../../../../lib/testing/multiset.ts";

const objectsMax = 100_000;

/** An object with what its reader drew, and the times that it was told: at its start and just then. */
interface Stamped {
  readonly split: number;
  readonly value: number;
  readonly began: number;
  readonly at: number;
  readonly drawn: number;
  /** An earlier life had drawn something else for it. */
  readonly redrawn: boolean;
}

const drawnBefore = new Map<string, number>();

function stampOf(value: number, split: number, began: number, ctx: Context): Stamped {
  const drawn = ctx.random();
  const name = `${ctx.execution} ${value}`;
  const before = drawnBefore.get(name);
  if (drawnBefore.size > objectsMax) drawnBefore.clear();
  drawnBefore.set(name, drawn);
  return { split, value, began, at: ctx.now(), drawn, redrawn: before !== undefined && before !== drawn };
}

/** A reader whose runs have marks, and whose objects show the time and what it draws. */
function stamped(upTo: number): Reader<Stamped, number> {
  const runLength = 7;
  return {
    kind: "stamped",
    options: { upTo },
    splits: ({ channels }) => Array.from({ length: channels * 2 }, (_, index) => index),
    async *read(split, ctx, from) {
      const began = ctx.now();
      for (let first = (from?.after as number | undefined) ?? 0; first < upTo; first += runLength) {
        const end = Math.min(upTo, first + runLength);
        const values = Array.from({ length: end - first }, (_, at) => split * upTo + first + at);
        yield run(
          values.map((value) => stampOf(value, split, began, ctx)),
          end,
        );
      }
    },
  };
}

interface Opened extends Stamped {
  readonly opened: number;
  readonly first: number;
}

/** Shows when it was opened, and what it drew then. */
class Opening implements Operator<{ in: Stamped }, Opened> {
  #opened = 0;
  #first = 0;

  open(ctx: Context): void {
    this.#opened = ctx.now();
    this.#first = ctx.random();
  }

  execute({ objects }: Task<{ in: Stamped }>): Opened[] {
    return objects.map((object) => ({ ...object, opened: this.#opened, first: this.#first }));
  }

  snapshot(): null {
    return null;
  }

  restore(): void {}
}

/** Chance and time are part of what a reader gives, and of what operators know from their start. */
export const stampedRows = defineFlow(import.meta.url, (q, { upTo }: { upTo: number }) => {
  const rows = q.read("stamped", stamped(upTo), { channels: 2 }).apply("open", () => new Opening(), { channels: 2 });
  return { one: rows.collect(), other: rows.filter("all", () => true).collect() };
});

/** True if each split was read at one time, all operators were opened at one, and no life drew what another one hadn't. */
export function keepsStamps({
  one,
  other,
}: {
  readonly one: readonly Opened[];
  readonly other: readonly Opened[];
}): boolean {
  const countOf = (values: readonly unknown[]): number => new Set(values).size;
  const count = one.length;
  return (
    sameMultiset(one, other) &&
    countOf(one.map(({ value }) => value)) === count &&
    countOf(one.map(({ drawn }) => drawn)) === count &&
    one.every(({ redrawn, began, at }) => !redrawn && began === at) &&
    countOf(one.map(({ split, began }) => `${split} ${began}`)) === 4 &&
    countOf(one.map(({ opened }) => opened)) === 1 &&
    countOf(one.map(({ first }) => first)) <= 2
  );
}
