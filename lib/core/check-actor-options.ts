import type { AskOptions, SpawnOptions } from "./contracts/actor.ts";
import type { MailboxOptions, Supervision, SupervisionRule } from "./contracts/actor-options.ts";
import { checkPlace } from "./check-place.ts";
import { QStreamError } from "./errors.ts";
import { checkOptionNames, namesOf } from "./option-names.ts";

const mailboxNames = namesOf<MailboxOptions>({ limit: true, full: true });
const ruleNames = namesOf<SupervisionRule>({ on: true, do: true, limit: true, backoff: true });
const limitNames = namesOf<NonNullable<SupervisionRule["limit"]>>({ restarts: true, withinMs: true });
const backoffNames = namesOf<NonNullable<SupervisionRule["backoff"]>>({ firstMs: true, factor: true, maxMs: true });
const spawnNames = namesOf<SpawnOptions>({ name: true, place: true, mailbox: true, supervise: true });
const askNames = namesOf<AskOptions>({ timeoutMs: true, signal: true });
const actions: readonly unknown[] = ["restart", "resume", "stop", "escalate"];
const whenFull: readonly unknown[] = ["wait", "drop", "fail"];
const restartsMax = 10_000;

/** Milliseconds that a timer can wait: 24 days, which is what timers of Node can. */
export const timerMsMax = 2 ** 31 - 1;

/**
 * Refuses what an actor can't be spawned with.
 *
 * @param of - whose options they are: `spawn() of counter`
 * @throws QStreamError OPTION_INVALID
 */
export function checkSpawnOptions(of: string, options: SpawnOptions): void {
  checkOptionNames(of, options, spawnNames);
  const { name, place, mailbox, supervise } = options;
  if (name !== undefined && !(typeof name === "string" && name.length >= 1 && name.length <= 256)) {
    throw invalid(of, "name", name, "a name has 1 to 256 characters");
  }
  if (place !== undefined) checkPlace(of, place);
  if (mailbox !== undefined) checkMailbox(of, mailbox);
  if (supervise !== undefined) checkSupervision(of, supervise);
}

/** Refuses options that an `ask` can't have. Made for many asks: what they are options of is only put in words if they are wrong. */
export function checkAskOptions(name: string, to: { readonly label: string }, options: AskOptions): void {
  const { timeoutMs, signal } = options;
  const isTimeout = timeoutMs === undefined || timeoutMs === Infinity || isBetween(timeoutMs, 0, timerMsMax);
  const isSignal = signal === undefined || signal instanceof AbortSignal;
  let isKnown = true;
  for (const option in options) isKnown &&= option === "timeoutMs" || option === "signal";
  if (isTimeout && isSignal && isKnown) return;
  const of = `ask of "${name}" of ${to.label}`;
  checkOptionNames(of, options, askNames);
  if (!isSignal) throw invalid(of, "signal", signal, "it takes the signal of an AbortController");
  throw invalid(of, "timeoutMs", timeoutMs, "it takes milliseconds from 0 to 24 days, or Infinity");
}

export function checkMailbox(of: string, mailbox: MailboxOptions): void {
  checkOptionNames(`the mailbox of ${of}`, mailbox, mailboxNames);
  const { limit, full } = mailbox;
  if (limit !== undefined && !(Number.isInteger(limit) && limit >= 1)) {
    throw invalid(of, "mailbox.limit", limit, "it takes a whole number from 1 on");
  }
  if (full !== undefined && !whenFull.includes(full)) {
    throw invalid(of, "mailbox.full", full, 'it takes "wait", "drop" or "fail"');
  }
}

export function checkSupervision(of: string, rules: Supervision): void {
  if (!Array.isArray(rules)) throw invalid(of, "supervise", rules, 'it takes a list of rules: [{ do: "restart" }]');
  rules.forEach((rule: SupervisionRule, index) => {
    const where = `supervise[${index}]`;
    checkOptionNames(`${where} of ${of}`, rule, ruleNames);
    checkRule(of, where, rule);
    if (rule.on === undefined && index < rules.length - 1) {
      throw new QStreamError("OPTION_INVALID", `${of} has rules after ${where}, which is for every error`, {
        advice: "The first rule counts that is for an error: put the one without `on` last",
      });
    }
  });
}

function checkRule(of: string, where: string, { on, do: action, limit, backoff }: SupervisionRule): void {
  if (!actions.includes(action)) {
    throw invalid(of, `${where}.do`, action, 'it takes "restart", "resume", "stop" or "escalate"');
  }
  const isTest = typeof on === "object" && on !== null && typeof on.matches === "function";
  if (on !== undefined && typeof on !== "string" && typeof on !== "function" && !isTest) {
    throw invalid(of, `${where}.on`, on, "it takes a class of errors, a code, or { matches: (error) => boolean }");
  }
  if (action !== "restart" && (limit !== undefined || backoff !== undefined)) {
    throw new QStreamError("OPTION_INVALID", `${where} of ${of} limits restarts, but does "${action}"`, {
      advice: 'Limits and waits are for { do: "restart" }',
    });
  }
  if (limit !== undefined) {
    checkOptionNames(`${where}.limit of ${of}`, limit, limitNames);
    const { restarts, withinMs } = limit;
    if (!(Number.isInteger(restarts) && isBetween(restarts, 0, restartsMax))) {
      throw invalid(of, `${where}.limit.restarts`, restarts, "it takes a whole number from 0 to 10,000");
    }
    if (!isBetween(withinMs, 1, Number.MAX_SAFE_INTEGER)) {
      throw invalid(of, `${where}.limit.withinMs`, withinMs, "it takes milliseconds from 1 on");
    }
  }
  if (backoff !== undefined) checkBackoff(of, `${where}.backoff`, backoff);
}

function checkBackoff(of: string, where: string, backoff: NonNullable<SupervisionRule["backoff"]>): void {
  checkOptionNames(`${where} of ${of}`, backoff, backoffNames);
  const { firstMs, factor, maxMs } = backoff;
  if (!isBetween(firstMs, 1, timerMsMax)) {
    throw invalid(of, `${where}.firstMs`, firstMs, "it takes milliseconds from 1 to 24 days");
  }
  if (factor !== undefined && !isBetween(factor, 1, 1000)) {
    throw invalid(of, `${where}.factor`, factor, "it takes a number from 1 to 1,000");
  }
  if (maxMs !== undefined && !isBetween(maxMs, firstMs, timerMsMax)) {
    throw invalid(of, `${where}.maxMs`, maxMs, "it takes milliseconds from `firstMs` to 24 days");
  }
}

function isBetween(value: unknown, least: number, most: number): boolean {
  return typeof value === "number" && value >= least && value <= most;
}

function invalid(of: string, option: string, value: unknown, advice: string): QStreamError {
  const shown = typeof value === "number" ? String(value) : (JSON.stringify(value)?.slice(0, 80) ?? typeof value);
  return new QStreamError("OPTION_INVALID", `${option} of ${of} is ${shown}: ${advice}`);
}
