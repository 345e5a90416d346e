import * as assert from "uvu/assert";
import slices, { nightsOfYear, stayOf } from "../../examples/slices.ts";
import { suite } from "../kit/suite.ts";
import { onEveryTopology, onThisMachine, printedBy } from "./running.ts";

const test = suite("example slices");

function guestsOfNights(stays: number): number[] {
  const guests = new Array<number>(nightsOfYear).fill(0);
  for (let number = 0; number < stays; number += 1) {
    const stay = stayOf(number);
    for (let night = stay.from; night < stay.to; night += 1) guests[night] = (guests[night] ?? 0) + stay.guests;
  }
  return guests;
}

onEveryTopology(test, "counts each night of each stay once, in whichever channel owns it", async (session) => {
  const { nights } = await slices.run({ stays: 5000 }, { on: session });
  assert.is(nights.length, nightsOfYear);
  const inOrder = nights.toSorted((a, b) => a.night - b.night);
  assert.equal(
    inOrder,
    guestsOfNights(5000).map((guests, night) => ({ night, guests })),
  );
});

onThisMachine(test, "prints the fullest nights", async () => {
  const most = Math.max(...guestsOfNights(100_000));
  assert.match(await printedBy("slices"), new RegExp(`\\d+ +${most.toLocaleString("en-US")}\n`));
});

test.run();
