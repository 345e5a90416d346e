import * as assert from "uvu/assert";
import { PartedMachines } from "../../../actors/cluster/parted-machines.ts";
import { VirtualClock } from "../../../lib/testing/simulation/virtual-clock.ts";
import { delay } from "../../../lib/core/seam/clock.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("machines that can't reach each other");
const leaseMs = 1000;

interface Said {
  readonly atMs: number;
  readonly of: string;
  readonly about: string;
}

/** Whom a driver leaves of these machines, which have so many channels each. */
async function left(channels: Readonly<Record<string, number>>, said: readonly Said[]): Promise<readonly string[]> {
  const clock = new VirtualClock({ random: () => 0.5 });
  const there = new Map(Object.entries(channels));
  const gone: string[] = [];
  const parted = new PartedMachines({
    clock,
    leaseMs,
    isThere: (machine) => there.has(machine),
    costs: (machine) => [there.get(machine) ?? 0],
    leave: (machine) => {
      there.delete(machine);
      gone.push(machine);
    },
  });
  for (const { atMs, of, about } of said) clock.after(atMs, () => parted.complains(of, about));
  await clock.run({ settled: delay(clock, 10 * leaseMs) });
  parted.close();
  return gone;
}

/** One complains of another one as long as it lasts. */
function complaints(of: string, about: string, forMs = 600, fromMs = 0): readonly Said[] {
  const times = 1 + Math.floor(forMs / 250);
  return Array.from({ length: times }, (_, index) => ({ atMs: fromMs + index * 250, of, about }));
}

test("of two the one goes that has less to do", async () => {
  assert.equal(await left({ a: 3, b: 2, c: 0 }, complaints("a", "b")), ["b"]);
  assert.equal(await left({ a: 2, b: 3, c: 0 }, [...complaints("a", "b"), ...complaints("b", "a")]), ["a"]);
  assert.equal(await left({ a: 2, b: 2 }, complaints("b", "a")), ["a"]);
});

test("the one goes that most others have lost, whoever says so first and however much it does", async () => {
  const said = [...complaints("a", "d"), ...complaints("d", "b", 600, 100), ...complaints("c", "d", 600, 200)];
  assert.equal(await left({ a: 1, b: 1, c: 1, d: 9 }, said), ["d"]);
});

test("of two halves one goes at once", async () => {
  const said = ["a", "b"].flatMap((one) => ["c", "d"].flatMap((other) => complaints(one, other)));
  assert.equal((await left({ a: 2, b: 2, c: 1, d: 2 }, said)).toSorted(), ["c", "d"]);
});

test("a link that is back costs nothing, and neither do machines that aren't there, or one's word of itself", async () => {
  const flapping = [0, 2000, 4000].map((atMs) => ({ atMs, of: "a", about: "b" }));
  assert.equal(await left({ a: 1, b: 2 }, flapping), []);
  assert.equal(await left({ a: 1, b: 2 }, complaints("a", "gone")), []);
  assert.equal(await left({ a: 1, b: 2 }, complaints("gone", "a")), []);
  assert.equal(await left({ a: 1, b: 2 }, complaints("a", "a")), []);
});

test.run();
