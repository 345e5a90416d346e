import type { Security } from "../../actors/transport/wire/security.ts";
import { systemSockets, type Sockets } from "../../actors/transport/wire/sockets.ts";
import { versionHeaders } from "../../actors/transport/wire/wire-hello.ts";
import { QStreamError } from "../core/errors.ts";
import { delay } from "../core/seam/clock.ts";
import { keepingAlive } from "../core/seam/keeping-alive.ts";
import { headUrl } from "./head-url.ts";
import type { FromClient, ToClient } from "./protocol.ts";
import { Talk } from "./talk.ts";

/** A connection with the head that leads. */
export interface FoundHead {
  readonly url: URL;
  readonly talk: Talk<FromClient, ToClient>;
}

export interface HeadSearch {
  /** Default: those of this machine. */
  readonly sockets?: Sockets | undefined;
  readonly heads: readonly URL[];
  readonly security: Security;
  readonly leaseMs: number;
  /** Milliseconds for which a head that leads is waited for where none can be reached. */
  readonly patienceMs: number;
  readonly signal: AbortSignal;
  readonly told: (message: ToClient) => void;
  readonly ended: () => void;
}

const againMs = 100;

/**
 * Finds the head that leads: one that waits says where that is. While none leads, as after the loss of one, a next is waited for.
 *
 * @throws QStreamError MACHINE_UNREACHABLE, MACHINE_REFUSED
 */
export async function findHead(search: HeadSearch): Promise<FoundHead> {
  const { heads, leaseMs, patienceMs, signal, sockets = systemSockets } = search;
  const { clock } = sockets;
  const from = clock.monotonic();
  for (;;) {
    let failure: unknown;
    let someWait = false;
    const places = [...heads];
    for (let place = places.shift(); place !== undefined; place = places.shift()) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- one head after the other
        const found = await visit(place, search);
        if (found.kind === "leads") return found.head;
        someWait = true;
        if (found.leader !== undefined && !heads.some(({ href }) => href === found.leader?.href))
          places.push(found.leader);
      } catch (error) {
        if (!(error instanceof QStreamError) || error.code !== "MACHINE_UNREACHABLE") throw error;
        failure = error;
      }
    }
    // One that waits is going to lead once the lease of the one before has ended.
    const patience = someWait ? Math.max(patienceMs, 3 * leaseMs) : patienceMs;
    if (clock.monotonic() - from >= patience) {
      throw (
        failure ??
        new QStreamError("MACHINE_UNREACHABLE", "no head of the cluster leads", { advice: "See what the heads print" })
      );
    }
    // A client that has lost its head holds nothing else that keeps its process alive.
    // oxlint-disable-next-line no-await-in-loop -- see above
    await delay(keepingAlive(clock), againMs, signal);
  }
}

type Visit =
  | { readonly kind: "leads"; readonly head: FoundHead }
  | { readonly kind: "waits"; readonly leader: URL | undefined };

async function visit(url: URL, search: HeadSearch): Promise<Visit> {
  const { security, leaseMs, told, ended, sockets = systemSockets } = search;
  const { socket, stream } = await sockets.dial(new URL("/client", url).href, versionHeaders, security);
  return new Promise((resolve, reject) => {
    let leads = false;
    const talk: Talk<FromClient, ToClient> = new Talk(socket, leaseMs, {
      stream,
      clock: sockets.clock,
      told: (message) => {
        if (leads) told(message);
        else if (message.kind === "elsewhere") resolve({ kind: "waits", leader: leaderOf(message.leader) });
        else {
          leads = true;
          resolve({ kind: "leads", head: { url, talk } });
        }
      },
      ended: () => {
        if (leads) ended();
        else reject(new QStreamError("MACHINE_UNREACHABLE", `the head ${url.host} said nothing`));
      },
    });
  });
}

function leaderOf(text: string): URL | undefined {
  try {
    return text === "" ? undefined : headUrl(text);
  } catch {
    return undefined;
  }
}
