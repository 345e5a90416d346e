import { PeerProcess } from "./peer-process.ts";

export interface EchoRound {
  readonly warmups: number;
  readonly count: number;
}

/** Two processes: one sends a message of 100 bytes, the other sends it back, and only then the next one goes. */
export class WsEcho {
  readonly #server = new PeerProcess(new URL("./ws-echo-ends.js", import.meta.url), "server");
  readonly #client = new PeerProcess(new URL("./ws-echo-ends.js", import.meta.url), "client");
  #port: number | undefined;

  /** Milliseconds of each round trip. */
  async run(round: EchoRound): Promise<readonly number[]> {
    this.#port ??= (await this.#server.ask<{ port: number }>({ kind: "listen" })).port;
    return this.#client.ask<number[]>({ kind: "ping", port: this.#port, ...round });
  }

  async close(): Promise<void> {
    await Promise.all([this.#server.close(), this.#client.close()]);
  }
}
