import { describeError } from "./describe-error.ts";
import { helpOf, usageError, type CommandName } from "./help.ts";

/**
 * What all commands do alike: words that can't be parsed are told with how to find help, `--help` prints it, and an error is told on
 * standard error. Returns the exit code.
 *
 * @param parse - gives undefined where help is asked for
 * @param perform - may give another exit code than 0
 * @param codeOf - the exit code for an error that `perform` throws; 1 unless told
 */
export async function asCommand<Parsed>(
  name: CommandName,
  parse: () => Parsed | undefined,
  perform: (parsed: Parsed) => Promise<number> | Promise<void>,
  codeOf: (error: unknown) => number = () => 1,
): Promise<number> {
  let parsed: Parsed | undefined;
  try {
    parsed = parse();
  } catch (error) {
    process.stderr.write(usageError((error as Error).message, name));
    return 2;
  }
  if (parsed === undefined) {
    process.stdout.write(helpOf(name));
    return 0;
  }
  try {
    return (await perform(parsed)) ?? 0;
  } catch (error) {
    process.stderr.write(`${describeError(error)}\n`);
    return codeOf(error);
  }
}
