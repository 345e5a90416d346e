import { writeSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { removeTemporaryFolder } from "../../lib/core/seam/temporary-folder.ts";
import { signsOfLifeDescriptor, signsOfLifeEveryMs } from "./lease.ts";

// Ends a slot's process when its parent is gone, though its own event loop may be busy and never hear of it. The session's
// sockets go with it.
let folder: string | undefined;
parentPort?.on("message", (message: string) => (folder = message));
const { parent } = workerData as { readonly parent: number };
setInterval(() => {
  if (process.ppid === parent) {
    try {
      writeSync(signsOfLifeDescriptor, ".");
    } catch {
      // Nobody reads them now: there are enough in the pipe.
    }
    return;
  }
  if (folder !== undefined) removeTemporaryFolder(folder);
  process.kill(process.pid, "SIGKILL");
}, signsOfLifeEveryMs);
