import { writeSync } from "node:fs";
import { workerData } from "node:worker_threads";
import { removeOwnFolders } from "../core/seam/temporary-folder.ts";
import { quoted } from "../core/quoted.ts";
import { readStepNotes, type NotedStep } from "../testing/explore/index.ts";
import { formatDuration } from "./display/units.ts";
import type { StepWatchOrder } from "./step-watch.ts";

// Looks whether an exploration goes on, while its own thread may be in a loop that never ends; if so it says where, and ends the
// process.
const { memory, turnMs, module, isExhaustive } = workerData as StepWatchOrder;
const everyMs = Math.min(500, Math.max(20, turnMs / 4));
let known = readStepNotes(memory).beats;
let changedAt = performance.now();
let lookedAt = changedAt;

setInterval(() => {
  const now = performance.now();
  const seen = readStepNotes(memory);
  // If this thread didn't run either, the whole process may have stood still.
  const isLate = now - lookedAt > 4 * everyMs;
  lookedAt = now;
  if (seen.beats !== known || seen.beats === 0 || isLate) {
    known = seen.beats;
    changedAt = now;
  } else if (now - changedAt >= turnMs) end(seen, now - changedAt);
}, everyMs);

function end({ seed, step, what }: NotedStep, stuckMs: number): void {
  const where = isExhaustive ? `step ${step} of one of the orders` : `step ${step} of seed ${seed}`;
  const lines = [
    `qstream: ${module} has been in ${where} for ${formatDuration(stuckMs)}: ${what}. It, or a check behind it, doesn't end.`,
    ...(isExhaustive || step < 2
      ? []
      : [`what led there: ${["npx qstream explore", ...shownBy(seed, step).map(quoted)].join(" ")}`]),
    "With --turn-ms a step may take longer.",
  ];
  writeSync(2, `${lines.join("\n")}\n`);
  removeOwnFolders();
  process.kill(process.pid, "SIGKILL");
}

function shownBy(seed: number, step: number): string[] {
  return [module, "--seed", String(seed), "--stop-at", String(step - 1), "--pictures", "runs"];
}
