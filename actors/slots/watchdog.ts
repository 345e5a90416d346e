import { workerData } from "node:worker_threads";

// Ends a slot's process when its parent is gone, though its own event loop may be busy and never hear of it.
const { parent } = workerData as { readonly parent: number };
setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, "SIGKILL");
}, 500);
