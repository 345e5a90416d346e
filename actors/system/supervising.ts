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

/**
 * Notes a restart, and says how long to wait before it; undefined if there were too many.
 *
 * @param restartedAt - when there were restarts before, milliseconds; changed
 */
export function restartDelay(rule: SupervisionRule, restartedAt: number[], nowMs: number): number | undefined {
  const { restarts, withinMs } = rule.limit ?? defaultLimit;
  const { backoff } = rule;
  const firstMs = backoff?.firstMs ?? 0;
  const maxMs = backoff?.maxMs ?? 30_000;
  const factor = backoff?.factor ?? 2;
  const keptMs = Math.max(withinMs, backoff === undefined ? 0 : maxMs);
  while (restartedAt[0] !== undefined && restartedAt[0] < nowMs - keptMs) restartedAt.shift();
  const recent = restartedAt.filter((at) => at >= nowMs - withinMs).length;
  if (recent >= restarts) return undefined;
  const inRow = backoff === undefined ? 0 : restartedAt.filter((at) => at >= nowMs - maxMs - firstMs).length;
  restartedAt.push(nowMs);
  return Math.min(maxMs, firstMs * factor ** inRow);
}
