import fc from "fast-check";
import { local, type RunOptions } from "../../../lib/index.ts";

/** How a flow is run: on a session of its own, whose seed decides who is faster, with some number of channels, in parcels of a size. */
interface Manner {
  readonly seed: number;
  readonly slots: number;
  readonly channels: number;
  readonly parcelObjects: number;
}

const manners: fc.Arbitrary<Manner> = fc.record({
  seed: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  slots: fc.integer({ min: 1, max: 3 }),
  channels: fc.integer({ min: 1, max: 4 }),
  parcelObjects: fc.constantFrom(1, 3, 1000),
});

/** Checks a flow with any data in any order: what it gives must not depend on the order, nor on channels. */
export async function inAnyOrder<Data>(
  data: fc.Arbitrary<Data>,
  body: (data: Data, channels: number, options: RunOptions) => Promise<void>,
  runs: number,
): Promise<void> {
  const tried = fc.asyncProperty(data, manners, async (drawn, { channels, parcelObjects, ...options }) => {
    await using on = await local({ isolation: "none", ...options });
    await body(drawn, channels, { on, limits: { parcelObjects } });
  });
  // Always the same seeds: a broken example must be found each time. Data is small as it is drawn.
  await fc.assert(tried, { numRuns: runs, seed: 1, endOnFailure: true, includeErrorInReport: true });
}
