import type { ClusterOptions } from "../cluster/cluster-session.ts";
import { cluster } from "../cluster/open-cluster.ts";
import { asCommand } from "./as-command.ts";
import { clientOptions, parseCluster, parseSubject } from "./cluster-options.ts";
import { showProgress } from "./display/progress.ts";
import { onInterrupt } from "./interrupt.ts";
import { checkTarget, giveOutputs, takeStandardOutput } from "./outputs.ts";
import { parseWords } from "./parse-words.ts";

interface Command {
  readonly options: ClusterOptions;
  readonly execution: string;
  readonly json: string | undefined;
  readonly quiet: boolean;
}

/**
 * `qstream follow`. Returns the exit code: 0 the execution is done, 1 it failed or can't be followed, 2 the command was wrong, 129,
 * 130 and 143 stopped by a signal, which doesn't stop the execution.
 */
export function followCommand(words: readonly string[]): Promise<number> {
  return asCommand(
    "follow",
    () => parse(words),
    async (command) => {
      const interrupt = onInterrupt(() => {});
      try {
        await followed(command, interrupt.signal);
        return 0;
      } catch (error) {
        if (interrupt.exitCode === undefined) throw error;
        process.stderr.write(`${command.execution} goes on\n`);
        return interrupt.exitCode;
      } finally {
        interrupt.forget();
      }
    },
  );
}

function parse(words: readonly string[]): Command | undefined {
  const { values, positionals } = parseWords({
    args: [...words],
    allowPositionals: true,
    options: {
      json: { type: "string" },
      quiet: { type: "boolean" },
      help: { type: "boolean", short: "h" },
      ...clientOptions,
    },
  });
  if (values.help === true) return undefined;
  const execution = parseSubject("execution", positionals);
  if (values.json !== undefined && values.json !== "-") checkTarget(values.json);
  return { options: parseCluster(values), execution, json: values.json, quiet: values.quiet === true };
}

/** Fulfilled when the execution is done and its outputs are given. */
async function followed({ options, execution, json, quiet: wanted }: Command, signal: AbortSignal): Promise<void> {
  const quiet = wanted || json === "-";
  const printAlone = json === "-" ? takeStandardOutput() : undefined;
  await using session = await cluster(options);
  const interrupted = new Promise<never>((_, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
  const watched = session.follow(execution, quiet ? {} : { onEvent: showProgress() });
  const running = await Promise.race([watched, interrupted]);
  await giveOutputs(await Promise.race([running.outputs, interrupted]), running, { json, printAlone, quiet });
}
