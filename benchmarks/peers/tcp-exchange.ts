import type { MegabyteSums } from "../data/megabytes.ts";
import type { Timed } from "../harness/contest.ts";
import { PeerProcess } from "./peer-process.ts";

export interface TcpRound {
  readonly seed: number;
  readonly megabytes: number;
}

/** Two processes, one of which sends megabytes to the other by a TCP connection. */
export class TcpExchange {
  readonly #receiver: PeerProcess;
  readonly #sender: PeerProcess;
  #port: number | undefined;

  constructor() {
    const ends = new URL("./tcp-exchange-ends.js", import.meta.url);
    this.#receiver = new PeerProcess(ends, "receiver");
    this.#sender = new PeerProcess(ends, "sender");
  }

  /** Draws what the round will send. */
  async prepare(round: TcpRound): Promise<void> {
    this.#port ??= (await this.#sender.ask<{ port: number }>({ kind: "listen" })).port;
    await this.#sender.ask({ kind: "draw", ...round });
  }

  async run(round: TcpRound): Promise<Timed<MegabyteSums>> {
    await this.#receiver.ask({ kind: "receive", port: this.#port, ...round });
    const received = this.#receiver.answer<{ result: MegabyteSums; endedAt: number }>();
    const { startedAt } = await this.#sender.ask<{ startedAt: number }>({ kind: "send" });
    const { result, endedAt } = await received;
    return { ms: endedAt - startedAt, result };
  }

  async close(): Promise<void> {
    await Promise.all([this.#receiver.close(), this.#sender.close()]);
  }
}
