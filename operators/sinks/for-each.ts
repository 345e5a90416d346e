import type { Context } from "../../lib/core/contracts/context.ts";
import type { OutputSink } from "../../lib/core/contracts/sink.ts";

/** What `forEach` gives. */
export interface ForEachResult {
  /** How often the function was called. */
  readonly objects: number;
}

/**
 * Calls a function for each object (or columnar batch), one after the other in each channel, one channel a slot. A promise is
 * waited for, which holds the stream back. At-least-once: after a failure it may be called again for objects that came after
 * the newest checkpoint, while the count has each once.
 *
 * @param action - what to do; takes the object and the channel's context
 * @returns the sink; its result counts the calls
 * @example
 * orders.forEach((order) => api.send(order));
 */
export function forEach<T>(action: (object: T, ctx: Context) => void | Promise<void>): OutputSink<T, ForEachResult> {
  return {
    kind: "for-each",
    options: { action: "function" },
    guarantee: "at-least-once",
    placement: "per-slot",
    open: () => {
      let calls = 0;
      return {
        write: async (objects: readonly T[], ctx: Context) => {
          for (const object of objects) {
            ctx.signal.throwIfAborted();
            const waiting = action(object, ctx);
            calls += 1;
            // oxlint-disable-next-line no-await-in-loop -- one after the other is what it promises
            if (waiting !== undefined) await waiting;
          }
        },
        done: () => calls,
        snapshot: () => calls,
        restore: (counted: number) => void (calls = counted),
      };
    },
    result: (parts) => ({ objects: parts.reduce<number>((sum, part) => sum + ((part as number | undefined) ?? 0), 0) }),
  };
}
