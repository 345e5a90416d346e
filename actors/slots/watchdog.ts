import { parentPort, workerData } from "node:worker_threads";
import { removeOwnFolders, removeTemporaryFolder } from "../../lib/core/seam/temporary-folder.ts";
import { watchActivity } from "./activity-watch.ts";
import { giveSign, signsOfLifeEveryMs } from "./signs-of-life.ts";
import { watchTurns } from "./turn-watch.ts";

/** What the watchdog is told once its process knows it. */
export interface WatchdogOrder {
  /** The folder of the session's sockets. */
  readonly folder: string;
  /** Where the slot notes what it is at. */
  readonly memory: Int32Array;
  /** Set when that was told to the parent. */
  readonly told: Int32Array;
  /** How long the slot may stay away from its event loop; 0: as long as it wants. */
  readonly turnMs: number;
}

// Ends a slot's process when its parent is gone, though its own event loop may be busy and never hear of it. The session's
// sockets go with it, and what it had on disk. Tells the parent that the process lives, when its slot hangs, and what it is at
// when its heap runs over.
let folder: string | undefined;
parentPort?.once("message", (order: WatchdogOrder) => {
  ({ folder } = order);
  const { memory, told, turnMs } = order;
  if (turnMs > 0) watchTurns(memory, turnMs, (stuck) => giveSign({ stuck }));
  watchActivity(memory, told, (at) => giveSign({ at }));
});
const { parent } = workerData as { readonly parent: number };
setInterval(() => {
  if (process.ppid === parent) {
    giveSign();
    return;
  }
  if (folder !== undefined) removeTemporaryFolder(folder);
  removeOwnFolders();
  process.kill(process.pid, "SIGKILL");
}, signsOfLifeEveryMs);
