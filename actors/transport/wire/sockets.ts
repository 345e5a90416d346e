import { systemClock, type Clock } from "../../../lib/core/seam/clock.ts";
import { dial } from "./dial.ts";
import { WireServer, type ServerOptions } from "./server.ts";

/** A port that somebody listens on. */
export interface Listener {
  readonly port: number;
  /** Requests that were refused. */
  readonly refused: number;
  close: () => Promise<void>;
}

/** How a port is opened and others are dialled, and the time that goes with it. A simulation has sockets of its own. */
export interface Sockets {
  readonly clock: Clock;
  readonly listen: (options: ServerOptions) => Promise<Listener>;
  readonly dial: typeof dial;
}

/** Those of this machine. */
export const systemSockets: Sockets = {
  clock: systemClock,
  listen: (options) => WireServer.open(options),
  dial,
};
