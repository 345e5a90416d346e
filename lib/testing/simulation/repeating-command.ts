import { isDeepStrictEqual } from "node:util";
import { jsonText } from "../../core/json-text.ts";
import { defaultLimits } from "../../core/limits.ts";
import { quoted } from "../../core/quoted.ts";
import { referenceOf } from "../../flow/define-flow.ts";
import { exportPath } from "../export-path.ts";
import type { SimulationOptions } from "./simulation-options.ts";

/** What `qstream simulate` takes for granted, where that isn't what `simulate` does. */
const commandDefaults = { parcelObjects: 64, checkpointEveryMs: 10 };
const simulateDefaults = { parcelObjects: defaultLimits.parcelObjects, checkpointEveryMs: 20 };

/** The command that repeats a seed of a flow; where there can't be one, how `checkSeeds` does. */
export async function repeatingCommand(
  flow: object,
  args: object,
  options: Omit<SimulationOptions, "seed">,
  seed: number,
): Promise<string> {
  const found = await exportPath(referenceOf(flow)?.module, flow, "the flow");
  const { store, faults = [], slots, attempts, limits, traceLines: _lines, ...rest } = options;
  const { checkpointEveryMs = simulateDefaults.checkpointEveryMs, ...others } = rest;
  const { parcelObjects = simulateDefaults.parcelObjects, ...otherLimits } = limits ?? {};
  const words = Object.values(args).every((value) => typeof value === "string");
  const all = {
    ...others,
    ...(words ? {} : { args }),
    ...(Object.keys(otherLimits).length === 0 ? {} : { limits: otherLimits }),
    ...(Number.isInteger(checkpointEveryMs) ? {} : { checkpointEveryMs }),
    ...(store === "none" ? { store } : {}),
  };
  const settings = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  const text = jsonText(settings);
  const why =
    typeof store === "function"
      ? "its store is a function"
      : isDeepStrictEqual(JSON.parse(text), settings)
        ? found.why
        : "its arguments can't be written as JSON";
  if (why !== undefined) return `call checkSeeds with the same options and seeds: 1, from: ${seed} (${why})`;
  const differing = (name: string, value: number | undefined, otherwise?: number): string[] =>
    value === undefined || value === otherwise ? [] : [name, String(value)];
  const given = [
    found.path,
    ...(words ? Object.entries(args).flatMap(([name, value]) => ["--arg", `${name}=${value}`]) : []),
    "--faults",
    faults.length === 0 ? "none" : faults.join(","),
    ...differing("--slots", slots),
    ...differing("--parcel", parcelObjects, commandDefaults.parcelObjects),
    ...(Number.isInteger(checkpointEveryMs)
      ? differing("--checkpoint", checkpointEveryMs, commandDefaults.checkpointEveryMs)
      : []),
    ...differing("--attempts", attempts),
    ...(Object.keys(settings).length === 0 ? [] : ["--settings", text]),
    "--from",
    String(seed),
    "--trace",
  ];
  return ["npx qstream simulate", ...given.map(quoted)].join(" ");
}
