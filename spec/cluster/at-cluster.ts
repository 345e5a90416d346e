import { place } from "../topologies/place.ts";
import { WarmCluster } from "./warm-cluster.ts";

/** The one cluster of all specs that are imported behind this module. */
export const warm = new WarmCluster();

// It stays for the next spec: who imports them closes it.
place.only = {
  name: "two machines",
  runs: 1,
  timeoutMs: 60_000,
  isThere: () => warm.isThere(),
  session: () => warm.session(),
  s3: () => warm.s3(),
  close: async () => {},
};
