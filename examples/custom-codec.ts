/**
 * Objects of a class of one's own travel between channels: a registered codec says what they are as plain data.
 *
 *     node dist/examples/custom-codec.js
 *     npx qstream run examples/custom-codec.ts
 *
 * Without the codec the flow fails at the first such object, and names the step: a class's private fields and methods
 * would be lost on the way.
 */
import { pathToFileURL } from "node:url";
import { defineFlow, numbers, registerCodec } from "qstream";

/** An exact fraction, in lowest terms. */
export class Fraction {
  readonly #numerator: bigint;
  readonly #denominator: bigint;

  constructor(numerator: bigint, denominator: bigint) {
    const divisor = greatestDivisor(numerator, denominator);
    this.#numerator = numerator / divisor;
    this.#denominator = denominator / divisor;
  }

  plus(other: Fraction): Fraction {
    const denominator = this.#denominator * other.#denominator;
    return new Fraction(this.#numerator * other.#denominator + other.#numerator * this.#denominator, denominator);
  }

  parts(): readonly [bigint, bigint] {
    return [this.#numerator, this.#denominator];
  }

  toString(): string {
    return `${this.#numerator}/${this.#denominator}`;
  }
}

function greatestDivisor(a: bigint, b: bigint): bigint {
  return b === 0n ? (a < 0n ? -a : a) : greatestDivisor(b, a % b);
}

// At the module's top level, so that every slot that loads the flow has it as well.
registerCodec(Fraction, {
  name: "example.fraction",
  encode: (fraction: Fraction) => fraction.parts(),
  decode: ([numerator, denominator]: readonly [bigint, bigint]) => new Fraction(numerator, denominator),
});

/** The harmonic sums 1 + 1/3 + 1/5 + ... and 1/2 + 1/4 + 1/6 + ... up to 1/n, exactly. */
const harmonic = defineFlow(import.meta.url, { upTo: "int32?" }, (q, { upTo = 20 }) => {
  const sums = q
    .read("denominators", numbers(1, upTo + 1))
    .map("fraction", (n) => ({ odd: n % 2 === 1, fraction: new Fraction(1n, BigInt(n)) }))
    .reduceByKey(
      "sum",
      ({ odd }) => odd,
      () => new Fraction(0n, 1n),
      (sum, { fraction }) => sum.plus(fraction),
    );
  return { sums: sums.collect() };
});

export default harmonic;

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { sums } = await harmonic.run();
  for (const { key, value } of sums) console.log(`${key ? "odd" : "even"} denominators: ${value.toString()}`);
}
