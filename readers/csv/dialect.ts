import { QStreamError } from "../../lib/core/errors.ts";

/** How a CSV file is written, as codes of single bytes. */
export interface Dialect {
  readonly separator: number;
  /** -1 where nothing is quoted. */
  readonly quote: number;
  /** Whether quoted fields may hold line ends. */
  readonly quotedNewlines: boolean;
}

/** Checks the dialect's options: one ASCII character each. */
export function dialectOf(options: {
  readonly separator?: string;
  readonly quote?: string | false;
  readonly quotedNewlines?: boolean;
}): Dialect {
  const separator = byteOf("separator", options.separator ?? ",");
  const quote = options.quote === false ? -1 : byteOf("quote", options.quote ?? '"');
  if (separator === quote) {
    throw new QStreamError("OPTION_INVALID", "separator and quote are the same character", {
      advice: "Give two different characters, or quote: false.",
    });
  }
  return { separator, quote, quotedNewlines: quote !== -1 && (options.quotedNewlines ?? true) };
}

function byteOf(name: string, text: string): number {
  const code = text.charCodeAt(0);
  if (text.length !== 1 || code > 127 || code === 10 || code === 13) {
    throw new QStreamError("OPTION_INVALID", `${name} is ${JSON.stringify(text)}`, {
      advice: "Give one ASCII character that is no line end.",
    });
  }
  return code;
}
