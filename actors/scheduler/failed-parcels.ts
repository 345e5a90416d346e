import type { Consumed } from "../../lib/core/contracts/lineage.ts";
import type { ErrorData } from "../../lib/core/errors.ts";
import type { Plan } from "../../lib/core/plan.ts";
import type { ChannelFailure } from "./losses.ts";

const runsMost = 3;

/** The same failure of a task, whose error also names the parcels that the task had taken: one of these is what user code failed on. */
export function withParcels(failure: ChannelFailure, plan: Plan): ChannelFailure {
  const what = describeParcels(failure, plan);
  const { error } = failure;
  const { message } = error;
  // The input is named where the place of the error is told, behind what user code may say.
  const input = `input "${error.place?.input ?? ""}"`;
  const at = message.lastIndexOf(input);
  if (what === undefined || at < 0) return failure;
  const end = at + input.length;
  return { ...failure, error: reworded(error, `${message.slice(0, end)}: ${what}${message.slice(end)}`) };
}

/** An error with another message, also in its stack. */
export function reworded(error: ErrorData, message: string): ErrorData {
  const stack = error.stack?.replace(error.message, () => message);
  return { ...error, message, ...(stack === undefined ? {} : { stack }) };
}

/** `parcel 28 of channel 0 of "numbers" with 1,024 objects`. Undefined for a task that took none. */
function describeParcels({ consumed, objects = 0 }: ChannelFailure, plan: Plan): string | undefined {
  const producer = plan.steps[plan.edges[consumed[0]?.edge ?? -1]?.from ?? -1]?.id;
  if (producer === undefined) return undefined;
  const runs = consumed.slice(0, runsMost).map(describeRun);
  if (consumed.length > runsMost) runs.push(`${consumed.length - runsMost} more`);
  const last = runs.pop() ?? "";
  const all = runs.length === 0 ? last : `${runs.join(", ")} and ${last}`;
  const count = objects === 0 ? "" : ` with ${objects.toLocaleString("en-US")} object${objects === 1 ? "" : "s"}`;
  return `${all} of "${producer}"${count}`;
}

function describeRun({ from, firstSeq, lastSeq }: Consumed): string {
  const parcels = firstSeq === lastSeq ? `parcel ${firstSeq}` : `parcels ${firstSeq} to ${lastSeq}`;
  return `${parcels} of channel ${from}`;
}
