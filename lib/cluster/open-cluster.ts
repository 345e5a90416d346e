import { isSlot } from "../core/flow-registry.ts";
import type { ClusterOptions, ClusterSession } from "./cluster-session.ts";

/**
 * Opens a session on a cluster: flows run on its machines as they do on this one.
 *
 * @throws QStreamError OPTION_INVALID, MACHINE_UNREACHABLE, MACHINE_REFUSED
 * @example
 * await using session = await cluster({ url: "wss://head.example.org:7420", tokenFile: "token" });
 * const { counts } = await wordcount.run({ path: "s3://books/*.txt" }, { on: session });
 */
export async function cluster(options: ClusterOptions): Promise<ClusterSession> {
  // In a slot that loads a one-file program, the program stays where it is.
  if (isSlot()) return new Promise<never>(() => {});
  // Sockets load for those who use them: every slot loads the module that this is exported by.
  const { ClusterSession } = await import("./cluster-session.ts");
  return ClusterSession.open(options);
}
