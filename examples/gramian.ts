/**
 * The gramian XᵀX of a tall matrix by blocks, on typed arrays.
 *
 *     node dist/examples/gramian.js
 *     npx qstream run examples/gramian.ts --arg rows=50000 --arg columns=96
 *
 * A reader gives the matrix in panels of some rows. The result is symmetric, and made in square blocks: channel c has
 * the pair of column blocks (i, j) with i <= j. The partition function cuts a panel's columns i and j for each channel,
 * and the channel adds their product to its block. So no channel sees more than two column blocks of the matrix,
 * whatever its size.
 */
import { pathToFileURL } from "node:url";
import { custom, defineFlow, reader, slice, type Context, type Operator, type Stateful, type Task } from "qstream";

/** Some rows of the matrix, one after the other. */
type Panel = { readonly rows: number; readonly values: Float64Array };

/** The columns of a panel that meet in one block of the result. */
type Pair = { readonly rows: number; readonly left: Float64Array; readonly right: Float64Array };

/** A block of the result: rows from `row` on and columns from `column` on, row by row. */
export type Block = {
  readonly row: number;
  readonly column: number;
  readonly size: number;
  readonly values: Float64Array;
};

const blocks = 3;

/** The pairs (i, j) with i <= j: the channel with this number has the block at row i and column j. */
const pairs = Array.from({ length: blocks }, (_, i) =>
  Array.from({ length: blocks - i }, (_none, j) => [i, i + j] as const),
).flat();

/** The element of the matrix: small whole numbers, so that products are exact. */
export function elementAt(row: number, column: number): number {
  return ((row * 31 + column * 17 + row * column) % 19) - 9;
}

function panelOf(first: number, end: number, columns: number): Panel {
  const values = new Float64Array((end - first) * columns);
  for (let at = 0; at < values.length; at += 1) values[at] = elementAt(first + Math.floor(at / columns), at % columns);
  return { rows: end - first, values };
}

function cut({ rows, values }: Panel, block: number, size: number): Float64Array {
  const part = new Float64Array(rows * size);
  const columns = values.length / rows;
  for (let row = 0; row < rows; row += 1) {
    const start = row * columns + block * size;
    part.set(values.subarray(start, start + size), row * size);
  }
  return part;
}

const toPairs = (size: number) =>
  custom<Panel | Pair>(function toPairs(panel) {
    const parts = Array.from({ length: blocks }, (_, block) => cut(panel as Panel, block, size));
    return pairs.map(([i, j], channel) => {
      const pair = { rows: panel.rows, left: parts[i] as Float64Array, right: parts[j] as Float64Array };
      return slice(channel, pair);
    });
  });

/** Adds up the products of one pair of column blocks. */
class BlockProduct implements Operator<{ in: Panel | Pair }, Block>, Stateful<Float64Array> {
  readonly #size: number;
  #sum: Float64Array;

  constructor(size: number) {
    this.#size = size;
    this.#sum = new Float64Array(size * size);
  }

  execute({ objects }: Task<{ in: Panel | Pair }>): void {
    for (const { rows, left, right } of objects as readonly Pair[]) this.#add(rows, left, right);
  }

  done({ channel }: Context): readonly Block[] {
    const [i, j] = pairs[channel] ?? [0, 0];
    return [{ row: i * this.#size, column: j * this.#size, size: this.#size, values: this.#sum }];
  }

  snapshot(): Float64Array {
    return this.#sum;
  }

  restore(sum: Float64Array): void {
    this.#sum = sum;
  }

  #add(rows: number, left: Float64Array, right: Float64Array): void {
    const [size, sum] = [this.#size, this.#sum];
    for (let row = 0; row < rows; row += 1) {
      const start = row * size;
      for (let i = 0; i < size; i += 1) {
        const factor = left[start + i] ?? 0;
        for (let j = 0; j < size; j += 1)
          sum[i * size + j] = (sum[i * size + j] ?? 0) + factor * (right[start + j] ?? 0);
      }
    }
  }
}

const rowsOfPanel = 256;

const gramian = defineFlow(
  import.meta.url,
  { rows: "int32?", columns: "int32?" },
  (q, { rows = 20_000, columns = 48 }) => {
    if (columns % blocks !== 0) throw new Error(`columns must be a multiple of ${blocks}`);
    const size = columns / blocks;
    const matrix = reader<Panel | Pair, number>({
      kind: "matrix",
      options: { rows, columns },
      splits: () => Array.from({ length: Math.ceil(rows / rowsOfPanel) }, (_, panel) => panel * rowsOfPanel),
      *read(first) {
        yield panelOf(first, Math.min(rows, first + rowsOfPanel), columns);
      },
    });
    const products = q
      .read("matrix", matrix)
      .partition(toPairs(size))
      .apply("products", () => new BlockProduct(size), { channels: pairs.length, declares: "confluent" });
    return { blocks: products.collect() };
  },
);

export default gramian;

/** Puts the blocks of the upper half into one matrix, and mirrors them. */
export function assemble(parts: readonly Block[], columns: number): Float64Array {
  const whole = new Float64Array(columns * columns);
  for (const { row, column, size, values } of parts) {
    for (const [at, value] of values.entries()) {
      const [i, j] = [row + Math.floor(at / size), column + (at % size)];
      whole[i * columns + j] = value;
      whole[j * columns + i] = value;
    }
  }
  return whole;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const execution = await gramian.start();
  const whole = assemble((await execution.outputs).blocks, 48);
  const trace = Array.from({ length: 48 }, (_, i) => whole[i * 48 + i] ?? 0).reduce((a, b) => a + b);
  console.log(`gramian of 20,000 x 48 in ${pairs.length} blocks, trace ${trace}, ${execution.metrics?.elapsedMs} ms`);
}
