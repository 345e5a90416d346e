import * as assert from "uvu/assert";
import harmonic, { Fraction } from "../../examples/custom-codec.ts";
import { suite } from "../kit/suite.ts";
import { onEveryTopology, onThisMachine, printedBy } from "./running.ts";

const test = suite("example custom-codec");

function sumOf(upTo: number, odd: boolean): string {
  let sum = new Fraction(0n, 1n);
  for (let n = 1; n <= upTo; n += 1) if ((n % 2 === 1) === odd) sum = sum.plus(new Fraction(1n, BigInt(n)));
  return sum.toString();
}

onEveryTopology(test, "fractions arrive as fractions", async (session) => {
  const { sums } = await harmonic.run({ upTo: 50 }, { on: session });
  assert.is(sums.length, 2);
  for (const { key, value } of sums) {
    assert.instance(value, Fraction);
    assert.is(value.toString(), sumOf(50, key));
  }
});

onThisMachine(test, "prints both sums", async () => {
  const text = await printedBy("custom-codec");
  assert.match(text, `odd denominators: ${sumOf(20, true)}`);
  assert.match(text, `even denominators: ${sumOf(20, false)}`);
});

test.run();
