import { deserialize, serialize } from "node:v8";
import type { RawData, WebSocket } from "ws";
import { QStreamError } from "../core/errors.ts";
import { systemClock } from "../core/seam/clock.ts";

/** A conversation with the head over one authenticated connection: structured clone, one message each. */
export class Talk<Out, In> {
  readonly #socket: WebSocket;
  #stopBeating = (): void => {};
  #lastHeardAt = systemClock.monotonic();

  /**
   * @param leaseMs - the connection is given up where nothing was heard for so long
   * @param ended - called once, when the connection is over
   */
  constructor(
    socket: WebSocket,
    leaseMs: number,
    handlers: { readonly told: (message: In) => void; readonly ended: () => void },
  ) {
    this.#socket = socket;
    const heard = (): void => {
      this.#lastHeardAt = systemClock.monotonic();
    };
    socket.on("message", (data: RawData) => {
      heard();
      let message: In;
      try {
        message = deserialize(Buffer.concat(data as Buffer[])) as In;
      } catch {
        socket.terminate();
        return;
      }
      handlers.told(message);
    });
    socket.on("ping", heard);
    socket.on("pong", heard);
    const beat = (): void => {
      if (systemClock.monotonic() - this.#lastHeardAt > leaseMs) socket.terminate();
      else if (socket.readyState === socket.OPEN) socket.ping();
      this.#stopBeating = systemClock.after(leaseMs / 4, beat);
    };
    beat();
    socket.once("close", () => {
      this.#stopBeating();
      handlers.ended();
    });
    socket.resume();
  }

  /** @throws QStreamError LIMIT_EXCEEDED */
  tell(message: Out): void {
    const bytes = serialize(message);
    if (bytes.byteLength > messageBytesMax) {
      throw new QStreamError("LIMIT_EXCEEDED", `a message of ${bytes.byteLength} bytes can't be sent`, {
        advice: "Results of that size are for a file: write them with a sink, for example toParquet",
      });
    }
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(bytes, { binary: true });
  }

  close(): void {
    this.#socket.close();
  }
}

const messageBytesMax = 256 * 2 ** 20;
