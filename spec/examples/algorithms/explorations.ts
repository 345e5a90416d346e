/** Folders of examples/algorithms that have an exploration. */
export const explorations = [
  "distributed-sort",
  "membership",
  "mutual-exclusion",
  "parameter-server",
  "raft",
  "replicated-types",
  "ring-election",
  "snapshot",
  "termination",
  "two-phase-commit",
] as const;

export type ExplorationName = (typeof explorations)[number];
