import * as assert from "uvu/assert";
import type { LinkMessage } from "../../../../lib/core/contracts/transport.ts";
import { defaultLimits } from "../../../../lib/core/limits.ts";
import type { Plan } from "../../../../lib/core/plan.ts";
import { LinkCredits } from "../../../../lib/testing/simulation/link-credits.ts";
import { SpoolHistory } from "../../../../lib/testing/simulation/spool-history.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("credits of links, and spools");

/** One producer, one consumer: lives 0 and 1 are their first. */
const plan = { steps: [{ channels: 1 }, { channels: 1 }], edges: [{ from: 0, to: 1 }] } as unknown as Plan;
const limits = { ...defaultLimits, inputObjects: 10, inputBytes: 100 };

class Checked {
  readonly credits = new LinkCredits(plan, limits, (...lives) => lives.every((life) => life < 2));
  readonly #lives: { readonly producer: number; readonly consumer: number };

  constructor(producer = 0, consumer = 1) {
    this.#lives = { producer, consumer };
  }

  sent(message: object): string | undefined {
    const address = { execution: "run", edge: 0, from: 0, to: 0, ...this.#lives };
    return this.credits.sent({ ...address, ...message } as LinkMessage);
  }

  parcel(seq: number, rows: number, bytes = rows): string | undefined {
    return this.sent({ kind: "parcel", seq, previous: seq - 1, payload: { rows, bytes: new ArrayBuffer(bytes) } });
  }

  get usedUp(): boolean {
    return this.credits.usedUp(0, 0, 1);
  }
}

test("what has credit is sent, and one parcel may use up more than was left; without credit nothing is", () => {
  const checked = new Checked();
  assert.is(checked.parcel(0, 9), undefined);
  assert.is(checked.usedUp, false);
  assert.is(checked.parcel(1, 9), undefined);
  assert.is(checked.usedUp, true);
  assert.match(checked.parcel(2, 1) ?? "", "without credit: -8 objects");
  const bytes = new Checked();
  assert.is(bytes.parcel(0, 1, 100), undefined);
  assert.match(bytes.parcel(1, 1) ?? "", "and 0 bytes were left");
});

test("what was taken is granted again, and no more than a window", () => {
  const checked = new Checked();
  assert.is(checked.parcel(0, 8, 80), undefined);
  assert.is(checked.sent({ kind: "credit", objects: 8, bytes: 80 }), undefined);
  // One that repeats its log may be granted a window where one of both is used up.
  assert.is(checked.sent({ kind: "credit", objects: 0, bytes: 100 }), undefined);
  assert.match(checked.sent({ kind: "credit", objects: 1, bytes: 0 }) ?? "", "11 objects and 200 bytes may be sent");
});

test("a link of a later life has what its opening says, and what was on its way is sent without", () => {
  const checked = new Checked(7, 1);
  assert.is(checked.sent({ kind: "open", after: -1, objects: 2, bytes: 20 }), undefined);
  assert.is(checked.parcel(0, 5, 50), undefined);
  assert.is(checked.parcel(1, 5, 50), undefined);
  assert.is(checked.usedUp, false, "only of first lives it is known what they hold");
  assert.is(checked.sent({ kind: "credit", objects: 18, bytes: 180 }), undefined);
  assert.match(checked.sent({ kind: "credit", objects: 8, bytes: 101 }) ?? "", "where a window has 10");
});

function spools(memoryBytes: number, counts: { appends: number; reads: number }): SpoolHistory {
  return new SpoolHistory(memoryBytes, () => [{ id: "slot-0", drive: { count: (what) => counts[what] } }]);
}

const parcel = { kind: "parcel", edge: 0, from: 0, to: 0, seq: 3 } as never;

test("where spools have no memory, what waited was read from a drive", () => {
  const counts = { appends: 0, reads: 0 };
  const history = spools(0, counts);
  assert.is(history.follows, true);
  assert.is(history.sent(parcel), undefined, "it didn't wait");
  history.waits("slot-0", 0, 0, 0, 3);
  assert.match(history.sent(parcel) ?? "", "of 1 parcels that waited, 0 were read");
  history.waits("slot-0", 0, 0, 0, 3);
  counts.reads = 2;
  assert.is(history.sent(parcel), undefined);
  assert.is(history.ended(), undefined);
});

test("where all fits the memory of spools, no drive is written to", () => {
  const counts = { appends: 0, reads: 0 };
  assert.is(spools(Infinity, counts).ended(), undefined);
  counts.appends = 1;
  assert.match(spools(Infinity, counts).ended() ?? "", "spools of slot-0 wrote to its drive");
  assert.is(spools(1000, counts).ended(), undefined);
  assert.is(spools(1000, counts).follows, false);
});

test.run();
