import { delay, type Clock } from "../../../lib/core/seam/clock.ts";
import type { Peer } from "./peer.ts";

const lookMs = 2;

/** Waits until everything that was sent has come to where it goes, but not for long. */
export async function flushPeers(peers: ReadonlyMap<string, Peer>, clock: Clock, withinMs: number): Promise<void> {
  const until = clock.monotonic() + withinMs;
  while ([...peers.values()].some(({ bytesKept }) => bytesKept > 0) && clock.monotonic() < until) {
    for (const peer of peers.values()) peer.ask();
    // oxlint-disable-next-line no-await-in-loop -- it waits
    await delay(clock, lookMs);
  }
}
