import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** A relay between two machines in this process that breaks what goes through it: cut, stalled, ended halfway, or shut. */
export class BrokenRelay {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #stalled = false;
  /** Connections are taken and closed at once. */
  shut = false;
  /** Connections that came. */
  count = 0;

  private constructor(target: () => number) {
    this.#server = createServer((near) => this.#join(near, target()));
  }

  /** @param target - port on this machine, looked up for each connection */
  static async open(target: () => number): Promise<BrokenRelay> {
    const relay = new BrokenRelay(target);
    relay.#server.listen(0, "127.0.0.1");
    await once(relay.#server, "listening");
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Breaks all connections; what is on its way is lost. */
  cut(): void {
    for (const socket of [...this.#pairs].flat()) {
      // A socket that is just being ended can't be reset: its handle would stay open for ever.
      if (socket.writableEnded) socket.destroy();
      else socket.resetAndDestroy();
    }
  }

  /** Ends each connection in one direction only. */
  halfClose(): void {
    for (const [near] of this.#pairs) near.end();
  }

  /** Nothing goes through, and nobody is told. */
  stall(): void {
    this.#stalled = true;
    for (const pair of this.#pairs) for (const socket of pair) socket.pause();
  }

  goOn(): void {
    this.#stalled = false;
    for (const pair of this.#pairs) for (const socket of pair) socket.resume();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(near: Socket, port: number): void {
    this.count++;
    if (this.shut) {
      near.destroy();
      return;
    }
    const far = connect(port, "127.0.0.1");
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    for (const [from, to] of [pair, [far, near] as const]) {
      from.setNoDelay(true);
      from.on("data", (bytes) => {
        if (!to.destroyed && !to.write(bytes)) from.pause();
      });
      to.on("drain", () => {
        if (!this.#stalled) from.resume();
      });
      from.on("end", () => to.end());
      from.on("error", () => to.destroy());
      from.on("close", () => {
        to.destroy();
        this.#pairs.delete(pair);
      });
      if (this.#stalled) from.pause();
    }
  }
}
