// node repeat-seed.js FLOW SEED SETTINGS: runs a seed of a simulated flow again, prints its trace and why it fails, and ends with code 1
// where it does. What fails prints the whole command.
import { register } from "node:module";
import type { FlowName } from "./check-flows.ts";
import type { SeedSettings } from "./repeated-seed.ts";

const [, , name = "join", seed = "1", text = "{}"] = process.argv;
const { share = 1, patches = [], ...settings } = JSON.parse(text) as SeedSettings;
register("../../../kit/mutating-loader.js", import.meta.url, { data: patches });

const { checkSeeds, excusedErrors } = await import("../../../../lib/testing/simulation/index.ts");
const { simulatedFlows } = await import("./flows.ts");
const { shareOf } = await import("./repeated-seed.ts");

const { flow, args, options } = simulatedFlows[name as FlowName];
const given = { ...options, ...settings, seeds: 1, from: Number(seed), acceptErrors: excusedErrors, traces: true };
let trace = "";
const { failure } = await checkSeeds(flow, shareOf(args, share) as never, {
  ...given,
  onSeed: (report) => (trace = report.trace.toString()),
});
console.log(trace);
if (failure !== undefined) console.log(`${name}, ${failure.reason}\n${failure.error?.stack ?? ""}`);
process.exitCode = failure === undefined ? 0 : 1;
