import type { Socket } from "node:net";

/** Connections that haven't shown a token yet. There may be few: where more come, the one that has waited longest goes. */
export class Strangers {
  readonly #most: number;
  // By their address: a request over TLS comes with another socket than its connection did.
  readonly #waiting = new Map<string, Socket>();

  constructor(most: number) {
    this.#most = most;
  }

  get count(): number {
    return this.#waiting.size;
  }

  add(stream: Socket): void {
    const key = keyOf(stream);
    this.#waiting.set(key, stream);
    stream.once("close", () => {
      if (this.#waiting.get(key) === stream) this.#waiting.delete(key);
    });
    if (this.#waiting.size <= this.#most) return;
    for (const [oldest, waiting] of this.#waiting) {
      this.#waiting.delete(oldest);
      waiting.destroy();
      return;
    }
  }

  isKnown(stream: Socket): void {
    this.#waiting.delete(keyOf(stream));
  }

  close(): void {
    for (const stream of this.#waiting.values()) stream.destroy();
  }
}

function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
