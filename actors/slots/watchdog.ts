import { writeSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { removeTemporaryFolder } from "../../lib/core/seam/temporary-folder.ts";
import { signOfLife, signsOfLifeDescriptor, signsOfLifeEveryMs } from "./lease.ts";
import { TurnWatch, type StuckTurn } from "./turn-watch.ts";

/** What the watchdog is told once its process knows it. */
export interface WatchdogOrder {
  /** The folder of the session's sockets. */
  readonly folder: string;
  /** Where the slot notes what it is at, if it is watched that it comes back to its event loop. */
  readonly turn: { readonly memory: Int32Array; readonly turnMs: number } | undefined;
}

// Ends a slot's process when its parent is gone, though its own event loop may be busy and never hear of it. The session's
// sockets go with it. Tells the parent that the process lives, and when its slot hangs.
let folder: string | undefined;
let watch: TurnWatch | undefined;
parentPort?.on("message", (order: WatchdogOrder) => {
  ({ folder } = order);
  const { turn } = order;
  watch?.stop();
  watch = turn === undefined ? undefined : new TurnWatch(turn.memory, turn.turnMs, (stuck) => sign(stuck));
});
const { parent } = workerData as { readonly parent: number };
setInterval(() => {
  if (process.ppid === parent) {
    sign();
    return;
  }
  if (folder !== undefined) removeTemporaryFolder(folder);
  process.kill(process.pid, "SIGKILL");
}, signsOfLifeEveryMs);

function sign(stuck?: StuckTurn): void {
  try {
    writeSync(signsOfLifeDescriptor, signOfLife(stuck));
  } catch {
    // Nobody reads them now: there are enough in the pipe.
  }
}
