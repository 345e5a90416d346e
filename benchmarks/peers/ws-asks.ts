import { PeerProcess } from "./peer-process.ts";

export interface AsksRound {
  readonly count: number;
  /** Questions that wait for their answer at any time. */
  readonly inFlight: number;
}

/** Two processes: one sends numbers, so many at a time, and the other sends each back. */
export class WsAsks {
  readonly #server = new PeerProcess(new URL("./ws-asks-ends.js", import.meta.url), "server");
  readonly #client = new PeerProcess(new URL("./ws-asks-ends.js", import.meta.url), "client");
  #port: number | undefined;

  async run(round: AsksRound): Promise<number> {
    this.#port ??= (await this.#server.ask<{ port: number }>({ kind: "listen" })).port;
    return (await this.#client.ask<{ sum: number }>({ kind: "ask", port: this.#port, ...round })).sum;
  }

  async close(): Promise<void> {
    await Promise.all([this.#server.close(), this.#client.close()]);
  }
}
