import type { Context } from "../core/contracts/context.ts";
import type { FileSystem } from "../core/contracts/file-system.ts";
import { DatasetShelf } from "../core/dataset-shelf.ts";
import type { Disk } from "../core/seam/disk.ts";
import { seededRandom } from "../core/seam/random.ts";

/** A context for calling an operator, reader or sink by hand, and what it was told. */
export interface TestContext extends Context {
  seq: number;
  stopped: boolean;
  readonly counters: Map<string, number>;
}

/** Makes a context with a fixed clock (0 ms) and a generator seeded by `seed`; every part can be given. */
export function testContext(parts: Partial<Context> & { readonly seed?: number } = {}): TestContext {
  const random = seededRandom(parts.seed ?? 1);
  const counters = new Map<string, number>();
  const missing = (what: string): never => {
    throw new Error(`this test context has no ${what}: give it to testContext`);
  };
  const shelf = new DatasetShelf("test");
  const context: TestContext = {
    execution: "test",
    step: "step",
    channel: 0,
    channels: 1,
    seq: 0,
    now: () => 0,
    random,
    signal: new AbortController().signal,
    stopped: false,
    stop() {
      context.stopped = true;
    },
    counters,
    count: (name, amount = 1) => void counters.set(name, (counters.get(name) ?? 0) + amount),
    memoryBytes: 64 << 20,
    datasets: shelf,
    get files(): FileSystem {
      return parts.files ?? missing("files");
    },
    get spill(): Disk {
      return parts.spill ?? missing("spill");
    },
  };
  const { files: _files, spill: _spill, seed: _seed, ...rest } = parts;
  return Object.assign(context, rest);
}
