import { once } from "node:events";
import { MessageChannel, Worker } from "node:worker_threads";

/** Two threads, one of which sends messages to the other, each by a `postMessage` of its own. */
export class TellThreads {
  readonly #sender: Worker;
  readonly #receiver: Worker;

  constructor() {
    const ends = new URL("./tell-threads-ends.js", import.meta.url);
    const { port1, port2 } = new MessageChannel();
    this.#sender = new Worker(ends, { workerData: { role: "sender", port: port1 }, transferList: [port1] });
    this.#receiver = new Worker(ends, { workerData: { role: "receiver", port: port2 }, transferList: [port2] });
  }

  async run(messages: number): Promise<number> {
    const result = once(this.#receiver, "message");
    this.#receiver.postMessage(messages);
    this.#sender.postMessage(messages);
    const [sum] = (await result) as [number];
    return sum;
  }

  async close(): Promise<void> {
    await Promise.all([this.#sender.terminate(), this.#receiver.terminate()]);
  }
}
