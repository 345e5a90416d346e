import type { MeasureSums } from "../data/draw.ts";
import type { Timed } from "../harness/contest.ts";
import { PeerProcess } from "./peer-process.ts";

export interface WsRound {
  readonly seed: number;
  readonly objects: number;
  /** Objects of one message. */
  readonly arrayLength: number;
}

/** Two processes, one of which sends arrays of objects, as v8 serializes them, to the other by a WebSocket. */
export class WsExchange {
  readonly #sender: PeerProcess;
  readonly #receiver: PeerProcess;
  #port: number | undefined;

  constructor() {
    const ends = new URL("./ws-exchange-ends.js", import.meta.url);
    this.#sender = new PeerProcess(ends, "sender");
    this.#receiver = new PeerProcess(ends, "receiver");
  }

  async run(round: WsRound): Promise<Timed<MeasureSums>> {
    if (this.#port === undefined) {
      this.#port = (await this.#sender.ask<{ port: number }>({ kind: "listen" })).port;
      await this.#receiver.ask({ kind: "connect", port: this.#port });
    }
    const received = this.#receiver.answer<{ result: MeasureSums; endedAt: number }>();
    const { startedAt } = await this.#sender.ask<{ startedAt: number }>({ kind: "send", ...round });
    const { result, endedAt } = await received;
    return { ms: endedAt - startedAt, result };
  }

  async close(): Promise<void> {
    await Promise.all([this.#sender.close(), this.#receiver.close()]);
  }
}
