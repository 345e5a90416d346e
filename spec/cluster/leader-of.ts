import { setTimeout as wait } from "node:timers/promises";
import type { ClusterProcess, LoopbackCluster } from "../../lib/testing/loopback-cluster.ts";
import { askHead } from "./ask-head.ts";

/** The head that leads, once one does that isn't the one that was lost. */
export async function leaderOf(machines: LoopbackCluster, lost?: ClusterProcess): Promise<ClusterProcess> {
  for (let turn = 0; turn < 200; turn++) {
    for (const head of machines.heads) {
      if (head === lost) continue;
      // oxlint-disable-next-line no-await-in-loop -- until one leads
      const said = await askHead(head.url, { kind: "list" }).catch(() => []);
      if (said[0]?.kind === "welcome") return head;
    }
    // oxlint-disable-next-line no-await-in-loop -- see above
    await wait(100);
  }
  throw new Error("no head leads");
}
