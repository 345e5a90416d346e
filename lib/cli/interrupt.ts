/** Ctrl-C and friends, while a command runs. */
export interface Interrupt {
  /** Aborts at the first signal. */
  readonly signal: AbortSignal;
  /** What the process ends with once it was interrupted. */
  readonly exitCode: number | undefined;
  forget: () => void;
}

// A slot that is stuck in a native call or an endless loop gets two seconds from the scheduler; then the process ends with it.
const graceMs = 2500;
const exitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
const signals = Object.keys(exitCodes) as (keyof typeof exitCodes)[];

/** For `--isolation none`, where a loop would keep the process from seeing any signal: each does what it does by default. */
export const noInterrupt: Interrupt = { signal: new AbortController().signal, exitCode: undefined, forget: () => {} };

/**
 * The first signal stops what runs; one that doesn't stop in time, or a second signal, ends the process.
 *
 * @param say - says so
 */
export function onInterrupt(say: (text: string) => void = (text) => void process.stderr.write(text)): Interrupt {
  const abort = new AbortController();
  let exitCode: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  const stop = (signal: keyof typeof exitCodes): void => {
    if (exitCode !== undefined) process.exit(exitCode);
    exitCode = exitCodes[signal];
    const code = exitCode;
    say(signal === "SIGINT" ? "\nstopping; press Ctrl-C again to end at once\n" : "\nstopping\n");
    abort.abort(new Error(signal === "SIGINT" ? "interrupted by Ctrl-C" : `ended by ${signal}`));
    timer = setTimeout(() => process.exit(code), graceMs);
    timer.unref();
  };
  for (const signal of signals) process.on(signal, stop);
  return {
    signal: abort.signal,
    get exitCode() {
      return exitCode;
    },
    forget: () => {
      // The timer stays: threads that don't end would keep the process.
      for (const signal of signals) process.off(signal, stop);
    },
  };
}
