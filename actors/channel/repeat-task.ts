import type { TaskRecord } from "../../lib/core/contracts/lineage.ts";
import type { ChannelParts } from "./channel-parts.ts";
import { differs } from "./logged-output.ts";
import { ReaderWork } from "./reader-work.ts";
import type { Tasks } from "./tasks.ts";

/**
 * Runs a logged task again, with exactly what it consumed then.
 *
 * @returns "waits" while some of that hasn't come; a promise where user code is asynchronous
 */
export function repeatTask(record: TaskRecord, parts: ChannelParts, tasks: Tasks): void | Promise<void> | "waits" {
  const { work, inputs } = parts;
  const { cause, consumed } = record;
  if (cause.kind === "parcels" || cause.kind === "skip") {
    const taken = inputs.takeLogged(cause.input, consumed);
    if (taken === undefined) {
      inputs.widen();
      return "waits";
    }
    tasks.follow(record);
    if (cause.kind === "skip") return tasks.skip(taken, cause.error);
    return work instanceof ReaderWork ? unlike(record) : tasks.execute(work, taken);
  }
  tasks.follow(record);
  if (cause.kind === "continue") return tasks.continue();
  if (work instanceof ReaderWork) return cause.kind === "read" ? tasks.read(work) : unlike(record);
  if (cause.kind === "timer" || cause.kind === "round" || cause.kind === "mark") return tasks.execute(work, cause);
  if (cause.kind === "input-end") return tasks.execute(work, inputs.endLogged(cause.input));
  return cause.kind === "done" ? tasks.execute(work, { kind: "done" }) : unlike(record);
}

function unlike(record: TaskRecord): never {
  throw differs("is of another kind of step", `was "${record.cause.kind}"`);
}
