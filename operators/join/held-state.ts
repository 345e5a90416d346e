import type { Context } from "../../lib/core/contracts/context.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import type { JoinPlan } from "./options.ts";

/** Counts the bytes that a join keeps, and refuses more than its limit: a join's state can't be spilled. */
export class HeldState {
  readonly #plan: JoinPlan;
  #bytes = 0;

  constructor(plan: JoinPlan) {
    this.#plan = plan;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @throws QStreamError LIMIT_EXCEEDED */
  add(bytes: number, ctx: Context): void {
    this.#bytes += bytes;
    const max = this.#plan.stateBytesMax ?? ctx.memoryBytes;
    if (this.#bytes <= max) return;
    throw new QStreamError(
      "LIMIT_EXCEEDED",
      `${this.#plan.what}: a channel would keep more than ${max} bytes of objects`,
      {
        step: ctx.step,
        channel: ctx.channel,
        seq: ctx.seq,
        advice:
          "Use more channels, build on the smaller side (build), or raise the limit: the step's stateBytesMax, or the " +
          "execution's limits.stateBytes.",
      },
    );
  }

  remove(bytes: number): void {
    this.#bytes = Math.max(0, this.#bytes - bytes);
  }

  /** Takes over a count from a snapshot. */
  reset(bytes: number): void {
    this.#bytes = bytes;
  }
}
