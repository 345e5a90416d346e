import * as assert from "uvu/assert";
import type { Coordination } from "../../../../lib/core/contracts/coordination.ts";
import { HeadInvariants } from "../../../../lib/testing/simulation/cluster/cluster-invariants.ts";
import { VirtualClock } from "../../../../lib/testing/simulation/virtual-clock.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("what is looked at of heads");

type Words = { readonly [Name in keyof Coordination]: Required<Parameters<Coordination[Name]>> };

const bytes = Uint8Array.of(1);
const submitted = { execution: "run-1", bundle: "b", flow: "flow", submission: bytes, submittedAt: 5 };

/** A call of each kind, with all that it may say. */
const words: Words = {
  campaign: ["ws://one:1", 1000, 7],
  renew: [1000, ["M"]],
  machine: [1000, "M", "{}"],
  machineGone: ["M"],
  putBundle: ["b", bytes],
  bundle: ["b"],
  submit: [submitted],
  resume: [submitted, 2],
  driver: ["run-1", 2, true],
  cancel: ["run-1", "why"],
  end: ["run-1", 2, "done", bytes, 9],
  keepMeasures: ["flow", "{}"],
  tidied: ["run-1"],
  load: [1000],
  execution: ["run-1"],
  resign: [],
  close: [],
};

test("who looks passes on all that a head says", async () => {
  const passedOn: (readonly [string, readonly unknown[]])[] = [];
  const store = new Proxy({} as Coordination, {
    get:
      (_, name) =>
      async (...said: readonly unknown[]): Promise<unknown> => {
        passedOn.push([String(name), said]);
        return name === "campaign" ? { leads: true, epoch: 8 } : true;
      },
  });
  const clock = new VirtualClock({ random: () => 0.5 });
  const looked = new HeadInvariants(clock, (what) => assert.unreachable(what)).watch("one", store);
  const calls = Object.entries(words) as [keyof Coordination, readonly never[]][];
  for (const [name, said] of calls) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await (looked[name] as (...said: readonly unknown[]) => unknown)(...said);
  }
  assert.equal(passedOn, calls);
});

test.run();
