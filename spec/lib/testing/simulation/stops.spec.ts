// specs: timeout 120 s
// Executions that their user stops, as Ctrl-C does, and goes on with: in another process, in the same session, with other channels.
import * as assert from "uvu/assert";
import { checkSeeds, simulate, type FaultKind, type Phase } from "../../../../lib/testing/simulation/index.ts";
import { suite } from "../../../kit/suite.ts";
import type { FlowName } from "./check-flows.ts";
import { simulatedFlows } from "./flows.ts";

const test = suite("executions that are stopped");
const phases = new Map<Phase | "starting", number>();

/** Seeds of a flow that is stopped up to six times. Returns how often it was, and how often it got other channels. */
async function stopped(
  name: FlowName,
  seeds: number,
  { kinds = ["stop"], rescales = false }: { readonly kinds?: readonly FaultKind[]; readonly rescales?: boolean } = {},
): Promise<{ readonly stops: number; readonly rescaled: number }> {
  const { flow, args, options } = simulatedFlows[name];
  const settings = { ...options, seeds, faults: kinds, faultsMax: 6, rescales };
  const { failure, faults, faultPhases, rescaled } = await checkSeeds(flow, args as never, settings);
  assert.ok(failure === undefined, `${name}, ${failure?.reason}\n${failure?.error?.stack}\n${failure?.command}`);
  for (const [phase, count] of Object.entries(faultPhases) as [Phase, number][]) {
    phases.set(phase, (phases.get(phase) ?? 0) + count);
  }
  return { stops: faults.stop ?? 0, rescaled };
}

const seeds = 6;

for (const name of ["sinks", "keyed", "changing", "sorted", "earlyStop", "waited", "timed", "diamond"] as const) {
  test(`${seeds} seeds of the flow "${name}" that is stopped again and again give the same`, async () => {
    const { stops } = await stopped(name, seeds);
    assert.ok(stops >= seeds / 2, `${stops} times`);
  });
}

// Stops come while slots are lost, and channels recover from that.
for (const name of ["sinks", "join"] as const) {
  test(`${seeds} seeds of the flow "${name}" that is stopped and killed, and whose slots are lost, give the same`, async () => {
    const { stops } = await stopped(name, seeds, { kinds: ["stop", "restart", "stop", "kill", "stop", "lapse"] });
    assert.ok(stops >= seeds / 2, `${stops} times`);
  });
}

for (const name of ["sinks", "keyed", "passedOver"] as const) {
  test(`${seeds} seeds of the flow "${name}" that is stopped, and goes on with other channels, give the same`, async () => {
    const { rescaled } = await stopped(name, seeds, { kinds: ["stop", "stop", "restart"], rescales: true });
    assert.ok(rescaled > 1, `${rescaled} times`);
  });
}

test("it is stopped right at its end, too, when sinks are told to make visible what they wrote", async () => {
  const { flow, args, options } = simulatedFlows.sinks;
  const settings = { ...options, seeds: 40, faults: ["stop"], faultsMax: 1 } as const;
  const { failure, faultPhases } = await checkSeeds(flow, args as never, settings);
  assert.ok(failure === undefined, `${failure?.reason}\n${failure?.error?.stack}`);
  assert.ok((faultPhases.finishing ?? 0) > 0, JSON.stringify(faultPhases));
});

test("it was stopped in every other phase", () => {
  for (const phase of ["committing", "checkpointing", "recovering", "freeing", "ending"] as const) {
    assert.ok((phases.get(phase) ?? 0) > 0, `never while ${phase}`);
  }
});

test("executions that share slots are stopped together, and nobody can go on with what has no store", async () => {
  const { flow, args, options } = simulatedFlows.sinks;
  const settings = { ...options, seeds: 3, faults: ["stop"], atOnce: 2 } as const;
  const { failure } = await checkSeeds(flow, args as never, { ...settings, accept: () => true });
  assert.ok(failure === undefined, `${failure?.reason}\n${failure?.error?.stack}`);
  const { faults } = await simulate(flow, args as never, { seed: 1, faults: ["stop"], store: "none" });
  assert.equal(faults, {});
});

test.run();
