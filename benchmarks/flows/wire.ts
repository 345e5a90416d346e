import type { Table } from "apache-arrow";
import { defineFlow, run, tagged, type Operator, type Reader, type Task } from "qstream";
import { drawLetters, drawMeasures, MeasureDigest, stateOf, type Measure, type MeasureSums } from "../data/draw.ts";
import { addTable, drawMegabyte, noMegabytes, tableOf, type MegabyteSums } from "../data/megabytes.ts";
import { wallClockMs } from "../harness/reported.ts";

/** What the operator of the receiving machine has read, and when it had read the last. */
export interface Received<R> {
  readonly result: R;
  readonly endedAt: number;
}

/** The machines of a pair. */
const sender = { place: tagged("sender") };
const receiver = { place: tagged("receiver") };

/** Megabytes that were drawn in the sender's slot for the next exchange: drawing them is no part of its time. */
const drawn = new Map<string, Table>();
/** When the sender's reader was asked for its first object. */
let startedAt: number | undefined;

/** Draws megabytes where they will be sent from. */
export const drawMegabytes = defineFlow(import.meta.url, (q, args: { seed: number; megabytes: number }) => {
  const { seed, megabytes } = args;
  const reader: Reader<number, number> = {
    kind: "drawing",
    options: args,
    splits: () => [megabytes],
    *read(count) {
      for (let index = 0; index < count; index++) drawn.set(`${seed}:${index}`, tableOf(drawMegabyte(seed, index)));
      yield drawn.size;
    },
  };
  return { drawn: q.read("drawing", reader, sender).collect() };
});

function drawnMegabytes(seed: number, megabytes: number): Reader<Table, number> {
  return {
    kind: "drawn-megabytes",
    options: { seed, megabytes },
    splits: () => [megabytes],
    *read(count) {
      startedAt = wallClockMs();
      for (let index = 0; index < count; index++) {
        const name = `${seed}:${index}`;
        const table = drawn.get(name);
        if (table === undefined) throw new Error(`megabyte ${name} wasn't drawn on this machine`);
        drawn.delete(name);
        yield table;
      }
    },
  };
}

/** Hands on what it gets. */
class Send<T> implements Operator<{ in: T }, T> {
  execute({ objects }: Task<{ in: T }>): readonly T[] {
    return objects;
  }

  done(): T[] {
    return [];
  }

  snapshot(): null {
    return null;
  }

  restore(): void {}
}

class ReceiveMegabytes implements Operator<{ in: Table }, Received<MegabyteSums>> {
  #sums = noMegabytes;

  execute({ objects }: Task<{ in: Table }>): void {
    for (const table of objects) this.#sums = addTable(this.#sums, table);
  }

  done(): Received<MegabyteSums>[] {
    return [{ result: this.#sums, endedAt: wallClockMs() }];
  }

  snapshot(): MegabyteSums {
    return this.#sums;
  }

  restore(sums: MegabyteSums): void {
    this.#sums = sums;
  }
}

/** Arrow tables of a megabyte from an operator of one machine to an operator of the other. */
export const megabytesAcross = defineFlow(import.meta.url, (q, args: { seed: number; megabytes: number }) => {
  const received = q
    .read("megabytes", drawnMegabytes(args.seed, args.megabytes), sender)
    .apply("send", () => new Send<Table>(), sender)
    .apply("receive", () => new ReceiveMegabytes(), receiver);
  return { received: received.collect() };
});

const runLength = 4096;
const text = drawLetters();

/** Measures, drawn while they are read. */
function drawnMeasures(seed: number, objects: number): Reader<Measure, number> {
  return {
    kind: "drawn-measures",
    options: { seed, objects },
    splits: () => [objects],
    *read(count) {
      startedAt = wallClockMs();
      let state = stateOf(seed, 0);
      for (let left = count; left > 0; left -= runLength) {
        const measures: Measure[] = [];
        state = drawMeasures(text, state, Math.min(left, runLength), measures);
        yield run(measures);
      }
    },
  };
}

class ReceiveMeasures implements Operator<{ in: Measure }, Received<MeasureSums>> {
  readonly #digest = new MeasureDigest();

  execute({ objects }: Task<{ in: Measure }>): void {
    this.#digest.add(objects);
  }

  done(): Received<MeasureSums>[] {
    return [{ result: this.#digest.result(), endedAt: wallClockMs() }];
  }

  snapshot(): MeasureSums {
    return this.#digest.result();
  }

  restore(sums: MeasureSums): void {
    Object.assign(this.#digest, sums);
  }
}

/** Objects from an operator of one machine to an operator of the other. */
export const objectsAcross = defineFlow(import.meta.url, (q, args: { seed: number; objects: number }) => {
  const received = q
    .read("measures", drawnMeasures(args.seed, args.objects), sender)
    .apply("send", () => new Send<Measure>(), sender)
    .apply("receive", () => new ReceiveMeasures(), receiver);
  return { received: received.collect() };
});

/** When the reader of the last execution was asked for its first object. */
export const lastStart = defineFlow(import.meta.url, (q) => {
  const reader: Reader<number, number> = {
    kind: "last-start",
    splits: () => [0],
    *read() {
      if (startedAt === undefined) throw new Error("nothing was sent from this machine");
      yield startedAt;
      startedAt = undefined;
    },
  };
  return { startedAt: q.read("started", reader, sender).collect() };
});
