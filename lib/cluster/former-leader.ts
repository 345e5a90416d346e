import type { Security } from "../../actors/transport/wire/security.ts";
import type { Sockets } from "../../actors/transport/wire/sockets.ts";
import { versionHeaders } from "../../actors/transport/wire/wire-hello.ts";
import { delay } from "../core/seam/clock.ts";
import type { FromClient, ToClient } from "./protocol.ts";
import { Talk } from "./talk.ts";

export interface FormerLeader {
  /** Where the head listens that led before. */
  readonly url: string;
  readonly sockets: Sockets;
  readonly security: Security;
  readonly leaseMs: number;
  /** Where this head listens, and the epoch under which it leads. */
  readonly leader: string;
  readonly epoch: number;
  /** That one led, or leads, under this epoch, which is no earlier one. */
  readonly outrun: (epoch: number) => void;
  /** False once this head doesn't lead any more. */
  readonly leads: () => boolean;
}

const triesMax = 20;

/**
 * Tells the head that led before that another one does. One that only can't reach Redis doesn't find out by itself, and machines and
 * clients would stay with it. Where it can't be reached, most likely it is gone.
 */
export async function tellFormerLeader(former: FormerLeader): Promise<void> {
  const { sockets, leaseMs, leads } = former;
  for (let tries = 0; tries < triesMax && leads(); tries++) {
    // oxlint-disable-next-line no-await-in-loop -- until it has heard that
    if (await visit(former).catch(() => false)) return;
    // oxlint-disable-next-line no-await-in-loop -- see above
    await delay(sockets.clock, leaseMs / 2);
  }
}

/** True where it knows it. */
async function visit({ url, sockets, security, leaseMs, leader, epoch, outrun }: FormerLeader): Promise<boolean> {
  const { socket, stream } = await sockets.dial(new URL("/client", url).href, versionHeaders, security);
  return new Promise((resolve) => {
    let knows = false;
    const talk: Talk<FromClient, ToClient> = new Talk(socket, leaseMs, {
      stream,
      clock: sockets.clock,
      told: (message) => {
        if (message.kind === "welcome" && message.epoch < epoch) {
          talk.tellPlainly({ kind: "deposed", leader, epoch });
          return;
        }
        knows = message.kind === "elsewhere" || message.kind === "welcome";
        talk.close();
        if (message.kind === "welcome") outrun(message.epoch);
      },
      // One that has heard it hangs up; whether it has, the next visit shows.
      ended: () => resolve(knows),
    });
  });
}
