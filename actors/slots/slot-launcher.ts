import type { MessagePort } from "node:worker_threads";
import type { SlotHandle } from "../scheduler/execution-request.ts";
import type { Report } from "../slot/protocol.ts";
import type { SlotActivity } from "../slot/turn-notes.ts";
import type { Compression } from "../transport/compression.ts";

export type Isolation = "thread" | "process" | "none";

/** What a session gives to the slots that it starts. */
export interface LaunchOptions {
  readonly ids: readonly string[];
  readonly client: string;
  readonly tags: readonly string[];
  /** Bytes of heap for each slot; the engine's default while undefined. */
  readonly memoryBytes: number | undefined;
  /** Bytes of datasets that each slot keeps; undefined: as much as their sinks let it. */
  readonly datasetBytes?: number | undefined;
  /** True if tasks are logged. */
  readonly logged?: boolean;
  /** Structured-cloneable settings of the file systems. */
  readonly files: unknown;
  /** Where standard output of user code in slots goes. */
  readonly stdout: "inherit" | "stderr";
  /** Milliseconds without a sign of life after which a process is given up. */
  readonly leaseMs: number;
  /** Milliseconds for which user code may keep a slot from its event loop; 0 or undefined: as long as it wants. */
  readonly turnMs?: number;
  /** Name of the machine; `local` unless told. */
  readonly machine?: string;
  /** How large parcels for other machines are packed. Default: none. Threads only. */
  readonly compression?: Compression | undefined;
  /** Gets a port from each slot to the slots of other machines. Threads only. */
  readonly gateway?: (slot: string, port: MessagePort) => void;
  readonly onReport: (report: Report) => void;
  /** A slot ended without being told to, or was given up; `activity` is what it was at, where that may be the reason. */
  readonly onLost: (slot: string, error: Error, activity?: SlotActivity) => void;
  /** A slot that is given up can't be ended without the session's own process. */
  readonly onProcessLost?: (error: Error) => void;
}

/** Slots that run, and the client's own end of their transport. */
export interface LaunchedSlots {
  readonly slots: readonly SlotHandle[];
  readonly client: SlotHandle;
  /** Starts a slot in place of one that was lost. It is among `slots` once the promise is fulfilled. */
  replace: (lost: string) => Promise<void>;
  /** True if slots may come by themselves: machines that join. */
  readonly grows?: boolean;
  /** An execution is going to use the slots. */
  open?: (execution: string) => void;
  close: () => Promise<void>;
}

/** The name of the slot that is started in place of another: no two lives of slots have one name. */
export function successorOf(id: string): string {
  const [, name = id, life = "1"] = /^(.*)\.(\d+)$/u.exec(id) ?? [];
  return `${name}.${Number(life) + 1}`;
}
