import type { Execution, ExecutionEvent } from "../../lib/index.ts";

/** Waits for an event of an execution. */
export async function happens<Kind extends ExecutionEvent["kind"]>(
  execution: Execution<unknown>,
  kind: Kind,
): Promise<Extract<ExecutionEvent, { kind: Kind }>> {
  for await (const event of execution.events()) {
    if (event.kind === kind) return event as Extract<ExecutionEvent, { kind: Kind }>;
  }
  throw new Error(`it ended without ${kind}`);
}
