import * as assert from "uvu/assert";
import type { Suite } from "../../../kit/suite.ts";
import {
  checkSeeds,
  excusedErrors,
  faultKinds,
  phases,
  survivableFaults,
  type FaultKind,
  type Phase,
} from "../../../../lib/testing/simulation/index.ts";
import { simulatedFlows } from "./flows.ts";
import { repeatSeed, shareOf } from "./repeated-seed.ts";

export type FlowName = keyof typeof simulatedFlows;

/**
 * Shares of their objects that are enough for flows whose results are compared with their own without faults: fewer objects meet as
 * many faults.
 */
export const shares: Partial<Record<FlowName, number>> = {
  join: 0.5,
  diamond: 0.5,
  diamondOnDisk: 0.5,
  diamondInMemory: 0.5,
  sorted: 0.5,
  keyed: 0.3,
  changing: 0.3,
};

/** Tests that so many seeds of each flow give what a run without faults gives, and that together they met all kinds of faults in all phases. */
export function testRecoveryOf(test: Suite, flows: readonly FlowName[], seeds: number): void {
  const struck = new StruckFaults();
  // Each flow has seeds of its own, so that together they meet more faults.
  for (const [index, name] of flows.entries()) {
    test(`${seeds} seeds of the flow "${name}" give what a run without faults gives`, async () => {
      await struck.checkSoon(name, seeds, 1 + index * seeds);
    }, 60_000);
  }
  test("every kind of fault struck, in every phase", () => struck.assertAll());
}

/** Faults that struck, added up over flows and seeds. */
export class StruckFaults {
  readonly #kinds = new Map<FaultKind, number>();
  readonly #phases = new Map<Phase | "starting", number>();
  seeds = 0;

  /**
   * Checks a flow over seeds with faults that it has to survive, and over a few with those that it may end by.
   *
   * @param share - of the objects that the flow reads
   */
  async check(name: FlowName, seeds: number, from = 1, share = 1): Promise<void> {
    const { flow, options } = simulatedFlows[name];
    const args = shareOf(simulatedFlows[name].args, share);
    const harsh = Math.ceil(seeds / 5);
    for (const [count, faults] of [
      [seeds - harsh, survivableFaults],
      [harsh, faultKinds],
    ] as const) {
      // oxlint-disable-next-line no-await-in-loop -- one world at a time, in one thread
      const checked = await checkSeeds(flow, args as never, {
        ...options,
        seeds: count,
        from,
        faults,
        acceptErrors: excusedErrors,
        command: (seed) => repeatSeed(name, seed, { faults, share }),
      });
      const { failure } = checked;
      const told = `${name}, ${failure?.reason}\n${failure?.command}\n${failure?.error?.stack}\n${traceOf(failure)}`;
      assert.ok(failure === undefined, told);
      this.seeds += checked.seeds;
      addTo(this.#kinds, checked.faults);
      addTo(this.#phases, checked.faultPhases);
    }
  }

  /** As `check`, in less time: a third of the seeds read all objects, the others a share that is enough. */
  async checkSoon(name: FlowName, seeds: number, from = 1): Promise<void> {
    const whole = Math.ceil(seeds / 3);
    await this.check(name, whole, from);
    await this.check(name, seeds - whole, from + whole, shares[name]);
  }

  /** Fails for a kind of fault that never struck, or a phase in which none did. */
  assertAll(): void {
    for (const kind of faultKinds) assert.ok((this.#kinds.get(kind) ?? 0) > 0, `no seed had the fault ${kind}`);
    for (const phase of phases) assert.ok((this.#phases.get(phase) ?? 0) > 0, `no fault struck in the phase ${phase}`);
  }

  toString(): string {
    return JSON.stringify({ ...Object.fromEntries(this.#kinds), ...Object.fromEntries(this.#phases) });
  }
}

const traceShown = 20_000;

function traceOf(failure: { readonly report: { readonly trace: { toString: () => string } } } | undefined): string {
  return failure?.report.trace.toString().slice(-traceShown) ?? "";
}

function addTo<Key extends string>(sums: Map<Key, number>, counts: Readonly<Partial<Record<Key, number>>>): void {
  for (const [key, count] of Object.entries(counts) as [Key, number][]) sums.set(key, (sums.get(key) ?? 0) + count);
}
