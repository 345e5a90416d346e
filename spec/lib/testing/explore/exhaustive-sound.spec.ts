import fc from "fast-check";
import * as assert from "uvu/assert";
import { findViolation, type ExhaustiveReport, type Reduction } from "../../../../lib/testing/index.ts";
import { suite } from "../../../kit/suite.ts";
import { anyLook, anySystem, explorationOf, lookOf, type RandomSystem } from "./random-systems.ts";

const test = suite("reductions of exhaustive exploring");

// Executions of a system that is compared, at most: others have too many orders to try all of them.
const executions = 60;
const numRuns = 250;

interface Seen {
  readonly report: ExhaustiveReport;
  /** What the check has seen one after the other, in each execution that ended. */
  readonly ways: readonly string[];
  /** All that it has seen in any. */
  readonly views: readonly string[];
  readonly ends: readonly string[];
}

/** What a check sees of a system in all executions that are tried. */
async function seenBy(system: RandomSystem, look: number, reduction: Reduction, most: number): Promise<Seen> {
  const ways = new Set<string>();
  const views = new Set<string>();
  const ends = new Set<string>();
  let way: string[] = [];
  const text = lookOf(look);
  const begun = (): void => void (way = []);
  const exploration = explorationOf(system, begun, {
    always: {
      seen(nodes, world) {
        const view = text(nodes, world);
        views.add(view);
        if (way.at(-1) !== view) way.push(view);
        return true;
      },
    },
    atEnd: {
      end(nodes, world) {
        ways.add(way.join(" | "));
        ends.add([0, 1].map((each) => lookOf(each)(nodes, world)).join(" | "));
        return true;
      },
    },
  });
  const { exhaustive, violation } = await findViolation(exploration, { exhaustive: { reduction, executions: most } });
  assert.is(violation, undefined, violation?.text);
  const sorted = (texts: ReadonlySet<string>): string[] => [...texts].sort();
  return { report: exhaustive as ExhaustiveReport, ways: sorted(ways), views: sorted(views), ends: sorted(ends) };
}

test("checks see the same with a reduction as in all orders", async () => {
  let compared = 0;
  let fewer = 0;
  await fc.assert(
    fc.asyncProperty(anySystem, anyLook, async (system, look) => {
      const full = await seenBy(system, look, "none", executions);
      if (!full.report.isExhausted) return;
      compared++;
      const races = await seenBy(system, look, "races", 20 * executions);
      assert.ok(races.report.isExhausted);
      assert.equal(races.ends, full.ends);
      assert.equal(races.ways, full.ways);
      if (races.report.executions < full.report.executions) fewer++;
      const states = await seenBy(system, look, "states", 20 * executions);
      assert.ok(states.report.isExhausted);
      assert.equal(states.ends, full.ends);
      assert.equal(states.views, full.views);
    }),
    { numRuns, seed: 1 },
  );
  assert.ok(fewer > numRuns / 5, `orders were left out of ${fewer} of ${compared} systems only`);
});

test.run();
