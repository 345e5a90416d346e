/** Waits for Ctrl-C, the end of the terminal or a plain kill. A second one ends the process at once. */
export function untilSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.once(signal, () => {
        for (const other of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(other, () => process.exit(130));
        resolve(signal);
      });
    }
  });
}
