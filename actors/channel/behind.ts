import { run, Run } from "../../lib/core/contracts/reader.ts";
import { differs } from "./logged-output.ts";

/**
 * What a source gives behind its first objects: side outputs and batches count as one each, as they do where a reader's place is
 * counted.
 *
 * @throws QStreamError NONDETERMINISTIC for a source that gives fewer
 */
export function behind(
  source: Iterable<unknown> | AsyncIterable<unknown>,
  skip: number,
): Iterable<unknown> | AsyncIterable<unknown> {
  return Symbol.asyncIterator in source ? behindAsync(source, skip) : behindSync(source, skip);
}

function* behindSync(source: Iterable<unknown>, skip: number): Generator<unknown, void> {
  const skipped = new Skipped(skip);
  for (const value of source) yield* skipped.rest(value);
  skipped.end();
}

async function* behindAsync(source: AsyncIterable<unknown>, skip: number): AsyncGenerator<unknown, void> {
  const skipped = new Skipped(skip);
  for await (const value of source) yield* skipped.rest(value);
  skipped.end();
}

class Skipped {
  #left: number;

  constructor(skip: number) {
    this.#left = skip;
  }

  /** What is left of a value: nothing, the value, or the rest of a run. */
  rest(value: unknown): readonly unknown[] {
    if (this.#left === 0) return [value];
    if (!(value instanceof Run)) {
      this.#left--;
      return [];
    }
    const skip = Math.min(this.#left, value.objects.length);
    this.#left -= skip;
    return skip === value.objects.length ? [] : [run(value.objects.slice(skip), value.mark)];
  }

  end(): void {
    if (this.#left > 0) throw differs("read a split that ends early", "read more of it");
  }
}
