import type { Coordination } from "../../lib/core/contracts/coordination.ts";
import { systemHeadWorld, type HeadWorld } from "../../lib/cluster/head-world.ts";
import { MemoryStore } from "../../actors/stores/memory-store.ts";

/** The world of a head that shares what it knows as it is told to, keeps lineage in memory, and runs nothing. */
export function headWorld(openCoordination: (name: string) => Coordination): HeadWorld {
  return {
    ...systemHeadWorld,
    openCoordination: async (_store, name) => openCoordination(name),
    openStore: async () => new MemoryStore(),
    drivers: () => ({
      open: () => {},
      close: () => {},
      start: () => {
        throw new Error("nothing runs");
      },
    }),
  };
}
