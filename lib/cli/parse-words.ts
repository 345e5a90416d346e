import { parseArgs, type ParseArgsConfig } from "node:util";
import { QStreamError } from "../core/errors.ts";
import { nearestWord } from "../core/option-names.ts";

interface Config extends ParseArgsConfig {
  readonly args: string[];
  readonly options: NonNullable<ParseArgsConfig["options"]>;
}

/**
 * Node's `parseArgs`, for all commands: what is wrong with the words is said in ours, options that are misspelt with the nearest that
 * there is; and an option with a value is given once, unless it may be repeated.
 *
 * @throws QStreamError OPTION_INVALID
 */
export function parseWords<const T extends Config>(config: T): ReturnType<typeof parseArgs<T>> {
  let parsed: ReturnType<typeof parseArgs<Config & { readonly tokens: true }>>;
  try {
    parsed = parseArgs({ ...(config as Config), tokens: true });
  } catch (error) {
    throw new QStreamError("OPTION_INVALID", inOurWords(error as NodeJS.ErrnoException, config));
  }
  const given = new Map<string, string>();
  for (const token of parsed.tokens) {
    const { value } = token as { readonly value?: string };
    if (value === "") {
      const what = token.kind === "option" ? `--${token.name} has an empty value` : "one of the words is empty";
      throw new QStreamError("OPTION_INVALID", `${what}: is a variable of the shell not set?`);
    }
    // Repeating a word without a value changes nothing.
    if (token.kind !== "option" || value === undefined || config.options[token.name]?.multiple === true) continue;
    const before = given.get(token.name);
    if (before !== undefined) {
      throw new QStreamError(
        "OPTION_INVALID",
        `--${token.name} is given twice, with ${before} and ${value}: give it once`,
      );
    }
    given.set(token.name, value);
  }
  return parsed as unknown as ReturnType<typeof parseArgs<T>>;
}

function inOurWords(error: NodeJS.ErrnoException, { args, options }: Config): string {
  const [, named = ""] = /'(-[^\s']*)/u.exec(error.message) ?? [];
  switch (error.code) {
    case "ERR_PARSE_ARGS_UNKNOWN_OPTION":
      return unknownOption(named, args, Object.keys(options));
    case "ERR_PARSE_ARGS_INVALID_OPTION_VALUE":
      return badValue(named.split(",", 1)[0] ?? named, args, options);
    case "ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL": {
      const [, word = ""] = /'(.*)'\. This command/su.exec(error.message) ?? [];
      return `"${word}" is one word too many: this command takes options only`;
    }
    default:
      return error.message;
  }
}

function unknownOption(named: string, args: readonly string[], names: readonly string[]): string {
  // Of "-slots" Node looks at the letters one by one.
  const word =
    args.find((one) => named.length === 2 && /^-[^-].+/su.test(one) && one.includes(named[1] ?? "")) ?? named;
  const nearest = nearestWord(word.replace(/^-+/u, "").split("=", 1)[0] ?? "", names);
  return `there is no option ${word}${nearest === undefined ? "" : `; did you mean --${nearest}?`}`;
}

function badValue(named: string, args: readonly string[], options: Config["options"]): string {
  const name = named.replace(/^-+/u, "");
  const option = Object.entries(options).find(([long, { short }]) => long === name || short === name)?.[0] ?? name;
  if (options[option]?.type === "boolean") return `--${option} takes no value: write it alone, or leave it out`;
  const next = args[args.indexOf(named) + 1];
  const hint = next === undefined ? "" : `; should ${next} be it, write --${option}=${next}`;
  return `--${option} wants a value behind it${hint}`;
}
