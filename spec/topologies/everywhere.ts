import fc from "fast-check";
import type { Flow, FlowSession, RunOptions, SessionOptions } from "../../lib/index.ts";
import { local } from "../../lib/index.ts";
import { topologies } from "../../lib/testing/index.ts";
import type { Suite } from "../kit/suite.ts";
import { manners, type Manner } from "./given.ts";
import { place, type Place } from "./place.ts";

/** A property of a flow: for any data, and any manner in which it's run, `check` finds the outputs right. */
export interface FlowProperty<Data extends object, Outs extends Record<string, unknown>> {
  readonly flow: Flow<Data & Manner, Outs>;
  readonly data: fc.Arbitrary<Data>;
  /** Makes what the flow reads, files for example. */
  readonly prepare?: (data: Data & Manner) => Promise<void>;
  readonly check: (outputs: Outs, data: Data & Manner) => void | Promise<void>;
  /** Manners other than all. */
  readonly manner?: fc.Arbitrary<Manner>;
  readonly options?: Omit<RunOptions, "on" | "strict">;
  /** Runs on each topology and interleavings. */
  readonly runs?: number;
}

/**
 * Checks flows on every topology, one warm session each, and under seeded interleavings in one thread; or at a place of its own,
 * where a spec has named one. Inputs are frozen. Returns the check, for flows with properties of their own.
 */
export class Everywhere {
  readonly #test: Suite;
  readonly #places: readonly Place[];

  /**
   * @param options - of the sessions on this machine
   * @param but - name of a topology that isn't tried
   */
  constructor(test: Suite, options: SessionOptions = {}, but?: string) {
    this.#test = test;
    const here = (): readonly Place[] => topologies(options).filter(({ name }) => name !== but);
    this.#places = place.only === undefined ? here() : [place.only];
    test.after(async () => {
      for (const one of this.#places) await one.close();
    });
  }

  /** Adds a test for each topology. */
  each(sentence: string, body: (session: FlowSession) => Promise<void>): void {
    for (const { name, session } of this.#places) {
      const tried = async (): Promise<void> => {
        if ((await place.only?.isThere()) !== false) await body(await session());
      };
      this.#test(`${name}: ${sentence}`, tried, place.only?.timeoutMs);
    }
  }

  /** Adds a test for each topology, and one for interleavings. */
  property<Data extends object, Outs extends Record<string, unknown>>(
    sentence: string,
    property: FlowProperty<Data, Outs>,
  ): void {
    const runs = place.only?.runs ?? property.runs ?? 8;
    this.each(sentence, async (session) => {
      await fc.assert(
        propertyOn(property, () => session),
        { numRuns: runs, includeErrorInReport: true },
      );
    });
    if (place.only !== undefined) return;
    this.#test(`interleavings: ${sentence}`, async () => {
      const seeds = fc.record({
        seed: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
        slots: fc.integer({ min: 1, max: 4 }),
      });
      const interleaved = fc.asyncProperty(
        property.data,
        property.manner ?? manners(),
        seeds,
        async (data, manner, seed) => {
          await using session = await local({ isolation: "none", ...seed });
          await runOn(property, { ...data, ...manner }, session);
        },
      );
      await fc.assert(interleaved, { numRuns: runs, includeErrorInReport: true });
    });
  }
}

function propertyOn<Data extends object, Outs extends Record<string, unknown>>(
  property: FlowProperty<Data, Outs>,
  session: () => FlowSession,
): fc.IAsyncProperty<[Data, Manner]> {
  return fc.asyncProperty(property.data, property.manner ?? manners(), (data, manner) =>
    runOn(property, { ...data, ...manner }, session()),
  );
}

async function runOn<Data extends object, Outs extends Record<string, unknown>>(
  { flow, prepare, check, options = {} }: FlowProperty<Data, Outs>,
  args: Data & Manner,
  on: FlowSession,
): Promise<void> {
  await prepare?.(args);
  const limits = { ...options.limits, parcelObjects: args.parcelObjects };
  const start = flow.run as (args: Data & Manner, options: RunOptions) => Promise<Outs>;
  await check(await start(args, { ...options, on, limits, strict: true }), args);
}
