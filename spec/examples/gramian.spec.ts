import * as assert from "uvu/assert";
import gramian, { assemble, elementAt } from "../../examples/gramian.ts";
import { suite } from "../kit/suite.ts";
import { onEveryTopology, onThisMachine, printedBy } from "./running.ts";

const test = suite("example gramian");

/** The product by its definition. All its terms are small whole numbers, so it is exact in any order. */
function directProduct(rows: number, columns: number): Float64Array {
  const product = new Float64Array(columns * columns);
  for (let i = 0; i < columns; i += 1) {
    for (let j = 0; j < columns; j += 1) {
      let sum = 0;
      for (let row = 0; row < rows; row += 1) sum += elementAt(row, i) * elementAt(row, j);
      product[i * columns + j] = sum;
    }
  }
  return product;
}

onEveryTopology(test, "is the direct product", async (session) => {
  const { blocks } = await gramian.run({ rows: 1500, columns: 12 }, { on: session });
  assert.is(blocks.length, 6);
  assert.equal(assemble(blocks, 12), directProduct(1500, 12));
});

onThisMachine(test, "prints its trace", async () => {
  const product = directProduct(20_000, 48);
  const trace = Array.from({ length: 48 }, (_, i) => product[i * 49] ?? 0).reduce((a, b) => a + b);
  assert.match(await printedBy("gramian"), new RegExp(`trace ${trace},`));
});

test.run();
