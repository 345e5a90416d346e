import type { ColumnKind, ColumnValue } from "../../lib/core/schema.ts";

/** What a conversion gives for a text that is no value of its type. */
export const notAValue = Symbol("not a value");

export type Conversion = (text: string) => Exclude<ColumnValue, null> | typeof notAValue;

/** How the text of a field becomes a value of each kind. */
export const conversions: Readonly<Record<ColumnKind, Conversion>> = {
  string: (text) => text,
  int32: toInt32,
  int64: toInt64,
  float64: toFloat64,
  boolean: toBoolean,
  timestamp: toTimestamp,
  date: toDate,
};

function toInt32(text: string): number | typeof notAValue {
  const length = text.length;
  const first = text.charCodeAt(0);
  const signed = first === 45 || first === 43;
  let at = signed ? 1 : 0;
  // Leading zeros are fine, but eleven digits are more than any int32 has, short of padding, which nobody writes.
  if (at === length || length - at > 10) return notAValue;
  let value = 0;
  for (; at < length; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return notAValue;
    value = value * 10 + digit;
  }
  if (first === 45) value = value === 0 ? 0 : -value;
  return value === (value | 0) ? value : notAValue;
}

const int64Min = -(2n ** 63n);
const int64Max = 2n ** 63n - 1n;

function toInt64(text: string): bigint | typeof notAValue {
  if (!/^[+-]?\d{1,20}$/u.test(text)) return notAValue;
  const value = BigInt(text.startsWith("+") ? text.slice(1) : text);
  return value >= int64Min && value <= int64Max ? value : notAValue;
}

function toFloat64(text: string): number | typeof notAValue {
  const value = Number(text);
  const code = text.charCodeAt(0);
  // Number reads more than decimal numbers: hexadecimal, blanks, nothing at all.
  const decimal = (code >= 48 && code <= 57) || code === 45 || code === 46 || code === 43;
  if (!Number.isNaN(value) && decimal) {
    const second = text.charCodeAt(1) | 32;
    const last = text.charCodeAt(text.length - 1);
    const radix = code === 48 && (second === 120 || second === 98 || second === 111);
    const ended = (last >= 48 && last <= 57) || last === 46 || text.endsWith("Infinity");
    return ended && !radix ? value : notAValue;
  }
  if (text === "Infinity" || text === "inf") return Number.POSITIVE_INFINITY;
  if (text === "-inf") return Number.NEGATIVE_INFINITY;
  return text === "NaN" || text === "nan" ? Number.NaN : notAValue;
}

function toBoolean(text: string): boolean | typeof notAValue {
  if (text === "true" || text === "True" || text === "TRUE") return true;
  if (text === "false" || text === "False" || text === "FALSE") return false;
  return notAValue;
}

const monthDays = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Whether a day is in the calendar: a Date would make the 2nd of March of 2024-02-31. */
function isDay(year: number, month: number, day: number): boolean {
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day >= 1 && day <= (monthDays[month - 1] ?? 0) + (leap ? 1 : 0);
}

const dayForm = /^(\d{4})-(\d{2})-(\d{2})$/u;
const timeForm = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}:\d{2})(:\d{2})?(\.\d{1,9})?\s?(Z|[+-]\d{2}:?\d{2})?$/u;

function toDate(text: string): Date | typeof notAValue {
  const found = dayForm.exec(text);
  if (found === null || !isDay(Number(found[1]), Number(found[2]), Number(found[3]))) return notAValue;
  return new Date(`${text}T00:00:00Z`);
}

function toTimestamp(text: string): Date | typeof notAValue {
  const found = timeForm.exec(text);
  if (found === null) return toDate(text);
  const [, year = "", month = "", day = "", minutes = "", seconds = ":00", fraction = "", zone = "Z"] = found;
  if (!isDay(Number(year), Number(month), Number(day))) return notAValue;
  const offset = zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone;
  const date = new Date(`${year}-${month}-${day}T${minutes}${seconds}${fraction.slice(0, 4)}${offset}`);
  return Number.isNaN(date.getTime()) ? notAValue : date;
}
