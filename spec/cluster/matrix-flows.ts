// Flows for faults that take their time: they last until a file is there, with a steady load, and then end soon.

import { existsSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { defineFlow, numbers, reader, run, type Operator, type Reader, type Task } from "qstream";

export interface Steady {
  /** A file: the rest comes at once when it is there, and the last pieces not before. */
  readonly gate: string;
  /** The folder that some of the rows are written to. */
  readonly out: string;
}

interface Row {
  readonly key: number;
  readonly value: number;
  readonly text: string;
}

const splits = 4;
const piece = 100;
const everyMs = 100;
const piecesOfSplit = 400;
const count = splits * piece * piecesOfSplit;
const keys = 97;
const textLength = 200;
const share = 40;

/** Rows in pieces that come in time. A channel that goes elsewhere goes on with the piece that is next. */
function steadyRows({ gate }: Steady): Reader<Row> {
  return reader({
    kind: "steady",
    options: {},
    splits: () =>
      Array.from({ length: splits }, (_, split) => ({
        from: (count / splits) * split,
        to: (count / splits) * (split + 1),
      })),
    async *read({ from, to }, _, behind) {
      for (let first = behind === undefined ? from : Number(behind.after); first < to; first += piece) {
        const isHeld = (): boolean => !existsSync(gate) && first + piece >= to;
        if (!existsSync(gate)) await wait(everyMs);
        while (isHeld()) await wait(everyMs);
        yield run(
          Array.from({ length: piece }, (_value, at) => rowOf(first + at)),
          first + piece,
        );
      }
    },
  });
}

function rowOf(value: number): Row {
  return { key: value % keys, value, text: String(value).padStart(textLength, "-") };
}

/** Sums by key, and some rows as they are, collected and in files: what is there twice is seen. */
export const steadySums = defineFlow(import.meta.url, (q, args: Steady) => {
  const rows = q.read("rows", steadyRows(args), { channels: splits });
  const some = rows.filter("some", ({ value }) => value % share === 0).map("value", ({ value }) => value);
  return {
    sums: rows
      .reduceByKey(
        "sum",
        ({ key }) => key,
        () => ({ rows: 0, total: 0 }),
        (sum, { value, text }) => ({ rows: sum.rows + 1, total: sum.total + value + text.length }),
        { channels: splits },
      )
      .collect(),
    some: some.collect(),
    files: some.map("line", String).toLines(args.out),
  };
});

/** What user code does that is wrong, whenever it comes to the middle. */
export type Astray = "exit" | "heap" | "hang" | "huge" | "rejection" | "throw";

const middle = 5000;

class AstrayOperator implements Operator<{ in: number }, number> {
  readonly #astray: Astray;

  constructor(astray: Astray) {
    this.#astray = astray;
  }

  execute({ objects }: Task<{ in: number }>): readonly number[] | Promise<readonly number[]> {
    return objects.includes(middle) ? this.#goAstray(objects) : objects;
  }

  #goAstray(objects: readonly number[]): readonly number[] | Promise<readonly number[]> {
    switch (this.#astray) {
      case "exit":
        process.exit(3);
      case "heap": {
        const kept: unknown[] = [];
        for (;;) kept.push(Array.from({ length: 1000 }, (_, at) => ({ at })));
      }
      case "hang":
        return new Promise(() => {});
      case "huge":
        return [new Uint8Array(2 ** 45).length];
      case "rejection":
        void Promise.reject(new Error("rejected, and nobody waits"));
        return objects;
      case "throw":
        throw new Error("this input is bad");
    }
  }

  snapshot(): null {
    return null;
  }

  restore(): void {}
}

/** Numbers, behind a step that goes astray. */
export const astrayRows = defineFlow(import.meta.url, (q, { astray }: { readonly astray: Astray }) => ({
  rows: q
    .read("numbers", numbers(0, 2 * middle), { channels: 1 })
    .apply("astray", () => new AstrayOperator(astray), { channels: 2 })
    .count("count")
    .collect(),
}));
