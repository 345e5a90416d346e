import type { FlowSession } from "../../../lib/index.ts";
import type { CheckSeedsOptions, SeedsReport } from "../../../lib/testing/index.ts";

/** A change of the compiled text of an example: what it has once, and what it gets instead. */
export type Mistake = readonly (readonly [search: string, replace: string])[];

/** Which faults strike, and how often it is tried. */
export type FaultsOptions = Omit<CheckSeedsOptions<unknown>, "accept" | "onSeed">;

/** What is checked of an example whose flow is a loop. */
export interface LoopExample {
  /** Path of the module below `examples/algorithms`, without its ending. */
  readonly module: string;
  /** Checks what it makes of its real data, in a session. */
  readonly onRealData: (on: FlowSession) => Promise<void>;
  /** Checks the flow that a module of the example has by default, over drawn data, in any order. */
  readonly onDrawnData: (flow: unknown, runs: number) => Promise<void>;
  /** Runs the flow under faults, in each of the ways that it can be run. */
  readonly underFaults: readonly ((options: FaultsOptions) => Promise<SeedsReport<unknown>>)[];
  /** Found on drawn data. */
  readonly mistakes: Readonly<Record<string, Mistake>>;
  /** A line of what it prints. */
  readonly prints: RegExp;
}
