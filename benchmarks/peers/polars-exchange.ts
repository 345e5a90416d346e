import { once } from "node:events";
import { MessageChannel, Worker } from "node:worker_threads";
import type { ColumnSums } from "../data/columns.ts";

export interface PolarsRound {
  readonly seed: number;
  readonly batches: number;
  readonly targets: number;
}

/** Two threads: one parts frames with Polars and writes each part as IPC, the other one reads them. */
export class PolarsExchange {
  readonly #producer: Worker;
  readonly #consumer: Worker;

  constructor() {
    const ends = new URL("./polars-exchange-ends.js", import.meta.url);
    const { port1, port2 } = new MessageChannel();
    const consumed = new Int32Array(new SharedArrayBuffer(4));
    this.#producer = new Worker(ends, {
      workerData: { role: "producer", port: port1, consumed },
      transferList: [port1],
    });
    this.#consumer = new Worker(ends, {
      workerData: { role: "consumer", port: port2, consumed },
      transferList: [port2],
    });
  }

  /** Draws the frames of the next round. */
  async prepare(round: PolarsRound): Promise<void> {
    const drawn = once(this.#producer, "message");
    this.#producer.postMessage({ kind: "draw", round });
    await drawn;
  }

  async run(round: PolarsRound): Promise<ColumnSums> {
    const result = once(this.#consumer, "message");
    this.#producer.postMessage({ kind: "send", round });
    const [sums] = (await result) as [ColumnSums];
    return sums;
  }

  async close(): Promise<void> {
    await Promise.all([this.#producer.terminate(), this.#consumer.terminate()]);
  }
}
