import type { SupervisionRule, Supervision } from "../../lib/core/contracts/actor-options.ts";
import { QStreamError } from "../../lib/core/errors.ts";

/** What a handler throws to refuse a message without failing. */
export class Refusal extends Error {
  readonly reason: Error;

  constructor(reason: Error) {
    super(reason.message);
    this.reason = reason;
  }
}

const defaultRule: SupervisionRule = { do: "restart" };
const defaultLimit = { restarts: 10, withinMs: 60_000 };
const defaultWaitMax = 30_000;

/** The first rule that is for an error. */
export function ruleFor(error: unknown, supervision: Supervision): SupervisionRule {
  for (const rule of supervision) if (isFor(rule, error)) return rule;
  return defaultRule;
}

function isFor({ on }: SupervisionRule, error: unknown): boolean {
  if (on === undefined) return true;
  if (typeof on === "string") return error instanceof QStreamError && error.code === on;
  if (typeof on === "function") return error instanceof on;
  return on.matches(error);
}

/** The restarts of one actor, as its limit and the waits before them see them. */
export class RestartHistory {
  readonly #times: number[] = [];
  /** Restarts since it last worked for as long as the longest wait. */
  #inRow = 0;
  /** When the last one was over. */
  #readyAt = Number.NEGATIVE_INFINITY;

  /** Notes a restart, and says how many milliseconds to wait before it; undefined if there were too many. */
  next({ limit, backoff }: SupervisionRule, nowMs: number): number | undefined {
    const { restarts, withinMs } = limit ?? defaultLimit;
    while (this.#times[0] !== undefined && this.#times[0] <= nowMs - withinMs) this.#times.shift();
    if (this.#times.length >= restarts) return undefined;
    this.#times.push(nowMs);
    if (backoff === undefined) return 0;
    const { firstMs, factor = 2, maxMs = Math.max(firstMs, defaultWaitMax) } = backoff;
    if (nowMs - this.#readyAt >= maxMs) this.#inRow = 0;
    const waitMs = Math.min(maxMs, firstMs * factor ** this.#inRow++);
    this.#readyAt = nowMs + waitMs;
    return waitMs;
  }
}
