import type { LineageLog } from "../../lib/core/contracts/lineage.ts";
import type { FileSystem } from "../../lib/core/contracts/file-system.ts";
import type { Transport } from "../../lib/core/contracts/transport.ts";
import { DatasetShelf } from "../../lib/core/dataset-shelf.ts";
import { findFlow } from "../../lib/core/flow-registry.ts";
import { systemClock, type Clock } from "../../lib/core/seam/clock.ts";
import type { Disk } from "../../lib/core/seam/disk.ts";
import { nodeDisk } from "../../lib/core/seam/node-disk.ts";
import type { ActorHost } from "../hosts/actor-host.ts";
import { NactHost } from "../hosts/nact-host.ts";
import { LineageClient } from "../lineage/lineage-client.ts";
import type { Program } from "../../lib/core/program.ts";
import type { Report } from "../slot/protocol.ts";
import type { ActorsRelay } from "../slot/relayed-actors.ts";
import { Slot } from "../slot/slot.ts";
import { decodeArguments } from "../slot/arguments.ts";
import type { TurnNotes } from "../slot/turn-notes.ts";

/** Parts of the world that a slot may be given instead of the real ones. */
export interface World {
  readonly host?: ActorHost;
  readonly clock?: Clock;
  readonly lineage?: LineageLog;
  readonly disk?: () => Disk;
}

// A client that went away without a word may have left datasets behind: after this time others may have their room.
const datasetIdleMs = 3_600_000;

/** Makes a slot in this thread: on nact, the machine's clock and disk, unless the world is given. */
export function makeSlot(parts: {
  readonly id: string;
  readonly transport: Transport;
  readonly files: FileSystem;
  readonly report: (report: Report) => void;
  readonly memoryBytes: () => number;
  /** Bytes of datasets that the slot keeps; undefined: as much as their sinks let it. */
  readonly datasetBytes?: number | undefined;
  readonly notes?: TurnNotes | undefined;
  readonly relay?: ActorsRelay | undefined;
  readonly world?: World;
  /** Sees each program that is loaded, and may give another one in its place. */
  readonly loaded?: ((program: Program) => Program) | undefined;
}): Slot {
  const { id, transport, files, report, memoryBytes, datasetBytes, notes, relay, world = {}, loaded } = parts;
  const clock = world.clock ?? systemClock;
  const limits = datasetBytes === undefined ? undefined : { bytesMax: datasetBytes, idleMs: datasetIdleMs, clock };
  return new Slot({
    id,
    transport,
    files,
    report,
    memoryBytes,
    notes,
    relay,
    host: world.host ?? new NactHost(),
    clock,
    lineage: world.lineage ?? new LineageClient({ slot: id, clock, files, report }),
    disk: world.disk ?? (() => nodeDisk()),
    datasets: new DatasetShelf(id, limits),
    load: async (reference, args) => {
      const program = (await findFlow(reference)).build(await decodeArguments(args, id));
      return loaded === undefined ? program : loaded(program);
    },
  });
}
