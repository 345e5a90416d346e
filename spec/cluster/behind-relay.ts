import type { ClusterProcess, LoopbackCluster } from "../../lib/testing/loopback-cluster.ts";
import { BrokenRelay } from "../kit/broken-relay.ts";
import type { Disorder } from "../kit/disorder.ts";
import { freePort } from "../kit/free-port.ts";

/** A machine that others reach by a relay only. */
export interface RelayedMachine {
  readonly machine: ClusterProcess;
  readonly relay: BrokenRelay;
}

/**
 * Starts another machine, behind a relay.
 *
 * @param disorder - what happens to messages between it and others
 */
export async function addBehindRelay(cluster: LoopbackCluster, disorder?: Disorder): Promise<RelayedMachine> {
  const port = await freePort();
  const relay = await BrokenRelay.open(() => port, disorder);
  try {
    const words = ["--bind", `127.0.0.1:${port}`, "--advertise", `127.0.0.1:${relay.port}`];
    return { relay, machine: await cluster.addMachine(words) };
  } catch (error) {
    await relay.close();
    throw error;
  }
}
