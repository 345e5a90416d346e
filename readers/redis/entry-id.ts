import { QStreamError } from "../../lib/core/errors.ts";

const partMax = 2n ** 64n - 1n;

/** What is before every entry of a stream. */
export const beforeAll = "0-0";

/** Less than 0 if the first id is smaller, more if it is larger. Ids are whole: "milliseconds-number". */
export function compareIds(left: string, right: string): number {
  const [leftMs = "", leftNumber = ""] = left.split("-");
  const [rightMs = "", rightNumber = ""] = right.split("-");
  return compareDigits(leftMs, rightMs) || compareDigits(leftNumber, rightNumber);
}

function compareDigits(left: string, right: string): number {
  if (left.length !== right.length) return left.length - right.length;
  return left < right ? -1 : left > right ? 1 : 0;
}

/**
 * An id as Redis writes it. One without a number is a time: the first or the last entry of that millisecond.
 *
 * @throws QStreamError OPTION_INVALID
 */
export function parseId(option: string, text: string, missing: "first" | "last"): string {
  const [, ms, number] = /^(\d{1,20})(?:-(\d{1,20}))?$/u.exec(text) ?? [];
  const parts = [BigInt(ms ?? partMax + 1n), BigInt(number ?? (missing === "first" ? 0n : partMax))] as const;
  if (ms !== undefined && parts.every((part) => part <= partMax)) return parts.join("-");
  throw new QStreamError("OPTION_INVALID", `${option} is ${JSON.stringify(text.slice(0, 80))}, which is no id`, {
    advice: 'Ids are like "1700000000000-0" or, for all of a millisecond, "1700000000000".',
  });
}

/** The largest id that is smaller, so that an exclusive start begins with this id. */
export function idBefore(id: string): string {
  const [ms = 0n, number = 0n] = id.split("-").map(BigInt);
  if (number > 0n) return `${ms}-${number - 1n}`;
  return ms > 0n ? `${ms - 1n}-${partMax}` : beforeAll;
}
