import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { Disorder } from "./disorder.ts";

/** A connection that came, and the one that it is joined with. */
interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  /** What it is for: the path of the request that it begins with. */
  path: string;
}

/** A relay between two machines in this process that breaks what goes through it: cut, stalled, ended halfway, shut, or in disorder. */
export class BrokenRelay {
  readonly #server: Server;
  readonly #disorder: Disorder | undefined;
  readonly #pairs = new Set<Pair>();
  /** Paths of stalled connections begin with it. */
  #stalled: string | undefined;
  /** Connections are taken and closed at once. */
  shut = false;
  /** Connections that came. */
  count = 0;
  /** Bytes that came, in either direction. */
  bytes = 0;

  private constructor(target: () => number, disorder: Disorder | undefined) {
    this.#disorder = disorder;
    this.#server = createServer((near) => this.#join(near, target()));
  }

  /**
   * @param target - port on this machine, looked up for each connection
   * @param disorder - what happens to WebSocket messages; default: nothing
   */
  static async open(target: () => number, disorder?: Disorder): Promise<BrokenRelay> {
    const relay = new BrokenRelay(target, disorder);
    relay.#server.listen(0, "127.0.0.1");
    await once(relay.#server, "listening");
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Breaks all connections; what is on its way is lost. */
  cut(): void {
    for (const socket of [...this.#pairs].flatMap(({ near, far }) => [near, far])) {
      // A socket that is just being ended can't be reset: its handle would stay open for ever.
      if (socket.writableEnded) socket.destroy();
      else socket.resetAndDestroy();
    }
  }

  /** Ends each connection in one direction only. */
  halfClose(): void {
    for (const { near } of this.#pairs) near.end();
  }

  /**
   * Nothing goes through, and nobody is told.
   *
   * @param path - what the paths of such connections begin with: "/wire/data". Default: all
   */
  stall(path = ""): void {
    this.#stalled = path;
    for (const pair of this.#pairs) this.#hold(pair);
  }

  goOn(): void {
    this.#stalled = undefined;
    for (const { near, far } of this.#pairs) {
      near.resume();
      far.resume();
    }
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #isStalled({ path }: Pair): boolean {
    return this.#stalled !== undefined && path.startsWith(this.#stalled);
  }

  #hold(pair: Pair): void {
    if (!this.#isStalled(pair)) return;
    pair.near.pause();
    pair.far.pause();
  }

  #join(near: Socket, port: number): void {
    this.count++;
    if (this.shut) {
      near.destroy();
      return;
    }
    const far = connect(port, "127.0.0.1");
    const pair: Pair = { near, far, path: "" };
    this.#pairs.add(pair);
    near.once("data", (bytes: Buffer) => {
      pair.path = /^GET (\S+)/u.exec(bytes.toString("latin1"))?.[1] ?? "";
      this.#hold(pair);
    });
    this.#carry(near, far, pair);
    this.#carry(far, near, pair);
    this.#hold(pair);
  }

  #carry(from: Socket, to: Socket, pair: Pair): void {
    const into = this.#disorder?.into(to) ?? to;
    from.setNoDelay(true);
    from.on("data", (bytes: Buffer) => {
      this.bytes += bytes.byteLength;
      if (!into.destroyed && !into.write(bytes)) from.pause();
    });
    into.on("drain", () => {
      if (!this.#isStalled(pair)) from.resume();
    });
    from.on("end", () => into.end());
    from.on("error", () => to.destroy());
    from.on("close", () => {
      to.destroy();
      this.#pairs.delete(pair);
    });
  }
}
