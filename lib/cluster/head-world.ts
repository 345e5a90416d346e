import type { MachinePlace } from "../../actors/cluster/protocol.ts";
import { ClusterState } from "../../actors/stores/cluster-state.ts";
import { openStore } from "../../actors/stores/open-store.ts";
import { systemSockets, type Sockets } from "../../actors/transport/wire/sockets.ts";
import type { Coordination } from "../core/contracts/coordination.ts";
import type { LineageStore } from "../core/contracts/lineage-store.ts";
import { freshId } from "../core/seam/random.ts";
import { openFileSystem } from "../files/index.ts";
import { SpareDrivers, type Drivers } from "./driver-process.ts";
import type { HeadOptions } from "./head.ts";

/** What a head stands on: time, sockets, Redis, processes. A simulation has all of it of its own, and runs the rest as it is. */
export interface HeadWorld {
  readonly sockets: Sockets;
  /** A name that nobody else has. */
  readonly freshId: (prefix: string) => string;
  /** What heads share. @throws QStreamError OPTION_INVALID, STORE_* */
  readonly openCoordination: (store: string, head: string) => Promise<Coordination>;
  /** Where lineage is. @throws QStreamError STORE_* */
  readonly openStore: (store: string) => Promise<LineageStore>;
  readonly drivers: () => Drivers;
}

/** That of a process. */
export const systemHeadWorld: HeadWorld = {
  sockets: systemSockets,
  freshId,
  openCoordination: (store, head) => ClusterState.open(store, head),
  openStore: (store) => openStore(store, { files: openFileSystem({}) }),
  drivers: () => new SpareDrivers(),
};

/** What a head gives to what it knows of executions. */
export interface HeadExecutionsParts extends HeadOptions {
  readonly world: HeadWorld;
  /** Machines that executions may be placed on. */
  readonly machines: () => readonly MachinePlace[];
  readonly bundleUrl: (hash: string) => string;
}
