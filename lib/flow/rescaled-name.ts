/** The name that an execution was started with, whatever channels it got since. */
export function startedName(execution: string): string {
  return execution.replace(/-r\d+$/u, "");
}

/** The name under which an execution goes on with other channels: that which it was started with, and how often they have changed. */
export function nextName(execution: string): string {
  const started = startedName(execution);
  const changes = execution === started ? 0 : Number(execution.slice(started.length + 2));
  return `${started}-r${changes + 1}`;
}
