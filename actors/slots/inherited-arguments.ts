/** Options that name or hold the program itself, with whether a word with their value follows where they have no "=". */
const programs: Readonly<Record<string, boolean>> = {
  "-e": true,
  "--eval": true,
  "-p": true,
  "--print": true,
  "-pe": true,
  "-i": false,
  "--interactive": false,
  "--input-type": true,
  "-c": false,
  "--check": false,
};

/** Options of a thread that aren't those of its whole process, and load what modules may need. */
const ofThreads = ["--import", "--require", "-r", "--loader", "--experimental-loader", "--conditions", "-C"];
const flagsOfThreads = ["--enable-source-maps", "--no-warnings"];

/**
 * What Node was given for this process, for another process that runs another program: without the program of `node -e`, and
 * without the port of a debugger, which only one can have.
 */
export function argumentsForProcess(given: readonly string[] = process.execArgv): string[] {
  const kept: string[] = [];
  for (let index = 0; index < given.length; index++) {
    const argument = given[index] ?? "";
    const name = argument.split("=", 1)[0] ?? "";
    const isLeftOut = Object.hasOwn(programs, name) || argument.startsWith("--inspect");
    if (!isLeftOut) kept.push(argument);
    else if ((programs[name] === true || name === "--inspect-port") && !argument.includes("=")) index++;
  }
  return kept;
}

/** The same for a thread; undefined where it may have all that this process was given. */
export function argumentsForThread(given: readonly string[] = process.execArgv): string[] | undefined {
  if (!given.some((argument) => Object.hasOwn(programs, argument.split("=", 1)[0] ?? ""))) return undefined;
  const kept: string[] = [];
  const all = argumentsForProcess(given);
  for (let index = 0; index < all.length; index++) {
    const argument = all[index] ?? "";
    if (flagsOfThreads.includes(argument) || ofThreads.some((name) => argument.startsWith(`${name}=`))) {
      kept.push(argument);
    } else if (ofThreads.includes(argument)) kept.push(argument, all[++index] ?? "");
  }
  return kept;
}
