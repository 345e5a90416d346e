import { Worker } from "node:worker_threads";
import { StepNotes, watching } from "../testing/explore/index.ts";

/** What the thread that watches is told. */
export interface StepWatchOrder {
  readonly memory: SharedArrayBuffer;
  /** How long a step may take. */
  readonly turnMs: number;
  /** How the command names the exploration. */
  readonly module: string;
  /** All orders are tried, and there are no seeds. */
  readonly isExhaustive: boolean;
}

/**
 * Has another thread end this process when a step of an exploration takes longer than it may: an endless loop leaves nobody else to
 * do so.
 *
 * @returns what ends the watch
 */
export function watchSteps(order: Omit<StepWatchOrder, "memory">): () => void {
  if (order.turnMs === 0) return () => {};
  const notes = new StepNotes();
  watching.notes = notes;
  const workerData: StepWatchOrder = { ...order, memory: notes.memory };
  const worker = new Worker(new URL("./step-watch-thread.js", import.meta.url), { workerData });
  worker.unref();
  return () => {
    watching.notes = undefined;
    void worker.terminate();
  };
}
