import { parentPort, workerData, type MessagePort } from "node:worker_threads";
import { errorToData } from "../../lib/core/errors.ts";
import { enterSlot } from "../../lib/core/flow-registry.ts";
import { openFileSystem, type FileSystemOptions } from "../../lib/files/index.ts";
import { TurnNotes } from "../slot/turn-notes.ts";
import { PortTransport } from "../transport/port-transport.ts";
import { activityAtEnd } from "./activity-watch.ts";
import { makeSlot } from "./local-slot.ts";
import type { FromThread, ThreadStart, ToThread } from "./thread-slots.ts";
import { startBeats } from "./turn-watch.ts";

// The entry of a slot's thread.
enterSlot();
// Errors of flows that were bundled point to the lines of their sources.
process.setSourceMapsEnabled(true);
const { id, files, ports, gateway, memory, turnMs, datasetBytes, compression } = workerData as ThreadStart;
const parent = parentPort as MessagePort;
const tell = (message: FromThread): void => parent.postMessage(message, transferredWith(message));
const transport = new PortTransport(id, new Map(ports), { compression });
if (gateway !== undefined) transport.setGateway(gateway);
const notes = new TurnNotes(memory);
const slot = makeSlot({
  id,
  transport,
  files: openFileSystem(files as FileSystemOptions),
  // A thread's memory is its process's, which the client reports.
  memoryBytes: () => 0,
  datasetBytes,
  notes,
  report: (report) => tell({ kind: "report", report }),
});

/** Bytes that nobody here needs any more are handed over, not copied. */
function transferredWith(message: FromThread): ArrayBuffer[] {
  if (message.kind !== "report") return [];
  const { report } = message;
  if (report.kind === "lineage-append") return [report.bytes.buffer];
  if (report.kind !== "lineage-call" || report.request.kind !== "save") return [];
  const { buffer, byteLength } = report.request.bytes;
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : [];
}

process.on("unhandledRejection", (error) =>
  tell({ kind: "crashed", how: "rejected", error: errorToData(error), activity: activityAtEnd(memory) }),
);
startBeats(notes, turnMs);
tell({ kind: "ready" });

parent.on("message", (message: ToThread) => {
  if (message.kind === "order") {
    slot.order(message.order);
    return;
  }
  if (message.kind === "port") {
    transport.addPort(message.slot, message.port);
    return;
  }
  void slot.close().finally(() => {
    tell({ kind: "closed" });
    // A user's module may hold timers or servers of its own; the thread ends all the same.
    process.exit(0);
  });
});
