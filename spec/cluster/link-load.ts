import { setTimeout as wait } from "node:timers/promises";
import type { Host, Network } from "../kit/network-namespaces.ts";

/** What went over the link of a host while something was waited for. */
export interface LinkLoad {
  readonly bytes: number;
  /** How often something had to wait, as the link takes no more. */
  readonly heldBack: number;
  /** Bytes a second, in the second in which they were most. */
  readonly bytesPerSecondMost: number;
  /** Bytes that had been made and had not gone over the link, when they were most. */
  readonly aheadMost: number;
}

const sampleMs = 50;

/**
 * Watches the link of a host until a promise is settled.
 *
 * @param before - the counters to begin at
 * @param made - how many bytes for the link have been made by now
 */
export async function watchLink(
  {
    network,
    host,
    before,
    made,
  }: {
    readonly network: Network;
    readonly host: Host;
    readonly before: Awaited<ReturnType<Network["sent"]>>;
    readonly made: () => number;
  },
  waited: Promise<unknown>,
): Promise<LinkLoad> {
  const samples: { readonly atMs: number; readonly bytes: number }[] = [];
  let [isOver, aheadMost, bytesPerSecondMost] = [false, 0, 0];
  const over = (): void => void (isOver = true);
  waited.then(over, over);
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- sample by sample
    const sent = await network.sent(host);
    const now = { atMs: performance.now(), bytes: sent.bytes - before.bytes };
    aheadMost = Math.max(aheadMost, made() - now.bytes);
    const earlier = samples.findLast(({ atMs }) => atMs <= now.atMs - 1000);
    if (earlier !== undefined) {
      const rate = ((now.bytes - earlier.bytes) / (now.atMs - earlier.atMs)) * 1000;
      bytesPerSecondMost = Math.max(bytesPerSecondMost, rate);
    }
    samples.push(now);
    if (isOver) return { bytes: now.bytes, heldBack: sent.heldBack - before.heldBack, bytesPerSecondMost, aheadMost };
    // oxlint-disable-next-line no-await-in-loop -- see above
    await wait(sampleMs);
  }
}
