import type { Peer } from "./peer.ts";
import type { Refusals } from "./refusal.ts";

/** What went wrong on a machine's wire, and was refused or made good, since it was opened. */
export interface WireCounts {
  /** Connections and requests that weren't let in. */
  readonly refusedConnections: number;
  /** Frames and messages that no machine of this version sends; each ended its connection. */
  readonly refusedMessages: number;
  /** Messages that were sent again, over another connection. */
  readonly resent: number;
  /** Messages that came once more, and were dropped. */
  readonly repeated: number;
  /** Connections that were dialled in place of one that broke. */
  readonly redials: number;
}

/** What is counted by machine, also of those that were forgotten since. */
export class PeerCounts {
  #resent = 0;
  #repeated = 0;
  #redials = 0;

  add({ repeated, redials }: Peer): this {
    this.#resent += repeated.sent;
    this.#repeated += repeated.received;
    this.#redials += redials;
    return this;
  }

  /** With those of machines that are known, and what was refused of anybody. */
  with(peers: Iterable<Peer>, refusals: Refusals, refusedConnections: number): WireCounts {
    let [resent, repeated, redials] = [this.#resent, this.#repeated, this.#redials];
    for (const peer of peers) {
      resent += peer.repeated.sent;
      repeated += peer.repeated.received;
      redials += peer.redials;
    }
    return { refusedConnections, refusedMessages: refusals.messages, resent, repeated, redials };
  }
}
