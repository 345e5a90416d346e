import { quoted } from "../../../../lib/core/quoted.ts";
import type { FaultKind } from "../../../../lib/testing/simulation/index.ts";
import type { Patch } from "../../../kit/mutating-loader.ts";
import type { FlowName } from "./check-flows.ts";

/** What a seed of a simulated flow was run with, besides what the flow itself says. */
export interface SeedSettings {
  readonly faults: readonly FaultKind[];
  readonly faultsMax?: number;
  readonly finishWithinMs?: number;
  readonly rescales?: boolean;
  /** The share of its objects that the flow read. */
  readonly share?: number;
  /** What was changed of the engine. */
  readonly patches?: readonly Patch[];
}

/** The command that runs a seed of a simulated flow again, in the project's folder, and shows its trace. */
export function repeatSeed(flow: FlowName, seed: number, settings: SeedSettings): string {
  const program = "dist/spec/lib/testing/simulation/repeat-seed.js";
  return ["node --no-warnings", ...[program, flow, String(seed), JSON.stringify(settings)].map(quoted)].join(" ");
}

/** Fewer objects for a flow to read. */
export function shareOf(args: object, share: number): object {
  const { upTo } = args as { readonly upTo: number };
  return { ...args, upTo: Math.ceil(upTo * share) };
}
