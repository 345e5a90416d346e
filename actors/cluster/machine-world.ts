import type { LineageStore } from "../../lib/core/contracts/lineage-store.ts";
import { freshId } from "../../lib/core/seam/random.ts";
import type { ActorHost } from "../hosts/actor-host.ts";
import { NactHost } from "../hosts/nact-host.ts";
import type { World } from "../slots/local-slot.ts";
import type { LaunchedSlots, LaunchOptions } from "../slots/slot-launcher.ts";
import { launchThreadSlots } from "../slots/thread-slots.ts";
import { openStore } from "../stores/open-store.ts";
import type { Security } from "../transport/wire/security.ts";
import type { SlotsOnWire } from "../transport/wire/slots-on-wire.ts";
import { systemSockets, type Sockets } from "../transport/wire/sockets.ts";
import type { Wire } from "../transport/wire/wire.ts";
import { Bundles, type BundleSource } from "./bundles.ts";

/**
 * What machines and drivers stand on besides each other: time, sockets, threads, stores. A simulation has all of it of its own, and
 * runs the rest as it is.
 */
export interface MachineWorld {
  readonly sockets: Sockets;
  /** A name that nobody else has. */
  readonly freshId: (prefix: string) => string;
  readonly host: () => ActorHost;
  /** @throws QStreamError STORE_* */
  readonly openStore: (url: string) => Promise<LineageStore>;
  readonly openBundles: (security: Security, settle: (code: string) => string) => BundleSource;
  /** Starts the slots of a machine, which reach those of others through its wire. */
  readonly launch: (options: LaunchOptions, wire: Wire, slotsOnWire: SlotsOnWire) => LaunchedSlots;
  /** What a slot in the thread of a driver runs on. */
  readonly slotWorld: () => World;
}

/** That of a process. */
export const systemWorld: MachineWorld = {
  sockets: systemSockets,
  freshId,
  host: () => new NactHost(),
  openStore: (url) => openStore(url, {}),
  openBundles: (security, settle) => new Bundles(security, settle),
  launch: (options, wire, slotsOnWire) =>
    launchThreadSlots({ ...options, gateway: (slot, port) => slotsOnWire.connect(slot, port, wire) }),
  slotWorld: () => ({}),
};
