import type { SeedOptions } from "./run-seed.ts";

/** Options of runs, as users give them. */
export interface GivenSeedOptions {
  readonly steps?: number;
  readonly stopAt?: number;
  readonly machines?: number;
  readonly onlyFaults?: readonly string[];
  readonly onlyDelays?: readonly number[];
}

/** The same for those who run seeds. */
export function seedOptionsOf({ steps, stopAt, machines, onlyFaults, onlyDelays }: GivenSeedOptions): SeedOptions {
  const kept = {
    ...(onlyFaults === undefined ? {} : { faults: new Set(onlyFaults) }),
    ...(onlyDelays === undefined ? {} : { delays: new Set(onlyDelays) }),
  };
  return {
    ...(steps === undefined ? {} : { steps }),
    ...(stopAt === undefined ? {} : { stopAt }),
    ...(machines === undefined ? {} : { machines }),
    ...(Object.keys(kept).length === 0 ? {} : { kept }),
  };
}
