// What befalls simulated clusters all of whose processes end at once.
import { seededRandom } from "../../../../lib/core/seam/random.ts";
import type { ClusterUnderFaults } from "../../../../lib/testing/simulation/cluster/cluster-faults.ts";

export interface WholeLoss {
  /** Their hosts lose their power: nobody is told that connections are gone. */
  readonly dark?: boolean;
  /** Milliseconds until others are started in their place. */
  readonly downMs?: number;
  /** Heads come later than machines. */
  readonly headsLast?: boolean;
}

/** All machines, heads and drivers end at once, and others are started on their hosts. */
export function loseAll(
  cluster: ClusterUnderFaults,
  { dark = false, downMs = 100, headsLast = false }: WholeLoss = {},
): void {
  const machines = cluster.machines.map(({ process }) => process);
  const heads = cluster.heads.map(({ process }) => process);
  for (const process of [...machines, ...heads]) process.kill(dark);
  cluster.after(downMs, () => {
    for (const { host } of [...machines, ...heads]) cluster.sockets.lightUp(host);
    for (const { host } of machines) cluster.startMachine(host);
  });
  cluster.after(headsLast ? 2 * downMs : downMs, () => {
    for (const { host } of heads) cluster.startHead(host);
  });
}

const lossesMost = 3;
const firstWithinMs = 400;
const apartMs = 1500;
const downMostMs = 3000;

/** Up to three of them, drawn from a seed. */
export function losesAllNowAndThen(seed: number): (cluster: ClusterUnderFaults) => void {
  return (cluster) => {
    const random = seededRandom(Math.imul(seed + 1, 0x9e3779b1));
    const losses = 1 + Math.floor(random() * lossesMost);
    let atMs = 0;
    for (let turn = 0; turn < losses; turn++) {
      atMs += random() * firstWithinMs;
      const loss = { dark: random() < 0.5, downMs: random() * downMostMs, headsLast: random() < 0.3 };
      cluster.after(atMs, () => loseAll(cluster, loss));
      atMs += 2 * loss.downMs + apartMs;
    }
  };
}
