import type { ChannelContext } from "./channel-context.ts";
import type { Inputs, Taken } from "./inputs.ts";
import type { Turned } from "./loop.ts";

/** What a channel's next task is about: what its inputs hold, a timer that goes off, or a turn of a loop. */
export type TaskSource = Taken | Turned | { readonly kind: "timer"; readonly name: string };

/**
 * Takes what the next task of an operator's channel is about. Timers whose time has come go first, though never two in a row
 * while inputs hold something: neither may keep the other from getting on.
 */
export class TimedTaking {
  readonly #ctx: ChannelContext;
  readonly #inputs: Inputs;
  readonly #wake: () => void;
  #wentOff = false;

  /** @param wake - called once a timer's time may have come */
  constructor(ctx: ChannelContext, inputs: Inputs, wake: () => void) {
    this.#ctx = ctx;
    this.#inputs = inputs;
    this.#wake = wake;
  }

  /** True if a channel that can take nothing has a timer to wait for. */
  get waits(): boolean {
    return (this.#ctx.pendingTimers?.size ?? 0) > 0;
  }

  take(objectsMax: number, accepts: ((input: string) => boolean) | undefined): TaskSource | undefined {
    const timers = this.#ctx.pendingTimers;
    if (timers === undefined || timers.size === 0) return this.#inputs.take(objectsMax, accepts);
    // At the end of all inputs nothing is waited for any more.
    const due = this.#inputs.ended ? undefined : timers.due();
    if (due === undefined || this.#wentOff) {
      this.#wentOff = false;
      const taken = this.#inputs.take(objectsMax, accepts);
      if (taken !== undefined) return taken;
      if (due === undefined) {
        timers.wait(this.#wake);
        return undefined;
      }
    }
    this.#wentOff = true;
    return { kind: "timer", name: due };
  }
}
