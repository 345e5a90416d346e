import { once } from "node:events";
import { MessageChannel, Worker } from "node:worker_threads";
import type { MeasureSums } from "../data/draw.ts";

export interface CloneRound {
  readonly seed: number;
  readonly objects: number;
  /** Objects of one array. */
  readonly arrayLength: number;
}

/** Two threads, one of which sends arrays of objects to the other by `postMessage`. */
export class CloneExchange {
  readonly #producer: Worker;
  readonly #consumer: Worker;

  constructor() {
    const ends = new URL("./clone-exchange-ends.js", import.meta.url);
    const { port1, port2 } = new MessageChannel();
    // How many arrays were consumed: the producer waits on it, which is faster than messages that say so.
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

  async run(round: CloneRound): Promise<MeasureSums> {
    const result = once(this.#consumer, "message");
    this.#producer.postMessage(round);
    const [sums] = (await result) as [MeasureSums];
    return sums;
  }

  async close(): Promise<void> {
    await Promise.all([this.#producer.terminate(), this.#consumer.terminate()]);
  }
}
