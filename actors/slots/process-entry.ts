import { Worker } from "node:worker_threads";
import { errorToData } from "../../lib/core/errors.ts";
import { enterSlot } from "../../lib/core/flow-registry.ts";
import { openFileSystem, type FileSystemOptions } from "../../lib/files/index.ts";
import { removeTemporaryFolder } from "../../lib/core/seam/temporary-folder.ts";
import type { Slot } from "../slot/slot.ts";
import { makeNotesMemory } from "../slot/turn-notes.ts";
import { ProcessTransport } from "../transport/process-transport.ts";
import { activityAtEnd, makeToldFlag, ToldNotes } from "./activity-watch.ts";
import { makeSlot } from "./local-slot.ts";
import type { ProcessStart } from "./process-slots.ts";
import type { FromThread, ToThread } from "./thread-slots.ts";
import { giveSign } from "./signs-of-life.ts";
import { startBeats } from "./turn-watch.ts";
import type { WatchdogOrder } from "./watchdog.ts";

// The entry of a slot's process.
enterSlot();
// Errors of flows that were bundled point to the lines of their sources.
process.setSourceMapsEnabled(true);
const tell = (message: FromThread, sent?: () => void): void => {
  if (process.connected) process.send?.(message, undefined, {}, () => sent?.());
  else sent?.();
};
// The parent's end ends this process, also while user code keeps its event loop busy: then the watchdog's thread sees it.
process.on("disconnect", () => {
  if (sockets !== undefined) removeTemporaryFolder(sockets);
  process.exit(1);
});
const watchdog = new Worker(new URL("./watchdog.js", import.meta.url), { workerData: { parent: process.ppid } });
watchdog.unref();
// Ctrl-C and the end of a terminal reach the whole process group; the parent decides what stops when.
process.on("SIGINT", () => {}).on("SIGHUP", () => {});
process.on("unhandledRejection", (error) => crash("rejected", error));
process.on("uncaughtException", (error) => crash("uncaught", error));
// User code may end the process from within a task. Messages to the parent would be lost here.
process.on("exit", () => giveSign({ at: activityAtEnd(memory) ?? null }));

const [memory, told] = [makeNotesMemory(), makeToldFlag()];
let slot: Slot | undefined;
/** The folder of the session's sockets. */
let sockets: string | undefined;
process.on("message", (message: ProcessStart | ToThread) => {
  switch (message.kind) {
    case "begin":
      void begin(message).catch((error: unknown) => crash("uncaught", error));
      return;
    case "order":
      slot?.order(message.order);
      return;
    case "port":
      // Processes find each other by their sockets.
      return;
    case "close":
      void Promise.resolve(slot?.close()).finally(() => process.exit(0));
  }
});

async function begin({ id, files, folder, token, turnMs }: ProcessStart): Promise<void> {
  sockets = folder;
  const notes = new ToldNotes(memory, told, () => giveSign({ at: null }));
  watchdog.postMessage({ folder, memory, told, turnMs } satisfies WatchdogOrder);
  slot = makeSlot({
    id,
    transport: await ProcessTransport.open({ slot: id, folder, token }),
    files: openFileSystem(files as FileSystemOptions),
    memoryBytes: () => process.memoryUsage.rss(),
    notes,
    report: (report) => tell({ kind: "report", report }),
  });
  startBeats(notes, turnMs);
  tell({ kind: "ready" });
}

/** What nobody caught ends the process, as Node would end it, once the session knows of it. */
function crash(how: "rejected" | "uncaught", error: unknown): void {
  tell({ kind: "crashed", how, error: errorToData(error), activity: activityAtEnd(memory) }, () => process.exit(1));
}
