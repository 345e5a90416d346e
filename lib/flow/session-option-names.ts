import type { SessionOptions } from "./session.ts";

/** Names of the options of sessions, which whatever opens a session of its own takes, too. */
export const sessionOptionNames = {
  slots: true,
  isolation: true,
  memoryBytes: true,
  stdout: true,
  tags: true,
  files: true,
  leaseMs: true,
  turnMs: true,
  seed: true,
  store: true,
  checkpoints: true,
  checkpointEveryMs: true,
  attempts: true,
  storeWaitMs: true,
} as const satisfies Partial<Record<keyof SessionOptions, true>>;
